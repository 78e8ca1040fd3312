/** The phases that decide, and the loop over variants: whether a request may be sent, is refused, or waits. */
import type { RequestContext } from '../pipeline/context.ts';
import type { Outcome, Refusal, Wait, WaitForGrant } from '../pipeline/outcome.ts';
import { CONTINUE } from '../pipeline/outcome.ts';
import { PHASE } from '../pipeline/phases.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import { type Callers, identify } from './intake.ts';
import type { Problem } from './problem.ts';
import { fromRefusal, overloaded } from './problem.ts';
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
export type Stop =
  | Problem
  | Waiting
  | typeof NEEDS_BODY
  | typeof NEEDS_SIGNED_BODY
  | typeof NEEDS_SHAPING
  | typeof NEEDS_LOOKUP;
export type Waiting = Wait | WaitForGrant | WaitForToken;

/** How far a request has come. */
export interface Progress {
  /** Index into `PHASES`. */
  stage: number;
  variant: number;
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
      const outcome = askRules(progress.stage, context, plan);
      if (outcome !== CONTINUE) {
        const stop = follow(outcome, progress, plan);
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
function follow(outcome: Outcome, progress: Progress, plan: RoutePlan): Problem | Waiting | null {
  switch (outcome.kind) {
    case 'continue':
      progress.stage++;
      return null;
    case 'wait':
    case 'wait-for-grant':
      return outcome;
    case 'next-variant':
      progress.variant++;
      progress.stage = AUTHORISE;
      progress.isLookedUp = false;
      return progress.variant < VARIANTS ? null : ruleProblem(outcome.refusal, plan);
    case 'respond':
    case 'fail':
      return ruleProblem(outcome.refusal, plan);
  }
}

export function ruleProblem(refusal: Refusal, plan: RoutePlan): Problem {
  const isLimit = refusal.rateLimitPolicy !== '' || refusal.status === 429;
  const rule = plan.rules.rule(refusal.ruleIndex);
  return fromRefusal(refusal, isLimit && rule !== null ? rule.shownName : '');
}

const MATCH_RULES = FIRST_STAGE;
const IDENTIFY = PHASE.identify;
const AUTHORISE = PHASE.authorise;
const BODY = PHASE.body;
const ADMIT = PHASE.admit;
/** Request shaping and dispatch are one step: nothing can wait between them. */
const DISPATCH = PHASE['shape-request'];

/** One (the service) today, models and targets later: the loop over them is here from the start. */
const VARIANTS = 1;
