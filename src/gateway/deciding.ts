/** The phases that decide: whether a request may be sent, is refused, or waits. */
import type { RequestContext } from '../pipeline/context.ts';
import type { Outcome, Refusal, Wait, WaitForGrant } from '../pipeline/outcome.ts';
import { CONTINUE } from '../pipeline/outcome.ts';
import { PHASE } from '../pipeline/phases.ts';
import { Variants } from '../pipeline/variants.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import { type Callers, identify } from './intake.ts';
import type { Problem } from './problem.ts';
import { fromRefusal, overloaded } from './problem.ts';
import type { WaitForCount } from './prompt-counts.ts';
import type { RoutePlan } from './rule-version.ts';
import type { WaitForToken } from './token-identities.ts';

/** The rules that come next read the body, which has not been read. */
export const NEEDS_BODY = 'needs-body';
/** What comes next needs the body to be the one that was signed, and it has not been read. */
export const NEEDS_SIGNED_BODY = 'needs-signed-body';
/** The call to a model is to be shaped: limits count what is sent (language-rules #2). */
export const NEEDS_SHAPING = 'needs-shaping';
/** Rules let answers be kept: there may be one. */
export const NEEDS_LOOKUP = 'needs-lookup';
/** The call to a model can't be had as it is: with the next model that limits name. */
export const NEEDS_VARIANT = 'needs-variant';
/** There is no room for as many tokens as the prompt has bytes, and it can be counted. */
export const NEEDS_COUNT = 'needs-count';
export type Stop =
  | Problem
  | Waiting
  | typeof NEEDS_BODY
  | typeof NEEDS_SIGNED_BODY
  | typeof NEEDS_SHAPING
  | typeof NEEDS_LOOKUP
  | typeof NEEDS_VARIANT
  | typeof NEEDS_COUNT;
export type Waiting = Wait | WaitForGrant | WaitForToken | WaitForCount;

/** How far a request has come. */
export interface Progress {
  /** Index into `PHASES`. */
  stage: number;
  /** Null where it is no call to a model, or has not been read. */
  variants: Variants | null;
  /** An answer was looked for, for this try. */
  isLookedUp: boolean;
}

export const FIRST_STAGE = PHASE.match;

/** Null when the request may be sent. Fills no field of the context but the results. */
export function decide(
  progress: Progress,
  context: RequestContext,
  plan: RoutePlan,
  thread: Callers & Pick<ExchangeThread, 'facts' | 'inFlight' | 'overload'>,
): Stop | null {
  while (progress.stage !== DISPATCH) {
    if (progress.stage === IDENTIFY) {
      const refused = identify(context, plan, thread.facts, thread);
      if (refused !== null) return refused;
      if (thread.inFlight > thread.overload.calmUpTo) {
        const priority = plan.program.route.priority ?? context.identity?.tenant.priority ?? 'normal';
        if (thread.overload.sheds(priority, thread.inFlight)) return overloaded();
      }
    } else if (progress.stage === BODY && context.signed !== null && context.signed.isSigned !== null) {
      return NEEDS_SIGNED_BODY;
    } else if (progress.stage === BODY && plan.pipeline.readBody !== null && context.body === null) {
      return NEEDS_BODY;
    } else if (progress.stage === ADMIT && context.call !== null && context.shapedCall === null) {
      return NEEDS_SHAPING;
    } else if (progress.stage === ADMIT && !progress.isLookedUp && plan.pipeline.cacheForMs !== null) {
      return NEEDS_LOOKUP;
    } else {
      if (progress.stage === BODY && context.call !== null) progress.variants ??= new Variants(context);
      const outcome = askRules(progress.stage, context, plan);
      if (outcome !== CONTINUE) {
        const stop = follow(outcome, progress, context, plan);
        if (stop !== null) return stop;
        continue;
      }
    }
    progress.stage++;
  }
  return null;
}

function askRules(stage: number, context: RequestContext, plan: RoutePlan): Outcome {
  const { pipeline } = plan;
  if (stage === MATCH_RULES) return pipeline.match(context);
  if (stage === AUTHORISE) return pipeline.authorise(context);
  if (stage === BODY) return pipeline.judgeBody(context);
  return pipeline.admit(context);
}

/** Null when the phases go on at once, at the stage that is left in `progress`. */
function follow(outcome: Outcome, progress: Progress, context: RequestContext, plan: RoutePlan): Stop | null {
  if (isForTheTimeBeing(outcome, progress, context)) return NEEDS_COUNT;
  switch (outcome.kind) {
    case 'continue':
      progress.stage++;
      return null;
    case 'wait-for-grant':
      return outcome;
    case 'next-variant':
      progress.variants!.offer(outcome, context);
      return NEEDS_VARIANT;
    case 'wait':
      return progress.variants?.areTried ? NEEDS_VARIANT : outcome;
    case 'respond':
    case 'fail':
      return progress.variants?.areTried ? NEEDS_VARIANT : ruleProblem(outcome.refusal, plan);
  }
}

/** Limits that have no room for the bytes of a prompt may have it for its tokens. */
function isForTheTimeBeing({ kind }: Outcome, { stage }: Progress, { shapedCall }: RequestContext): boolean {
  return (
    stage === ADMIT && shapedCall?.prompt === 'countable' && kind !== 'continue' && kind !== 'wait-for-grant'
  );
}

export function ruleProblem(refusal: Refusal, plan: RoutePlan): Problem {
  const isLimit = refusal.rateLimitPolicy !== '' || refusal.status === 429;
  const rule = plan.rules.rule(refusal.ruleIndex);
  return fromRefusal(refusal, isLimit && rule !== null ? rule.shownName : '');
}

const MATCH_RULES = FIRST_STAGE;
const IDENTIFY = PHASE.identify;
const AUTHORISE = PHASE.authorise;
export const BODY = PHASE.body;
const ADMIT = PHASE.admit;
/** Request shaping and dispatch are one step: nothing can wait between them. */
const DISPATCH = PHASE['shape-request'];
