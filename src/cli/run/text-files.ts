import { readFileSync, statSync } from 'node:fs';
import { chmod, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { SourceText } from '../../diagnostics/source.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A configuration file as text; `name` is what messages call it. The error is a sentence. Throws what reading throws.
 * Waits: one small file after the other takes the thread pool ten times as long as the disk.
 */
export function readTextFile(file: string, name: string): Result<SourceText, string> {
  const { size } = statSync(file);
  if (size > LIMIT_DEFAULTS.configurationFileBytes) return err(tooLarge(name));
  return decodeText(readFileSync(file), name);
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
    if (bytes > LIMIT_DEFAULTS.configurationFileBytes) return err(tooLarge(name));
    pieces.push(piece);
  }
  return decodeText(Buffer.concat(pieces), name);
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

function decodeText(bytes: Uint8Array, name: string): Result<SourceText, string> {
  try {
    return ok(new SourceText(name, UTF8.decode(bytes)));
  } catch {
    return err(`${name} is not UTF-8 text. Save it as UTF-8.`);
  }
}

function tooLarge(name: string): string {
  return `${name} is larger than ${LIMIT_DEFAULTS.configurationFileBytes} bytes. Split it.`;
}
