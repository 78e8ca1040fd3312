/** What is to be called: the model and its pools, and what the call may take of their limits. */
import { promptGrowth } from '../ai/call-facts.ts';
import { conversationHash } from '../ai/conversation.ts';
import { formGrowth } from '../ai/form-facts.ts';
import type { Operation } from '../ai/operations.ts';
import { isCounted, promptTexts } from '../ai/prompt-texts.ts';
import type { FormDocument } from '../base/form-data.ts';
import { JsonDocument } from '../base/json/document.ts';
import { type CallFacts, DEARER, UNBOUNDED } from '../model/model-call.ts';
import type { Model } from '../model/pools.ts';
import { TOKENIZERS } from '../model/tokenizers.ts';
import type { CountedPrompt, ModelRequest, NoModelRequest } from '../pipeline/model-request.ts';
import { type CallEstimate, costBoundNano, estimateNano } from './call-cost.ts';
import { namesModels } from './model-members.ts';
import type { ModelPrices, PricesInForce } from './model-prices.ts';
import type { Target } from './model-services.ts';
import { type CallBody, type ReadLimits, readBody } from './received-body.ts';

/** What reading a call needs to know of a pool. */
export type ReadTarget = Pick<Target, 'pool' | 'provider'>;

export interface CallPlan<Of extends ReadTarget = Target> extends ModelRequest {
  readonly operation: Operation;
  readonly targets: readonly Of[];
  readonly prices: PricesInForce;
  /** At the price of its dearest key; what it takes of others `takenOf` says. */
  readonly amounts: CallEstimate;
  /** The most tokens that the prompt has, of what is bounded of it. */
  readonly promptTokens: number;
  /** The most tokens of an answer that anything allows: the caller, the rules, the model. Null: nobody has said. */
  readonly outputCap: number | null;
  /** It has to be in what is sent: a rule has said so, and the caller something else, nothing, or two that differ. */
  readonly isCapped: boolean;
  /** See `conversationHash`; null where no pool asks for it. */
  readonly conversation: number | null;
  /** Ids of the answer and of the conversation that it builds upon: a body may name both, whether its provider takes that or not. */
  readonly buildsUpon: readonly string[];
}

interface BoundModel<Of> {
  readonly model: Model;
  readonly targets: readonly Of[];
  readonly prices: Pick<ModelPrices, 'inForce'>;
}

/** The models of a version as one operation finds them: of each the targets that speak its dialect. */
export type OfferedModels<Of extends ReadTarget> = ReadonlyMap<string, BoundModel<Of>>;

export function offeredModels<Of extends ReadTarget>(
  models: OfferedModels<Of>,
  { dialect }: Operation,
): OfferedModels<Of> {
  return new Map(
    [...models].map(([name, { model, targets, prices }]) => [
      name,
      { model, targets: targets.filter(({ provider }) => provider.dialect === dialect), prices },
    ]),
  );
}

function isForConversations({ pool }: ReadTarget): boolean {
  return pool.sticky !== null;
}

export function planCall<Of extends ReadTarget>(
  body: CallBody,
  operation: Operation,
  models: OfferedModels<Of>,
  limits: ReadLimits,
): CallPlan<Of> | NoModelRequest {
  const read = readBody(body, operation, limits);
  if ('code' in read) return read;
  const { document, facts } = read;
  if (facts.model === null)
    return { code: 'model_required', sentence: 'The request names no model: "model" is missing.' };
  const bound = models.get(facts.model);
  if (bound === undefined)
    return { code: 'model_not_found', sentence: `There is no model "${shown(facts.model)}" here.` };
  const { targets } = bound;
  if (targets.length === 0)
    return {
      code: 'model_not_found',
      sentence: `The model "${shown(facts.model)}" is not offered by this API: its provider speaks another dialect.`,
    };
  if (isForLater(document, operation)) return FOR_LATER;
  const others = namesModels(document, targets, bound.model);
  if (others !== null) return others;
  const { model } = bound;
  const prices = bound.prices.inForce;
  const call = { document, operation, facts, model, prices };
  const promptTokens = promptBound(call);
  const { outputCap, amounts, bounds, unbounded } = boundedBy(
    call,
    byBytes(promptTokens),
    Number.POSITIVE_INFINITY,
  );
  if (leavesNoThought(facts, outputCap)) return noThought(outputCap!);
  return {
    document,
    operation,
    facts,
    model,
    targets,
    prices,
    conversation: conversationIn(document, targets),
    buildsUpon: idsBuiltUpon(document, operation),
    isCapped: facts.capsDiffer,
    promptTokens,
    prompt: mayBeCounted(call, limits) ? 'countable' : 'bytes',
    outputCap,
    amounts,
    bounds,
    unbounded,
    relyOnCap: false,
    use: unused(),
  };
}

function isForLater(document: JsonDocument | FormDocument, { later }: Operation): boolean {
  if (later === null || !(document instanceof JsonDocument)) return false;
  const member = document.member(document.root, later);
  if (member === undefined || document.typeOf(member) === 'null') return false;
  // a provider may take "true" or 1 for true
  return document.typeOf(member) !== 'boolean' || document.boolean(member);
}
const FOR_LATER: NoModelRequest = {
  code: 'background_not_offered',
  sentence:
    '"background" can\'t be true here: the answer would be made and paid for, and nobody could fetch it. Leave it out, and ask for a stream where the answer takes long.',
};

/** Only JSON has one. */
function conversationIn(document: ModelRequest['document'], targets: readonly ReadTarget[]): number | null {
  if (!(document instanceof JsonDocument) || !targets.some(isForConversations)) return null;
  return conversationHash(document);
}

/** What is read of a call before anything is worked out for its model. */
type ReadCall = Pick<CallPlan, 'document' | 'operation' | 'facts' | 'model' | 'prices'>;

/** What holds things whose tokens nobody knows is not counted, nor what would take too long. */
function mayBeCounted(
  { document, operation, facts, model }: Omit<ReadCall, 'prices'>,
  { countedPromptBytes }: Pick<ReadLimits, 'countedPromptBytes'>,
): boolean {
  return (
    model.tokenizer !== null &&
    facts.unbounded === null &&
    facts.images === 0 &&
    !facts.hasTools &&
    document instanceof JsonDocument &&
    document.bytes.length <= countedPromptBytes &&
    isCounted(operation)
  );
}

function idsBuiltUpon(document: JsonDocument | FormDocument, { buildsUpon }: Operation): readonly string[] {
  if (buildsUpon.length === 0 || !(document instanceof JsonDocument)) return NO_IDS;
  let ids: string[] | null = null;
  for (const name of buildsUpon) {
    const member = document.member(document.root, name);
    if (member === undefined) continue;
    // a conversation may be written as an object, too
    const node = document.typeOf(member) === 'object' ? document.member(member, 'id') : member;
    if (node === undefined || document.typeOf(node) !== 'string') continue;
    const id = document.text(node);
    // an empty text names nothing that could be somebody's
    if (id === '') continue;
    if (ids === null) ids = [id];
    else ids.push(id);
  }
  return ids ?? NO_IDS;
}
const NO_IDS: readonly string[] = [];

/** The same call to another model; null where the operation can't be asked of that, or its answers have no room for what is to be thought. */
export function planAs<Of extends ReadTarget>(
  { document, operation, facts, conversation, buildsUpon }: CallPlan<Of>,
  name: string,
  models: OfferedModels<Of>,
  limits: Pick<ReadLimits, 'countedPromptBytes'>,
): CallPlan<Of> | null {
  const bound = models.get(name);
  if (bound === undefined || bound.targets.length === 0) return null;
  const { targets } = bound;
  if (namesModels(document, targets, bound.model) !== null) return null;
  const call = { document, operation, facts, model: bound.model, prices: bound.prices.inForce };
  const promptTokens = promptBound(call);
  const bounded = boundedBy(call, byBytes(promptTokens), Number.POSITIVE_INFINITY);
  if (leavesNoThought(facts, bounded.outputCap)) return null;
  return {
    ...call,
    targets,
    promptTokens,
    prompt: mayBeCounted(call, limits) ? 'countable' : 'bytes',
    conversation: conversation ?? conversationIn(document, targets),
    buildsUpon,
    // the caller's own bound is one of the model that it asked for, and this one may have less
    isCapped: facts.capsDiffer || (bounded.outputCap !== null && bounded.outputCap < (facts.outputCap ?? 0)),
    ...bounded,
    relyOnCap: false,
    use: unused(),
  };
}

/** The same call with an answer of no more tokens than that; or why it can't have one. */
export function cappedPlan<Of extends ReadTarget>(
  plan: CallPlan<Of>,
  outputTokens: number,
): CallPlan<Of> | NoModelRequest {
  const { promptTokens: most, amounts } = plan;
  const prompt = { most, counted: amounts.countedTokens };
  const bounded = boundedBy(plan, prompt, outputTokens);
  if (leavesNoThought(plan.facts, bounded.outputCap)) return noThought(bounded.outputCap!);
  return { ...plan, isCapped: true, ...bounded, use: unused() };
}

/** Whether a cap that is below the caller's own, and may be sent, is below what thinking takes at least. */
function leavesNoThought({ thinkingTokens, outputCap: own }: CallFacts, outputCap: number | null): boolean {
  if (thinkingTokens === null || outputCap === null || outputCap > THINKING_TOKENS_LEAST) return false;
  return outputCap < (own ?? Number.POSITIVE_INFINITY) && thinkingTokens >= outputCap;
}

function noThought(outputCap: number): NoModelRequest {
  return {
    code: 'model_request_malformed',
    sentence: `"thinking.budget_tokens" is at least ${THINKING_TOKENS_LEAST}, and less than an answer may have, which rules and the model let be ${outputCap}.`,
  };
}

/** Anthropic, "Extended thinking": the least, of which an answer has more. */
export const THINKING_TOKENS_LEAST = 1_024;

/** What its tokenizer is to count of it; null where that is not known. */
export function promptOf({ document, operation, model }: CallPlan<ReadTarget>): CountedPrompt | null {
  if (model.tokenizer === null || !(document instanceof JsonDocument)) return null;
  const found = promptTexts(document, operation);
  return found === null ? null : { encoding: TOKENIZERS[model.tokenizer].encoding, ...found };
}

/** The same call, whose prompt has no more tokens than that. */
export function countedPlan<Of extends ReadTarget>(plan: CallPlan<Of>, tokens: number): CallPlan<Of> {
  const { templateTokens } = TOKENIZERS[plan.model.tokenizer!];
  const promptTokens = Math.min(tokens + templateTokens, plan.promptTokens);
  const prompt = { most: promptTokens, counted: promptTokens };
  const bounded = boundedBy(plan, prompt, plan.outputCap ?? Number.POSITIVE_INFINITY);
  return { ...plan, promptTokens, prompt: 'counted', ...bounded, use: unused() };
}

/** Tokens of a prompt: the most that it has, and those that were counted; null: its bytes alone are known. */
interface PromptTokens {
  readonly most: number;
  readonly counted: number | null;
}

function byBytes(most: number): PromptTokens {
  return { most, counted: null };
}

type Bounded = Pick<CallPlan, 'outputCap' | 'amounts' | 'bounds' | 'unbounded'>;

function boundedBy(call: Omit<ReadCall, 'document'>, prompt: PromptTokens, outputTokens: number): Bounded {
  const { facts, operation, model } = call;
  const ofModel = model.outputTokensMax ?? Number.POSITIVE_INFINITY;
  const least =
    operation.answer === 'capped'
      ? Math.min(facts.outputCap ?? Number.POSITIVE_INFINITY, ofModel, outputTokens)
      : ofModel;
  const outputCap = Number.isFinite(least) ? least : null;
  // of what no member of the request caps only the project knows how much it can be
  const most = operation.answer === 'capped' ? (model.answerTokensMost ?? least) : least;
  const { bounds, unbounded } = boundsOf(call, prompt.most, Math.min(least, most));
  return { outputCap, amounts: amountsOf(call, outputCap, prompt.counted), bounds, unbounded };
}

/** By the bytes of the prompt, unless it was counted: what prompts have of them is learned by lane. */
function amountsOf(
  { facts, operation, prices }: Omit<ReadCall, 'document'>,
  outputCap: number | null,
  countedTokens: number | null,
): CallEstimate {
  // what no caller says is mostly not told either
  const cap = outputCap ?? (operation.answer === 'capped' ? OUTPUT_TOKENS_UNTOLD : 0);
  const inputTokens = facts.promptBytes;
  const outputTokens = operation.answer === 'none' ? 0 : Math.min(TOKENS_MAX, cap * facts.choices);
  const requests = timesPaid(facts, operation);
  return {
    inputTokens,
    outputTokens,
    countedTokens,
    costNano: estimateNano(prices.dearest, countedTokens ?? inputTokens, outputTokens, requests),
    requests,
    prices: prices.each,
  };
}

/** The same for limits of policies, which rely on it: nothing is guessed. */
function boundsOf(
  { facts, operation, model, prices }: Omit<ReadCall, 'document'>,
  promptTokens: number,
  cap: number,
): Pick<CallPlan, 'bounds' | 'unbounded'> {
  const price = prices.dearest;
  const beyond = facts.unbounded ?? (model.searches ? 'model_that_searches' : null);
  const input = beyond === null ? promptTokens : Number.POSITIVE_INFINITY;
  const output = operation.answer === 'none' ? 0 : cap * facts.choices;
  const atPrice = costBoundNano(
    price,
    { inputTokens: input, outputTokens: output, cache: facts.writesCache ? 'writes' : 'reads' },
    timesPaid(facts, operation),
  );
  const dearerWhy = facts.dearer === null ? '' : DEARER[facts.dearer];
  // what costs nothing has nothing dearer
  const money = dearerWhy === '' || atPrice === 0 ? atPrice : Number.POSITIVE_INFINITY;
  const inputWhy = beyond === null ? '' : UNBOUNDED[beyond];
  const outputWhy = Number.isFinite(output) ? '' : unboundedAnswer(operation, model);
  const unpriced = price === null ? `the price of model "${model.name}", which is not known` : '';
  return {
    bounds: {
      tokens: input + output,
      'input-tokens': input,
      'output-tokens': output,
      'cached-tokens': input,
      'reasoning-tokens': output,
      money,
    },
    unbounded: {
      input: inputWhy,
      output: outputWhy,
      money: Number.isFinite(money) ? '' : unpriced || dearerWhy || inputWhy || outputWhy,
    },
  };
}

/** With what its caller can do. */
function unboundedAnswer({ outputCaps }: Operation, { name }: Model): string {
  const member = outputCaps.at(-1);
  const remedy = member === undefined ? '' : ` (send ${member})`;
  return `an answer that neither the request nor the model "${name}" bounds${remedy}`;
}

/** How often the price for a request is paid: for each picture or search, and once for all choices of a text. */
export function timesPaid({ choices }: CallFacts, { answer, documents }: Operation): number {
  return answer === 'uncapped' || documents !== null ? choices : 1;
}

/**
 * No tokenizer makes more tokens of a text than it has bytes once it is normalised, and what templates write around texts is less than
 * the JSON around them.
 */
function promptBound({ document, operation, facts, model }: Omit<ReadCall, 'prices'>): number {
  const { promptBytes, images, hasTools } = facts;
  const ofTokenizer =
    model.tokenizer === null ? growthOf(document, operation) : TOKENIZERS[model.tokenizer].templateTokens;
  const ofTools = hasTools ? operation.toolsTokensMax : 0;
  return promptBytes + ofTokenizer + images * operation.imageTokensMax + ofTools;
}

function growthOf(document: ModelRequest['document'], operation: Operation): number {
  if (document === null) return 0;
  return document instanceof JsonDocument ? promptGrowth(document, operation) : formGrowth(document);
}

function unused(): CallPlan['use'] {
  return {
    pool: '',
    key: '',
    charged: 'nothing',
    isWhole: false,
    brokenOff: '',
    usage: null,
    doubt: '',
    costNano: null,
  };
}

function shown(name: string): string {
  return name.length <= SHOWN_MAX ? name : `${name.slice(0, SHOWN_MAX)}…`;
}

/** More than any answer has. */
const TOKENS_MAX = 1_000_000_000;
const SHOWN_MAX = 100;
/** Where neither the caller nor the description of the model bounds an answer. */
const OUTPUT_TOKENS_UNTOLD = 4_096;
