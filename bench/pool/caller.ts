import {
  type ResponseHead,
  UPSTREAM_ERRORS,
  type UpstreamError,
  type UpstreamHandler,
} from '../../src/pipeline/upstream.ts';
import type { CallOutcome } from './outcome.ts';

/** One who calls a model, and is told once how that ended. */
export class Caller implements UpstreamHandler {
  readonly #nowMs: () => number;
  readonly #ended: (outcome: CallOutcome) => void;
  #status = 0;

  constructor(nowMs: () => number, ended: (outcome: CallOutcome) => void) {
    this.#nowMs = nowMs;
    this.#ended = ended;
  }

  onHead({ status }: ResponseHead, _chunk: Uint8Array, last: boolean): void {
    this.#status = status;
    if (last) this.#end('');
  }

  onData(_chunk: Uint8Array, last: boolean): void {
    if (last) this.#end('');
  }

  onDrain(): void {}

  onError({ code }: UpstreamError): void {
    this.#status = UPSTREAM_ERRORS[code][0];
    this.#end(code);
  }

  #end(code: string): void {
    this.#ended({ status: this.#status, code, endedMs: this.#nowMs() });
  }
}
