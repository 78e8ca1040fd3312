/** What is sent to the service: the client's request as the rules and the route have shaped it. */

import { STALE_REQUEST_FIELDS, UNTRANSFORMABLE_ASKS } from '../model/content-coding.ts';
import type { HeaderEdits, RequestContext } from '../pipeline/context.ts';
import type { UpstreamRequest } from '../pipeline/upstream.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import type { Problem } from './problem.ts';
import { problem } from './problem.ts';
import { isRepeatable, type RoutePlan } from './rule-version.ts';

/** Where rules or prices read the answer, it has to come without content coding; a call to a model is made of the text of its body. */
export function askReadableAnswer(
  { program, pipeline, models }: RoutePlan,
  { removed, set }: HeaderEdits,
): void {
  if (models !== null) removed.push(...STALE_REQUEST_FIELDS);
  if (models !== null || pipeline.responseTransform !== null) removed.push(...UNTRANSFORMABLE_ASKS);
  else if (program.route.cost?.told?.kind === 'body') removed.push('accept-encoding');
  else return;
  set.push('accept-encoding', 'identity');
}

/** The thread's edits hold what rules set and remove; `bodyBytes` as in the request, -1 where nobody knows yet. */
export function outgoingRequest(
  context: RequestContext,
  plan: RoutePlan,
  thread: ExchangeThread,
  path: string,
  idLines: string,
  bodyBytes: number,
): UpstreamRequest | Problem {
  const { route } = plan.program;
  const { scheme } = thread;
  // Who the caller is, is nothing that a provider learns: and the address need not be asked for.
  const forwardedFields = route.ai === null ? thread.forwardedFields : 'withheld';
  const isTold = forwardedFields === 'x-forwarded' || forwardedFields === 'forwarded';
  const fieldLines = thread.requestFieldLines.of(context.headers, thread.facts, thread.requestEdits, {
    forwardedFields,
    scheme,
    ip: isTold ? context.ip : '',
    // A provider gets a key of the gateway's, never the caller's own.
    keys: route.auth === 'none' && route.ai === null ? 'passed' : 'consumed',
    signatures: route.auth !== 'none' && route.identify.signatures ? 'consumed' : 'passed',
  });
  if (fieldLines === null)
    return problem('malformed_field', 'A rule sets a field to a value with a control character.');
  const { connectMs, firstByteMs, idleMs } = plan.timeouts;
  return {
    method: context.method,
    target: context.query === '' ? path : `${path}?${context.query}`,
    fieldLines,
    idLines,
    host: null,
    bodyBytes,
    repeatable: isRepeatable(context.method, route),
    connectMs,
    firstByteMs,
    idleMs,
    tenant: context.identity === null ? null : context.identity.tenant.keyHash,
    share: context.identity?.tenant.share ?? 1,
    priority: route.priority ?? context.identity?.tenant.priority ?? 'normal',
  };
}
