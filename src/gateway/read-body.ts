/** Bodies that are read before anything goes on: calls to models, and what rules ask about. */

import { contentCoding } from '../model/content-coding.ts';
import { formBoundary, isJson, isPlainText } from '../model/media-type.ts';
import type { RequestContext } from '../pipeline/context.ts';
import { fromFault, fromUpstream, type Problem, problem } from './problem.ts';
import type { RoutePlan } from './rule-version.ts';

type ReadingPlan = Pick<RoutePlan, 'program' | 'pipeline' | 'models'>;

/** Null: it can be read. To be asked before any of it is. */
export function unreadableBody(context: RequestContext, plan: ReadingPlan): Problem | null {
  if (!isReadable(context, plan))
    return problem('unsupported_media_type', plan.models?.takesForms ? FORM_WANTED : undefined);
  return contentCoding(context.headers) === null ? problem('unsupported_content_coding') : null;
}

function isReadable({ headers, bodyBytes }: RequestContext, { program, models }: ReadingPlan): boolean {
  if (isJson(headers)) return true;
  if (models !== null) return models.takesForms && formBoundary(headers) !== null;
  // Where nothing but masks asks for the body, it may be plain text, or not be there.
  return program.body === null && (bodyBytes === 0 || isPlainText(headers));
}

/** Leaves on the context what the call is, and what rules read of the body. Null: nothing is wrong with it. */
export function readWholeBody(
  context: RequestContext,
  { pipeline, models }: ReadingPlan,
  text: Uint8Array,
): Problem | null {
  if (models !== null) {
    const call = models.read(text, models.takesForms ? formBoundary(context.headers) : null);
    if ('code' in call) return fromUpstream(call.code, call.sentence, undefined);
    context.call = call;
  }
  const fault = pipeline.readBody!(context, text);
  return fault === null ? null : fromFault(fault);
}

const FORM_WANTED =
  'This route takes forms: send Content-Type: multipart/form-data with its boundary, or JSON in UTF-8.';
