/** What the error of a provider means, by the table of its description: no provider has code of its own. */
import type { CallError, ErrorRule } from '../model/pools.ts';
import { waitInSentence } from './reset-formats.ts';

/** `body`: the parsed answer, or null where it is not JSON. Null: no row of the table speaks of it. */
export function callErrorOf(status: number, body: unknown, rules: readonly ErrorRule[]): CallError | null {
  const told = toldBy(body);
  for (const { statuses, codes, messageContains, means } of rules) {
    if (statuses.length > 0 && !statuses.includes(status)) continue;
    if (codes.length > 0 && !codes.some((code) => told.codes.includes(code))) continue;
    if (messageContains !== null && !told.message.toLowerCase().includes(messageContains)) continue;
    return means;
  }
  return null;
}

/** Milliseconds that the sentence of the error asks to wait; NaN where it names none. */
export function waitOf(body: unknown): number {
  return waitInSentence(toldBy(body).message);
}

interface Told {
  readonly codes: readonly unknown[];
  readonly message: string;
}

/** OpenAI and most others wrap the error in `error`; some put its members on top, or a sentence in its place. */
function toldBy(body: unknown): Told {
  const top = membersOf(body);
  const inner = membersOf(top.error);
  const sentence = [inner.message, top.message, top.error, top.detail].find(
    (text) => typeof text === 'string',
  );
  return {
    codes: [inner.code, inner.type, inner.status, top.code, top.type, top.error],
    message: typeof sentence === 'string' ? sentence : '',
  };
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
