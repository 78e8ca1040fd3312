/** The port by which coded bodies are read: in pieces, off this thread, with backpressure and bounds. */
import type { ContentCoding } from '../model/content-coding.ts';
import type { BodyOutput } from './body-output.ts';

export interface BodyDecoders {
  /** `bytesMax`: what it may come to. Null when as many are open as may be. */
  decode(
    coding: Exclude<ContentCoding, 'identity'>,
    bytesMax: number,
    output: BodyOutput,
    source: DecoderSource,
  ): BodyDecoding | null;
}

/** The coded body goes in, and false asks to wait for `resume` of its source; output is told in later turns. */
export interface BodyDecoding extends BodyOutput {
  /** The output has room again. */
  onRoom(): void;
  /** Nothing is told any more. */
  stop(): void;
}

export interface DecoderSource {
  /** There is room for more of the coded body. */
  resume(): void;
  /** The last that is heard. `too-large`: it would decode to more than it may. */
  failed(why: 'damaged' | 'too-large'): void;
}
