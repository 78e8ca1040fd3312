/** Undoes the content coding of a body, in pieces, off this thread, with backpressure and bounds (node:zlib). */
import zlib from 'node:zlib';
import type { ContentCoding } from '../model/content-coding.ts';
import type { BodyDecoders, BodyDecoding, DecoderSource } from '../pipeline/body-decoding.ts';
import type { BodyOutput } from '../pipeline/body-output.ts';

/** Counts the decoders of a thread: each holds a window of up to 16 MiB (Brotli), whatever little was sent. */
export class Decoders implements BodyDecoders {
  open = 0;
  /** Times that as many were open as may be. */
  refused = 0;
  readonly #openMax: number;

  constructor(openMax: number) {
    this.#openMax = openMax;
  }

  /** Null when as many are open as may be. */
  decode(
    coding: Exclude<ContentCoding, 'identity'>,
    bytesMax: number,
    output: BodyOutput,
    source: DecoderSource,
  ): DecodedBody | null {
    if (this.open >= this.#openMax) {
      this.refused++;
      return null;
    }
    this.open++;
    return new DecodedBody(this, openDecoder(coding), bytesMax, output, source);
  }
}

export class DecodedBody implements BodyDecoding {
  readonly #decoders: Decoders;
  readonly #stream: ReturnType<typeof openDecoder>;
  readonly #output: BodyOutput;
  #bytesLeft: number;
  #stopped = false;

  constructor(
    decoders: Decoders,
    stream: ReturnType<typeof openDecoder>,
    bytesMax: number,
    output: BodyOutput,
    source: DecoderSource,
  ) {
    this.#decoders = decoders;
    this.#stream = stream;
    this.#output = output;
    this.#bytesLeft = bytesMax;
    stream.on('data', (chunk: Buffer) => this.#decoded(chunk, source));
    stream.on('drain', () => {
      if (!this.#stopped) source.resume();
    });
    stream.on('error', () => this.#fail('damaged', source));
    stream.on('end', () => {
      if (this.#stopped) return;
      this.stop();
      output.end();
    });
  }

  write(chunk: Uint8Array): boolean {
    return this.#stopped || this.#stream.write(Buffer.from(chunk));
  }

  end(): void {
    if (!this.#stopped) this.#stream.end();
  }

  /** The output has room again. */
  onRoom(): void {
    if (!this.#stopped) this.#stream.resume();
  }

  /** Nothing is told any more. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#decoders.open--;
    this.#stream.destroy();
  }

  #decoded(chunk: Buffer, source: DecoderSource): void {
    if (this.#stopped) return;
    this.#bytesLeft -= chunk.length;
    if (this.#bytesLeft < 0) this.#fail('too-large', source);
    else if (!this.#output.write(chunk)) this.#stream.pause();
  }

  #fail(why: 'damaged' | 'too-large', source: DecoderSource): void {
    if (this.#stopped) return;
    this.stop();
    source.failed(why);
  }
}

/** `deflate` is the zlib format (RFC 9110, 8.4.1.2): what some send bare is refused as damaged. */
function openDecoder(coding: Exclude<ContentCoding, 'identity'>): zlib.Gunzip | zlib.BrotliDecompress {
  switch (coding) {
    case 'gzip':
      return zlib.createGunzip();
    case 'deflate':
      return zlib.createInflate();
    case 'br':
      return zlib.createBrotliDecompress();
  }
}
