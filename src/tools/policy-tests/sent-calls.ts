/** Calls to models as tests send them: read, shaped and left their pools by the code that the gateway runs. */

import { compareCodePoints } from '../../language/order.ts';
import type { CheckedStep, CheckedTest } from '../../language/typed-tests.ts';
import { isJson } from '../../model/media-type.ts';
import { type CallTargets, callTargets, isTargetless, targetRefusal } from '../../pipeline/call-targets.ts';
import type { RequestContext } from '../../pipeline/context.ts';
import type { ModelRequest } from '../../pipeline/model-request.ts';
import { CONTINUE, type Outcome, type Refusal } from '../../pipeline/outcome.ts';
import type { RoutePipeline } from '../../pipeline/program.ts';
import { cappedByRules } from '../../pipeline/rule-caps.ts';
import { UPSTREAM_ERRORS, type UpstreamErrorCode } from '../../pipeline/upstream.ts';
import type { SentRequest, TestCalls } from './ports.ts';

/**
 * A test that says nothing of the body calls the model that it names, else the first whose answer it gives, else the first of all that
 * its route can be asked for.
 */
export function withStandIn<Request extends SentRequest & Pick<CheckedStep, 'model'>>(
  sent: Request,
  models: readonly string[],
  replies: CheckedTest['replies'],
): Request {
  if (sent.body !== '') return sent;
  const sorted = [...models].sort(compareCodePoints);
  const model = sent.model ?? sorted.find((name) => replies.has(name)) ?? sorted[0] ?? '';
  // as long an answer as the test gives
  const answer = replies.get(model)?.usage?.output ?? 1;
  const body = JSON.stringify({ model, max_tokens: Math.max(1, answer), messages: [] });
  const headers = isJson(sent.headers) ? sent.headers : [...sent.headers, 'content-type', 'application/json'];
  return { ...sent, body, headers, bodyBytes: sent.bodyBytes || body.length };
}

/** Masked, with the members that rules set, and an answer no longer than they let it be. Null, or why it can't be. */
export function shapeCall(
  context: RequestContext,
  { maskRequest, requestTransform, outputCap }: RoutePipeline,
  calls: TestCalls,
): Outcome | null {
  const call = context.call!;
  const { bytes } = call.document!;
  const masked = maskRequest === null ? bytes : maskRequest(context, bytes);
  if (!(masked instanceof Uint8Array)) return { kind: 'respond', refusal: { ...NO_RULE, ...masked } };
  const changes = requestTransform === null ? null : requestTransform(context);
  const changed = changes === null ? masked : changes.push(masked, true);
  if (!(changed instanceof Uint8Array)) return { kind: 'respond', refusal: { ...NO_RULE, ...changed } };
  const shaped = changed === bytes ? call : calls.read(changed.slice());
  if ('code' in shaped) return { kind: 'respond', refusal: refusalBy(shaped.code, shaped.sentence) };
  const asked = shaped === call || context.fallen === null ? shaped : calls.as(shaped, call.model.name)!;
  const capped = cappedByRules(calls, asked, outputCap === null ? null : outputCap(context));
  if ('code' in capped) return { kind: 'respond', refusal: refusalBy(capped.code, capped.sentence) };
  context.shapedCall = capped;
  return null;
}

/** The call as the gateway judges it anew where limits have no room for the bytes of its prompt; null: it does not. */
export function countedCall(
  outcome: Outcome,
  { shapedCall: call, isShortOfPrompt }: Pick<RequestContext, 'shapedCall' | 'isShortOfPrompt'>,
  calls: TestCalls,
): ModelRequest | null {
  if (outcome === CONTINUE || outcome.kind === 'wait-for-grant') return null;
  return call?.prompt === 'countable' && isShortOfPrompt ? calls.counted(call) : null;
}

/** In the words of the rules, where they leave a call no pool: whether one is well no test knows. */
export function targetless(context: RequestContext, pipeline: RoutePipeline): Outcome | null {
  const targets = callTargets(context, pipeline, context.shapedCall!);
  if (!isTargetless(targets)) return null;
  const code = 'no_pool_for_model';
  const refusal = targetRefusal(context, pipeline, targets, { code, unprocessed: true });
  return { kind: 'respond', refusal: refusal ?? refusalBy(code) };
}

/** Every pool that rules leave it is down. Null: one of them is not. */
export function unreachable(
  context: RequestContext,
  pipeline: RoutePipeline,
  calls: TestCalls,
  down: ReadonlySet<string>,
): Outcome | null {
  if (poolOf(context, pipeline, calls, down) !== null) return null;
  const code = 'upstream_none_available';
  const targets = callTargets(context, pipeline, context.shapedCall!);
  const refusal = targetRefusal(context, pipeline, targets, { code, unprocessed: true });
  return { kind: 'respond', refusal: refusal ?? refusalBy(code) };
}

/** The first that the call may go to, and that is not down: how much room its keys have no test knows. Null: there is none. */
export function poolOf(
  context: RequestContext,
  pipeline: RoutePipeline,
  calls: TestCalls,
  down: ReadonlySet<string>,
): string | null {
  const call = context.shapedCall!;
  const left = poolsLeft(callTargets(context, pipeline, call), calls.pools(call));
  return left.find((name) => !down.has(name)) ?? null;
}

/** Those that rules leave of `offered`, in the order in which they are tried. */
function poolsLeft({ pools, barred }: CallTargets, offered: readonly string[]): readonly string[] {
  return pools.filter((name) => offered.includes(name) && barred?.pools.has(name) !== true);
}

export function refusalBy(code: UpstreamErrorCode, sentence?: string): Refusal {
  const [status, detail] = UPSTREAM_ERRORS[code];
  return { ...NO_RULE, status, code, detail: sentence ?? detail };
}

/** Of refusals that are the gateway's own. */
export const NO_RULE = { ruleIndex: -1, retryAfterS: -1, rateLimit: '', rateLimitPolicy: '' };
