/** A request body that does not go to the service as it comes: it was read for the rules, or a transform changes it. */

import { contentCoding, STALE_REQUEST_FIELDS } from '../model/content-coding.ts';
import type { BodyTransform } from '../pipeline/body-transform.ts';
import type { HeaderEdits, RequestContext } from '../pipeline/context.ts';
import type { RoutePipeline } from '../pipeline/program.ts';
import type { UpstreamCall } from '../pipeline/upstream.ts';
import type { Problem } from './problem.ts';
import { fromFault, problem } from './problem.ts';
import type { RequestBody } from './request-body.ts';
import { transformed } from './transformed-body.ts';

export class OutgoingBody {
  readonly #incoming: RequestBody;
  /** The whole body where it was read, its content coding undone; let go once it has been sent. */
  #text: Uint8Array | null;
  #transform: BodyTransform | null = null;

  constructor(incoming: RequestBody, text: Uint8Array | null) {
    this.#incoming = incoming;
    this.#text = text;
  }

  /** Changes what is held already, and takes back what the fields say of a body that will be another. */
  prepare(
    context: RequestContext,
    { maskRequest, requestTransform }: Pick<RoutePipeline, 'maskRequest' | 'requestTransform'>,
    { removed }: HeaderEdits,
    holdBackBytes: number,
  ): Problem | null {
    const coding = contentCoding(context.headers);
    const text = this.#text;
    if (maskRequest !== null && text !== null) {
      const masked = maskRequest(context, text);
      if (!(masked instanceof Uint8Array)) return fromFault(masked);
      this.#text = masked;
    }
    if (text !== null && (coding !== 'identity' || this.#text !== text))
      removed.push(...STALE_REQUEST_FIELDS);
    const transform = requestTransform === null ? null : requestTransform(context);
    if (transform === null) return null;
    removed.push(...STALE_REQUEST_FIELDS);
    if (coding === null) return problem('unsupported_content_coding');
    this.#transform = transform;
    if (this.#text === null) return null;
    const changed = transformed(transform, this.#text, true, holdBackBytes);
    if (!(changed instanceof Uint8Array)) return fromFault(changed);
    this.#text = changed;
    return null;
  }

  /** -1 where nobody knows yet. */
  bytes({ bodyBytes }: RequestContext): number {
    if (this.#text !== null) return this.#text.length;
    return this.#transform === null ? bodyBytes : -1;
  }

  send({ headers }: RequestContext, call: UpstreamCall): void {
    if (this.#text !== null) {
      call.write(this.#text);
      call.end();
      this.#text = null;
      this.#incoming.stop();
    } else if (this.#transform === null) this.#incoming.sendTo(call);
    else this.#incoming.sendThrough(this.#transform, headers, call);
  }
}
