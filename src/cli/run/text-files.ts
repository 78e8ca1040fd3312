import { readFileSync, statSync } from 'node:fs';
import { chmod, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { SourceText } from '../../diagnostics/source.ts';

export interface TextBounds {
  readonly bytesMax: number;
  /** `marked`: U+FFFD stands where bytes are not UTF-8, for a reader that refuses it and says where. */
  readonly malformed: 'refused' | 'marked';
}

const DECODERS = {
  refused: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  marked: new TextDecoder('utf-8', { ignoreBOM: true }),
} as const;

const DEFAULT_BOUNDS: TextBounds = {
  bytesMax: LIMIT_DEFAULTS.configurationFileBytes,
  malformed: 'refused',
};

/**
 * A configuration file as text; `name` is what messages call it. The error is a sentence. Throws what reading throws.
 * Waits: one small file after the other takes the thread pool ten times as long as the disk.
 */
export function readTextFile(
  file: string,
  name: string,
  bounds: TextBounds = DEFAULT_BOUNDS,
): Result<SourceText, string> {
  const { size } = statSync(file);
  if (size > bounds.bytesMax) return err(tooLarge(name, bounds.bytesMax));
  return decodeText(readFileSync(file), name, bounds.malformed);
}

/** All of a stream, read no further than a file may be large. */
export async function readTextStream(
  stream: AsyncIterable<Buffer>,
  name: string,
): Promise<Result<SourceText, string>> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream) {
    bytes += piece.length;
    if (bytes > DEFAULT_BOUNDS.bytesMax) return err(tooLarge(name, DEFAULT_BOUNDS.bytesMax));
    pieces.push(piece);
  }
  return decodeText(Buffer.concat(pieces), name, DEFAULT_BOUNDS.malformed);
}

/**
 * Replaces the text of a file in one step: whoever reads it meanwhile, or after a crash, sees the old or the new text as a
 * whole. Keeps the file's mode, and the link if it is one. Throws what the file system throws.
 */
export async function replaceTextFile(file: string, text: string): Promise<void> {
  const target = await realpath(file);
  const { mode } = await stat(target);
  const temporary = join(dirname(target), `.portunus-${process.pid}.tmp`);
  // Fails where the file is there already: it is another's then, and stays.
  const handle = await open(temporary, 'wx', 0o600);
  try {
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await chmod(temporary, mode & 0o7777);
    await rename(temporary, target);
  } catch (error) {
    await removed(temporary, error);
    throw error;
  }
}

/** What stays behind is told together with why. */
async function removed(temporary: string, why: unknown): Promise<void> {
  try {
    await unlink(temporary);
  } catch (error) {
    throw new AggregateError([why, error], `${String(why)}; ${temporary} is left over: ${String(error)}`);
  }
}

function decodeText(
  bytes: Uint8Array,
  name: string,
  malformed: TextBounds['malformed'],
): Result<SourceText, string> {
  try {
    return ok(new SourceText(name, DECODERS[malformed].decode(bytes)));
  } catch {
    return err(`${name} is not UTF-8 text. Save it as UTF-8.`);
  }
}

function tooLarge(name: string, bytesMax: number): string {
  return `${name} is larger than ${bytesMax} bytes. Split it.`;
}
