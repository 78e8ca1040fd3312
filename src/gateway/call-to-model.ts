/** What an exchange does with its call to a model: shapes it for each try, says where it may go, sends it, and says why it failed. */
import { type CallTargets, callTargets, isTargetless, targetRefusal } from '../pipeline/call-targets.ts';
import type { RequestContext } from '../pipeline/context.ts';
import type { SentModelCall } from '../pipeline/model-request.ts';
import type { UpstreamError, UpstreamHandler, UpstreamRequest } from '../pipeline/upstream.ts';
import { CountedPrompts } from './counted-prompts.ts';
import { ruleProblem } from './deciding.ts';
import { fromUpstream, type Problem } from './problem.ts';
import type { PromptCounts } from './prompt-counts.ts';
import type { RoutePlan } from './rule-version.ts';
import { type ShapedCall, shapedCall } from './shaped-call.ts';

/** Of an error, what its answer is made of. */
export type CallFailure = Omit<UpstreamError, 'detail' | 'endpoint' | 'attempts' | 'refusedStatus'>;

/** Made when the call is shaped first. */
export class CallToModel {
  readonly #plan: RoutePlan;
  /** Of the last try; null before there was one. */
  targets: CallTargets | null = null;
  /** Of the last try as it was asked for. */
  #shaped: ShapedCall | null = null;
  /** Null: no prompt was to be counted. */
  #counted: CountedPrompts | null = null;
  #sent: SentModelCall | null = null;

  /** `plan`: of a route to models. */
  constructor(plan: RoutePlan) {
    this.#plan = plan;
  }

  /**
   * Leaves on the context what is sent: before anything is taken from limits, as they count that. `as`: whether it is the call as it was
   * asked for, or to another model, that is tried.
   */
  shape(context: RequestContext, as: 'asked' | 'other', bodyHoldBackBytes: number): Problem | null {
    const { pipeline, models } = this.#plan;
    const last = as === 'other' ? null : this.#shaped;
    const shaped = shapedCall(context, pipeline, models!, bodyHoldBackBytes, last);
    if ('code' in shaped) return shaped;
    const call = this.#counted === null ? shaped.call : this.#counted.bound(shaped.call, models!);
    // what may have to wait is the call as it was asked for
    if (as === 'asked') this.#shaped = call === shaped.call ? shaped : { ...shaped, call };
    context.shapedCall = call;
    this.targets = callTargets(context, pipeline, call);
    return isTargetless(this.targets) ? this.problem(context, NO_POOL) : null;
  }

  /** Counts the prompt, where fewer tokens than it has bytes may fit; null: its bytes stay what bounds it. */
  count(context: RequestContext, counts: Pick<PromptCounts, 'count'>): Promise<number | null> | null {
    const call = context.shapedCall!;
    let tokens: Promise<number | null> | null = null;
    if (context.isShortOfPrompt) {
      this.#counted ??= new CountedPrompts();
      tokens = this.#counted.ask(call, this.#plan.models!, counts);
    }
    if (tokens === null) call.prompt = 'bytes';
    return tokens;
  }

  /** As it was shaped last. */
  send(context: RequestContext, request: UpstreamRequest, handler: UpstreamHandler): SentModelCall {
    const { models, pipeline } = this.#plan;
    // those of rules that are counted by the key or target that is yet to be chosen
    const limits = pipeline.targetLimits === null ? null : pipeline.targetLimits(context);
    this.#sent = models!.send(context.shapedCall!, this.targets!.choice, request, handler, limits);
    return this.#sent;
  }

  /** It was sent, and no provider has it now: what it is told is that it may come again. */
  get isWaiting(): boolean {
    return this.#sent?.isWaiting === true;
  }

  /** A stream of a model has words for why it ends: false where there is none to end. */
  breakOff(why: Problem): boolean {
    return this.#sent?.breakOff(why.code, why.detail) === true;
  }

  /** Its answer has begun: it is not sent again, and streams last long. */
  forgetBody(context: RequestContext): void {
    context.call!.document = null;
    if (context.shapedCall !== null) context.shapedCall.document = null;
    this.#counted = null;
  }

  /** In the words of a rule where that had no room for the call, or left out the pools that could have taken it. */
  problem(context: RequestContext, error: CallFailure): Problem {
    const { pipeline } = this.#plan;
    const refusal =
      error.refusal ?? (this.targets === null ? null : targetRefusal(context, pipeline, this.targets, error));
    return refusal === null
      ? fromUpstream(error.code, error.sentence, error.retryAfterS)
      : ruleProblem(refusal, this.#plan);
  }
}

const NO_POOL = { code: 'no_pool_for_model', unprocessed: true } as const;
