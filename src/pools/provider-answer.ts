/** What the answer of a provider says beside its content: of the key, of limits, and what of its fields callers are not told. */
import { callErrorOf, waitOf } from '../ai/call-errors.ts';
import { limitReports, retryAfterMs } from '../ai/limit-headers.ts';
import { parsedJson } from '../ai/parsed-json.ts';
import type { CallError, Provider } from '../model/pools.ts';
import type { MeterReport } from '../model/provider-limits.ts';
import type { PreparedKey } from './pool-registry.ts';

export interface RefusedCall {
  /** Null: nothing that the provider's description knows. */
  readonly means: CallError | null;
  /** How long the provider asks to wait; NaN: it does not say. */
  readonly waitMs: number;
}

/** `body`: as much of it as was read. */
export function refusedCall(
  { errors, retryHeaders }: Provider,
  status: number,
  fields: readonly string[],
  body: Uint8Array,
  wallMs: number,
): RefusedCall {
  const parsed = parsedJson(new TextDecoder().decode(body));
  const fromFields = retryAfterMs(fields, retryHeaders, wallMs);
  return {
    means: callErrorOf(status, parsed, errors),
    waitMs: Number.isNaN(fromFields) ? waitOf(parsed) : fromFields,
  };
}

export function reportsOf(
  { limitHeaders }: Provider,
  fields: readonly string[],
  wallMs: number,
): readonly MeterReport[] {
  return limitHeaders.length === 0 ? NO_REPORTS : limitReports(fields, limitHeaders, wallMs);
}

/** How long until the limits that are used up have room for anything, by what was reported; NaN: none is. */
export function usedUpForMs(reports: readonly MeterReport[]): number {
  let longest = Number.NaN;
  for (const { remaining, resetMs } of reports)
    if (remaining === 0 && !Number.isNaN(resetMs)) longest = Math.max(resetMs, longest || 0);
  return longest;
}

/** Whether a provider repeats the secret that it was sent, as it is or as others write it: in the escapes of JSON, in a URL, in base64. */
export function repeats(secret: string, said: Uint8Array): boolean {
  const text = Buffer.from(said.buffer, said.byteOffset, said.length).toString('latin1');
  return tells(formsOf(secret), text);
}

function tells(forms: readonly string[], text: string): boolean {
  // without its escapes
  const meant = text.includes('\\u') ? (JSON.stringify(parsedJson(text)) ?? '') : '';
  return forms.some((form) => text.includes(form) || meant.includes(form));
}

/** None is shorter than a secret that is a key; of base64, what it becomes behind any other bytes. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const within = [1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .slice(before + 1, Math.floor(((before + bytes.length) * 8) / 6)),
  );
  const forms = [secret, encodeURIComponent(secret), bytes.toString('base64').replace(/=+$/, ''), ...within];
  return forms.filter((form) => form.length >= secret.length);
}

/** Names of fields that speak of the account: its limits are not the caller's, and its names are nobody's business. */
const ACCOUNT_FIELDS: ReadonlySet<string> = new Set([
  'set-cookie',
  'openai-organization',
  'openai-project',
  'anthropic-organization-id',
]);

/**
 * Fields of an answer as its caller gets them: without those, and without any that repeats the secret that the call was sent with. Most are
 * shorter than the secret, and are not searched: 15 ns for an answer with a key of 39 characters, 0.15 µs with one of 20.
 */
export function callerFields(
  fields: readonly string[],
  provider: Provider,
  sent: PreparedKey,
): readonly string[] {
  const hidden = hiddenOf(provider);
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    const value = fields[index + 1]!;
    if (hidden.has(name)) continue;
    const isSearched = value.length >= sent.secret.length && !PLAIN_FIELDS.has(name);
    if (!isSearched || !tells(knownFormsOf(sent), value)) kept.push(name, value);
  }
  return kept;
}

/** Whose values are longer than some keys, and known. */
const PLAIN_FIELDS: ReadonlySet<string> = new Set(['date', 'content-type', 'strict-transport-security']);

/** Made once for each key. */
function knownFormsOf(sent: PreparedKey): readonly string[] {
  let forms = FORMS.get(sent);
  if (forms === undefined) {
    forms = formsOf(sent.secret);
    FORMS.set(sent, forms);
  }
  return forms;
}
const FORMS = new WeakMap<PreparedKey, readonly string[]>();

/** Those, and the fields that speak of limits. Made once for each provider. */
function hiddenOf(provider: Provider): ReadonlySet<string> {
  let hidden = HIDDEN.get(provider);
  if (hidden === undefined) {
    const ofLimits = provider.limitHeaders.flatMap(({ limit, remaining, reset }) => [
      limit,
      remaining,
      reset,
    ]);
    hidden = new Set([...ACCOUNT_FIELDS, ...ofLimits.filter((name) => name !== null)]);
    HIDDEN.set(provider, hidden);
  }
  return hidden;
}
const HIDDEN = new WeakMap<Provider, ReadonlySet<string>>();

const NO_REPORTS: readonly MeterReport[] = [];
