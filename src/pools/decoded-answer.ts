/** An answer that its provider has coded though it was asked for it plain: what passes on, and what is read of it, is decoded. */
import { type ContentCoding, STALE_RESPONSE_FIELDS } from '../model/content-coding.ts';
import type { BodyDecoders, BodyDecoding } from '../pipeline/body-decoding.ts';
import type { ResponseHead, UpstreamCall } from '../pipeline/upstream.ts';

/** What is told of it, in later turns. */
export interface DecodedAnswerHost {
  onDecoded(chunk: Uint8Array, last: boolean): void;
  /** The last that is heard. */
  onUndecodable(why: 'damaged' | 'too-large'): void;
}

export class DecodedAnswer {
  readonly #call: UpstreamCall;
  readonly #decoding: BodyDecoding;
  #isPaused = false;
  /** All of the coded answer has come: there is no call any more to pause. */
  #hasCome = false;

  private constructor(call: UpstreamCall, decoding: BodyDecoding) {
    this.#call = call;
    this.#decoding = decoding;
  }

  /** Null when as many are being decoded as may be. */
  static of(
    coding: Exclude<ContentCoding, 'identity'>,
    call: UpstreamCall,
    host: DecodedAnswerHost,
    decoders: BodyDecoders,
    bytesMax: number,
  ): DecodedAnswer | null {
    let answer: DecodedAnswer | null = null;
    const decoding = decoders.decode(
      coding,
      bytesMax,
      {
        write(chunk) {
          host.onDecoded(chunk, false);
          return answer?.isPaused !== true;
        },
        end() {
          answer!.onEnd();
          host.onDecoded(NOTHING, true);
        },
      },
      {
        resume: () => answer?.onRoom(),
        failed: (why) => host.onUndecodable(why),
      },
    );
    if (decoding === null) return null;
    answer = new DecodedAnswer(call, decoding);
    return answer;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** A piece as it came; copied before it returns. */
  push(chunk: Uint8Array, last: boolean): void {
    this.#hasCome = last;
    const hasRoom = chunk.length === 0 || this.#decoding.write(chunk);
    if (last) this.#decoding.end();
    else if (!hasRoom) this.#call.pause();
  }

  /** What is coded may end before its provider has ended it, with bytes after its end: whoever reads it hears nothing of them. */
  onEnd(): void {
    if (!this.#hasCome) this.#call.abort();
  }

  onRoom(): void {
    if (!this.#hasCome) this.#call.resume();
  }

  /** Who reads it has no room; has some again. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#decoding.onRoom();
  }

  stop(): void {
    this.#decoding.stop();
  }
}

/** The head of what comes out. */
export function decodedHead(head: ResponseHead): ResponseHead {
  const fields = head.fields.filter(
    (_, index, all) => !STALE.has(all[index - (index % 2)]!) && all[index - (index % 2)] !== 'content-length',
  );
  return { ...head, fields, bodyBytes: -1 };
}

const STALE: ReadonlySet<string> = new Set(STALE_RESPONSE_FIELDS);
const NOTHING = new Uint8Array(0);
