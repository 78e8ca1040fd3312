/**
 * What leaves of a caller's body: every byte as it came, but for the name of the model, the bound of its answer, and the wish for usage
 * at the end of a stream.
 */
import type { Operation } from '../ai/operations.ts';
import { FormDocument } from '../base/form-data.ts';
import type { JsonDocument, JsonNode } from '../base/json/document.ts';
import {
  editJson,
  type JsonEdit,
  removeMember,
  replaceMember,
  setMember,
  setMembers,
} from '../base/json/edit.ts';
import type { Provider } from '../model/pools.ts';
import { type CallPlan, type ReadTarget, THINKING_TOKENS_LEAST } from './call-plan.ts';

/** The body of a call as a provider gets it. */
export function bodyFor(plan: SentPlan, provider: Provider): Uint8Array {
  const { document, operation, facts, model, isCapped, relyOnCap, outputCap } = plan;
  return outgoingBody(document!, operation, {
    model: model.upstreamName === facts.model ? null : model.upstreamName,
    outputCap: isCapped || relyOnCap ? outputCap : null,
    capMember: capMember(operation, provider),
    thinkingTokens: loweredThinking(plan),
    asksForUsage: asksForUsage(plan, provider),
  });
}

type SentPlan = Pick<
  CallPlan<ReadTarget>,
  'document' | 'operation' | 'facts' | 'model' | 'isCapped' | 'relyOnCap' | 'outputCap'
>;

/**
 * As small a share of a lower cap as it was of the caller's own, since a provider refuses what would leave an answer no room. Null: it
 * fits as it is.
 */
function loweredThinking({ facts, isCapped, relyOnCap, outputCap }: SentPlan): number | null {
  const { thinkingTokens } = facts;
  if (!(isCapped || relyOnCap) || thinkingTokens === null || outputCap === null) return null;
  const own = facts.outputCap ?? Number.POSITIVE_INFINITY;
  if (outputCap >= own || thinkingTokens < outputCap) return null;
  const share = Math.floor((outputCap * thinkingTokens) / own);
  return Math.max(THINKING_TOKENS_LEAST, Math.min(share, outputCap - 1));
}

/** Whether the gateway asks for what the caller has not asked for: the usage at the end of a stream. */
export function asksForUsage(
  { operation, facts }: Pick<SentPlan, 'operation' | 'facts'>,
  { streamUsage }: Provider,
): boolean {
  return streamUsage === 'asked' && asksByOption(operation) && facts.streams && !facts.asksForUsage;
}

/** Of OpenAI's two names for it, providers that speak its dialect may know but one. */
function capMember({ outputCaps }: Operation, { outputCapMember }: Provider): string | null {
  return outputCaps.includes(outputCapMember) ? outputCapMember : (outputCaps[0] ?? null);
}

/** The others tell their usage in streams without being asked, or have no such member. */
function asksByOption({ dialect, path }: Operation): boolean {
  return dialect === 'openai' && (path === '/chat/completions' || path === '/completions');
}

interface BodyChanges {
  /** Null: as the caller wrote it. */
  readonly model: string | null;
  /** Null: as the caller wrote it. */
  readonly outputCap: number | null;
  /** The member that the provider knows it by; null: the operation has none. */
  readonly capMember: string | null;
  /** Null: as the caller wrote it. */
  readonly thinkingTokens: number | null;
  readonly asksForUsage: boolean;
}

function outgoingBody(
  document: JsonDocument | FormDocument,
  { outputCaps, thinking }: Pick<Operation, 'outputCaps' | 'thinking'>,
  { model, outputCap, capMember, thinkingTokens, asksForUsage }: BodyChanges,
): Uint8Array {
  if (document instanceof FormDocument) return outgoingForm(document, model);
  const members: Record<string, string> = {};
  const edits: JsonEdit[] = [];
  if (model !== null) members.model = JSON.stringify(model);
  if (outputCap !== null && capMember !== null) {
    const own = document.member(document.root, capMember);
    // a provider that knows both refuses both at once, and one that knows but this one would not be bound by the other
    const other = memberOf(document, outputCaps, capMember);
    if (other !== null && own === undefined)
      edits.push(replaceMember(document, other, capMember, String(outputCap)));
    else if (other !== null) edits.push(removeMember(document, document.root, other));
    const isSaid = own === undefined ? other !== null : says(document, own, outputCap);
    if (!isSaid) members[capMember] = String(outputCap);
  }
  if (thinkingTokens !== null) {
    const asked = document.member(document.root, thinking![0])!;
    edits.push(setMember(document, asked, thinking![1], String(thinkingTokens)));
  }
  if (asksForUsage) {
    const options = document.member(document.root, 'stream_options');
    if (options === undefined || document.typeOf(options) !== 'object')
      members.stream_options = '{"include_usage":true}';
    else edits.push(setMember(document, options, 'include_usage', 'true'));
  }
  for (const edit of setMembers(document, document.root, members)) edits.push(edit);
  return edits.length === 0 ? document.bytes : editJson(document.bytes, edits);
}

/** Forms have neither a bound of their answer nor a wish for usage. */
function outgoingForm(form: FormDocument, model: string | null): Uint8Array {
  const [part] = form.named('model');
  return model === null || part === undefined
    ? form.bytes
    : form.withContent(part, new TextEncoder().encode(model));
}

function says(document: JsonDocument, node: JsonNode, count: number): boolean {
  return document.typeOf(node) === 'number' && document.number(node) === count;
}

/** The first member of one of these names, but for one. */
function memberOf(document: JsonDocument, names: readonly string[], but: string): JsonNode | null {
  for (let member = document.first(document.root); member !== undefined; member = document.next(member))
    for (const name of names) if (name !== but && document.isText(member, name)) return member;
  return null;
}
