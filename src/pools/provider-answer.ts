/** What the answer of a provider says beside its content: of the key, of limits, and what of its fields callers are not told. */
import { callErrorOf, waitOf } from '../ai/call-errors.ts';
import { limitReports, retryAfterMs } from '../ai/limit-headers.ts';
import { parsedJson } from '../ai/parsed-json.ts';
import type { CallError, Provider } from '../model/pools.ts';
import type { MeterReport } from '../model/provider-limits.ts';

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
  // without its escapes
  const meant = text.includes('\\u') ? (JSON.stringify(parsedJson(text)) ?? '') : '';
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  const forms = [secret, encodeURIComponent(secret), base64];
  return forms.some((form) => text.includes(form) || meant.includes(form));
}

/** Fields of a refusal: those that repeat the secret go as well. */
export function refusalFields(
  fields: readonly string[],
  provider: Provider,
  secret: string,
): readonly string[] {
  const kept: string[] = [];
  const own = callerFields(fields, provider);
  for (let index = 0; index < own.length; index += 2)
    if (!repeats(secret, Buffer.from(own[index + 1]!, 'latin1'))) kept.push(own[index]!, own[index + 1]!);
  return kept;
}

/** Names of fields that speak of the account: its limits are not the caller's, and its names are nobody's business. */
const ACCOUNT_FIELDS: ReadonlySet<string> = new Set([
  'set-cookie',
  'openai-organization',
  'openai-project',
  'anthropic-organization-id',
]);

export function callerFields(fields: readonly string[], provider: Provider): readonly string[] {
  const hidden = hiddenOf(provider);
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    if (!hidden.has(name)) kept.push(name, fields[index + 1]!);
  }
  return kept;
}

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
