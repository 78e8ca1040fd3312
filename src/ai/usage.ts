/** What an answer says that a call has used. */
import type { UsagePaths } from './operations.ts';
import { parsedJson } from './parsed-json.ts';

export interface Usage {
  /** All tokens of the prompt, cached ones included. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Parts of the above. */
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
}

/** Null where the parsed answer tells none, or not as the dialect does. */
export function usageIn(answer: unknown, paths: UsagePaths): Usage | null {
  const usage = at(answer, paths.at);
  if (typeof usage !== 'object' || usage === null) return null;
  const input = countAt(usage, paths.input);
  const output = countAt(usage, paths.output);
  if (input === null && output === null) return null;
  const beside = paths.besideInput.reduce((sum, name) => sum + (countAt(usage, [name]) ?? 0), 0);
  return {
    inputTokens: (input ?? 0) + beside,
    outputTokens: output ?? 0,
    cachedTokens: (paths.cached === null ? null : countAt(usage, paths.cached)) ?? 0,
    reasoningTokens: (paths.reasoning === null ? null : countAt(usage, paths.reasoning)) ?? 0,
  };
}

/**
 * Usage as it comes in the events of a stream. OpenAI's chat tells it whole in a last event, its responses within the event that ends
 * them; Anthropic tells the input at first and the output, growing, later. So each part is the latest that was told.
 */
export class StreamUsage {
  readonly #paths: UsagePaths;
  #latest: Usage | null = null;

  constructor(paths: UsagePaths) {
    this.#paths = paths;
  }

  get usage(): Usage | null {
    return this.#latest;
  }

  /** `data` of one event. Most tell no usage, and are not parsed; the event where it tells some, else null. */
  event(data: string): unknown {
    if (!mayTellUsage(data)) return null;
    const parsed = parsedJson(data);
    let tells = false;
    for (const path of PLACES) {
      const told = usageIn(at(parsed, path), this.#paths);
      if (told === null) continue;
      this.#latest = merged(this.#latest, told);
      tells = true;
    }
    return tells ? parsed : null;
  }
}

/** The event itself, `response` of OpenAI's, `message` of Anthropic's first one. */
const PLACES: readonly (readonly string[])[] = [[], ['response'], ['message']];

/** Where usage is asked for, OpenAI's events all have the member, and all but one say null. Quotes within texts are escaped. */
function mayTellUsage(data: string): boolean {
  for (let at = data.indexOf(MEMBER); at !== -1; at = data.indexOf(MEMBER, at + MEMBER.length))
    if (!data.startsWith(':null', at + MEMBER.length)) return true;
  return false;
}
const MEMBER = '"usage"';

function merged(before: Usage | null, told: Usage): Usage {
  if (before === null) return told;
  return {
    inputTokens: told.inputTokens || before.inputTokens,
    outputTokens: told.outputTokens || before.outputTokens,
    cachedTokens: told.cachedTokens || before.cachedTokens,
    reasoningTokens: told.reasoningTokens || before.reasoningTokens,
  };
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}

function countAt(usage: object, path: readonly string[]): number | null {
  const count = at(usage, path);
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : null;
}
