/** What an answer says that a call has used. */
import type { TokenUsage } from '../model/model-call.ts';
import type { MemberPath, ToldCost, UsageFields } from '../model/pools.ts';
import { toldNanoAt } from '../model/told-amounts.ts';
import type { UsagePaths } from './operations.ts';
import { parsedJson } from './parsed-json.ts';

/** Null where the parsed answer tells none, or neither as its dialect does nor as its provider (`own`). */
export function usageIn(answer: unknown, paths: UsagePaths, own: UsageFields): TokenUsage | null {
  return usageFrom(at(answer, paths.at), paths, own);
}

function usageFrom(usage: unknown, paths: UsagePaths, own: UsageFields): TokenUsage | null {
  if (typeof usage !== 'object' || usage === null) return null;
  const count = (ownPath: MemberPath | null, path: MemberPath | null): number | null =>
    amountAt(usage, ownPath) ?? amountAt(usage, path);
  const input = count(own.input, paths.input);
  const output = count(own.output, paths.output);
  if (input === null && output === null) return null;
  const beside = paths.besideInput.reduce((sum, name) => sum + (amountAt(usage, [name]) ?? 0), 0);
  const inputTokens = input === null ? null : input + beside;
  const total = amountAt(usage, own.total);
  const behindInput = total === null || inputTokens === null ? null : total - inputTokens;
  const tellsOutput = output !== null || behindInput !== null || paths.output === null;
  return withinWhole({
    inputTokens,
    outputTokens: tellsOutput ? Math.max(output ?? 0, behindInput ?? 0) : null,
    cachedTokens: count(own.cached, paths.cached) ?? 0,
    reasoningTokens: count(own.reasoning, paths.reasoning) ?? 0,
    surcharge: paths.surcharged.reduce(
      (sum, { path, share }) => sum + (amountAt(usage, path) ?? 0) * share,
      0,
    ),
    costNano: own.cost === null ? null : costAt(usage, own.cost),
  });
}

/** A number, or a text that is one. */
function costAt(usage: object, { path, currency, decimals, rateNano }: ToldCost): number | null {
  const told = at(usage, path);
  if (typeof told !== 'number' && typeof told !== 'string') return null;
  const text = decimals === 0 ? String(told) : `${told}e-${decimals}`;
  return toldNanoAt(text, currency, rateNano);
}

/** A part that is larger than its whole would make a cost below nothing, and what is told of a whole that is not says nothing. */
function withinWhole(usage: TokenUsage): TokenUsage {
  const inputTokens = usage.inputTokens ?? 0;
  return {
    ...usage,
    cachedTokens: Math.min(usage.cachedTokens, inputTokens),
    reasoningTokens: Math.min(usage.reasoningTokens, usage.outputTokens ?? 0),
    surcharge: Math.min(usage.surcharge, inputTokens * SURCHARGE_SHARE_MAX),
  };
}

/** Of the price of a token: what is put into a cache costs at most twice as much. */
const SURCHARGE_SHARE_MAX = 1;

/**
 * TokenUsage as it comes in the events of a stream. OpenAI's chat tells it whole in a last event, its responses within the event that ends
 * them; Anthropic tells the input at first and the output, growing, later. So each part is the latest that was told.
 */
export class StreamUsage {
  readonly #paths: UsagePaths;
  readonly #own: UsageFields;
  readonly #places: readonly MemberPath[];
  readonly #choices: number;
  #latest: TokenUsage | null = null;
  #isFinal = false;
  /** Choices of a chat that have come to their end. */
  #finished = 0;
  #isToldAtEnd = false;

  /** `choices`: how many answers there are in it. */
  constructor(paths: UsagePaths, own: UsageFields, choices: number) {
    this.#choices = choices;
    this.#paths = paths;
    this.#own = own;
    this.#places = [...PLACES.map((place) => [...place, ...paths.at]), ...own.inStreams];
  }

  get usage(): TokenUsage | null {
    return this.#latest;
  }

  /** What was told is that of the whole answer: its provider has said that it ends. */
  get isFinal(): boolean {
    return this.#isFinal;
  }

  /**
   * All choices were finished when the latest was told. Where the stream ends behind that, nothing is missing: not all who speak OpenAI's
   * dialect send "[DONE]".
   */
  get isToldAtEnd(): boolean {
    return this.#isToldAtEnd;
  }

  /** `data` of one event. Most tell no usage, and are not parsed; the event where it tells some, else null. */
  event(data: string): unknown {
    if (isLast(data)) this.#isFinal = true;
    this.#finished += data.match(FINISHED)?.length ?? 0;
    if (!mayTellUsage(data)) return null;
    const parsed = parsedJson(data);
    if (LAST_TYPES.includes(at(parsed, ['type']))) this.#isFinal = true;
    let tells = false;
    for (const place of this.#places) {
      const told = usageFrom(at(parsed, place), this.#paths, this.#own);
      if (told === null) continue;
      this.#latest = merged(this.#latest, told);
      tells = true;
    }
    if (tells && this.#finished >= this.#choices) this.#isToldAtEnd = true;
    return tells ? parsed : null;
  }
}

/** Of a choice: most events say null. Quotes within texts are escaped. */
const FINISHED = /"finish_reason"\s*:\s*"/g;

/** The last event of a stream; Anthropic's and that of OpenAI's responses mostly name themselves first. */
function isLast(data: string): boolean {
  return data === '[DONE]' || LAST_TYPES.includes(firstType(data));
}

/** Of an event that names its type before all else; undefined: it doesn't. */
export function firstType(data: string): string | undefined {
  return FIRST_TYPE.exec(data)?.[1];
}
const FIRST_TYPE = /^\{\s*"type"\s*:\s*"([a-z_.]+)"/;
export const LAST_TYPES: readonly unknown[] = [
  'message_stop',
  'response.completed',
  'response.incomplete',
  'response.failed',
  'transcript.text.done',
  'speech.audio.done',
  'image_generation.completed',
  'image_edit.completed',
  'response.cancelled',
];

/** The event itself, `response` of OpenAI's, `message` of Anthropic's first one. */
const PLACES: readonly MemberPath[] = [[], ['response'], ['message']];

/**
 * Where usage is asked for, OpenAI's events all have the member, and all but one say null. Quotes within texts are escaped. Nobody writes
 * letters of names as escapes, but who does means the same.
 */
function mayTellUsage(data: string): boolean {
  if (ESCAPED_LETTER.test(data)) return true;
  for (let at = data.indexOf(MEMBER); at !== -1; at = data.indexOf(MEMBER, at + MEMBER.length))
    if (!data.startsWith(NULL, at + MEMBER.length)) return true;
  return false;
}
const MEMBER = '"usage"';
const ESCAPED_LETTER = /\\u00[67]/;
const NULL = ':null';

function merged(before: TokenUsage | null, told: TokenUsage): TokenUsage {
  if (before === null) return told;
  return withinWhole({
    inputTokens: told.inputTokens || (before.inputTokens ?? told.inputTokens),
    outputTokens: told.outputTokens || (before.outputTokens ?? told.outputTokens),
    cachedTokens: told.cachedTokens || before.cachedTokens,
    reasoningTokens: told.reasoningTokens || before.reasoningTokens,
    surcharge: told.surcharge || before.surcharge,
    costNano: told.costNano ?? before.costNano,
  });
}

function at(value: unknown, path: MemberPath): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}

/** A whole number that is 0 or more; null for all else. */
export function amountAt(answer: unknown, path: MemberPath | null): number | null {
  const count = path === null ? null : at(answer, path);
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : null;
}
