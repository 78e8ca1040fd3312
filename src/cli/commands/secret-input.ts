import { isUtf8 } from 'node:buffer';
import { err, ok, type Result } from '../../base/result.ts';

const BYTES_MAX = 4_096;

/** A secret from a stream: never from an argument, which others see. A line break at its end is the editor's. The error is a sentence. */
export async function readSecretInput(
  stream: AsyncIterable<Buffer | string> & { readonly isTTY?: boolean },
): Promise<Result<string, string>> {
  if (stream.isTTY === true)
    return err('The secret is read from the standard input: end with "< FILE", or pipe it in.');
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream) {
    const chunk = Buffer.from(piece);
    bytes += chunk.length;
    // Two more for the line break.
    if (bytes > BYTES_MAX + 2) return err(`A secret has at most ${BYTES_MAX} bytes.`);
    pieces.push(chunk);
  }
  const read = Buffer.concat(pieces);
  // Decoded, anything else would be another secret.
  if (!isUtf8(read))
    return err(
      'A secret is text (UTF-8), and this is not: give it as base64 or hex, if who reads it takes that.',
    );
  const text = read.toString('utf8').replace(/\r?\n$/, '');
  if (text === '') return err('The standard input is empty: the secret is read from there.');
  if (Buffer.byteLength(text) > BYTES_MAX) return err(`A secret has at most ${BYTES_MAX} bytes.`);
  return ok(text);
}
