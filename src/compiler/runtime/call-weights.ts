/** What calls to models weigh in limits of tokens and money. */
import type { CallBounds, EstimatedMeasure } from '../../model/model-call.ts';
import type { Answer } from '../../pipeline/alerts.ts';
import type { RequestContext } from '../../pipeline/context.ts';
import type { ModelRequest } from '../../pipeline/model-request.ts';

/** Larger than every limit: what nothing bounds fits nowhere. */
const BEYOND_ALL = Number.MAX_SAFE_INTEGER;

/** What a call can take at most, as rules have shaped it. */
export function boundOf({ shapedCall }: RequestContext, measure: EstimatedMeasure): number {
  return boundIn(shapedCall!.bounds, measure);
}

export function boundIn(bounds: CallBounds, measure: EstimatedMeasure): number {
  return Math.min(bounds[measure], BEYOND_ALL);
}

/** The same for a limit that is kept: the cap on the answer, which the bound rests on, is sent with the call. */
export function reservedOf(context: RequestContext, measure: EstimatedMeasure): number {
  context.shapedCall!.relyOnCap = true;
  return boundOf(context, measure);
}

/**
 * Whether fewer tokens of its prompt may be all that a call needs to fit: then what is left of its weight without them is less than
 * the room.
 */
export function isShortOfPrompt(
  { shapedCall }: RequestContext,
  measure: EstimatedMeasure | null,
  weight: number,
  room: number,
): boolean {
  if (shapedCall === null || measure === null || !OF_PROMPT.has(measure)) return false;
  if (weight <= room || weight === BEYOND_ALL) return false;
  // what a token of the prompt costs is not known here
  return measure === 'money' || weight - shapedCall.bounds['input-tokens'] < room;
}
const OF_PROMPT: ReadonlySet<EstimatedMeasure> = new Set([
  'tokens',
  'input-tokens',
  'cached-tokens',
  'money',
]);

/** Whether the call goes to another model because the limit of this counter had no room for it. */
export function hasFallen({ fallen }: RequestContext, limit: string): boolean {
  return fallen?.has(limit) === true;
}

/** Undefined where nothing bounds the prompt. */
export function tokensOf({ bounds }: ModelRequest): number | undefined {
  return Number.isFinite(bounds['input-tokens']) ? bounds['input-tokens'] : undefined;
}

/** Undefined where that is not known of both sides. */
export function tokensUsed({ inputTokens, outputTokens }: Answer): number | undefined {
  return inputTokens === undefined || outputTokens === undefined ? undefined : inputTokens + outputTokens;
}

/** Why nothing bounds what a call takes; '' where it is bounded. */
export function unboundedBy(call: ModelRequest | null, measure: EstimatedMeasure | null): string {
  if (call === null || measure === null || Number.isFinite(call.bounds[measure])) return '';
  const { input, output, money } = call.unbounded;
  if (measure === 'money') return money;
  return measure === 'output-tokens' || measure === 'reasoning-tokens' ? output : input || output;
}
