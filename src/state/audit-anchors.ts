/**
 * Anchors: the end of the audit log after each change, signed, in a file beside the store. Whoever rewrites the store or puts an
 * older one in its place does not thereby rewrite these.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { SignedPlace } from './audit-hash.ts';
import { syncPath } from './synced-path.ts';

/** In the data folder; one JSON object per line, oldest first. */
export const ANCHORS_FILE = 'audit-anchors.jsonl';
/** Where there are more, half of them go: the newest vouches for all before it. */
export const ANCHORS_MAX = 10_000;

/** `fork`: the store was put back to this place by its owner; anchors behind it, above in the file, are of a log that was left. */
export interface Anchor extends SignedPlace {
  readonly kind: 'anchor' | 'fork';
  readonly timeMs: number;
}

export type AnchorLine = Anchor | { readonly kind: 'unreadable'; readonly line: number };

/** None where there is no file. Throws what the file system throws. */
export function readAnchors(dataFolder: string): readonly AnchorLine[] {
  let text: string;
  try {
    text = readFileSync(join(dataFolder, ANCHORS_FILE), 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
  // A last line without an end is one that a crash cut short: the next start removes it.
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  return lines.map((line, index) => parseAnchor(line) ?? { kind: 'unreadable', line: index + 1 });
}

function parseAnchor(line: string): Anchor | null {
  try {
    const { kind, timeMs, sequence, hash, mac } = JSON.parse(line) as Partial<Anchor>;
    const isWhole =
      (kind === 'anchor' || kind === 'fork') &&
      typeof timeMs === 'number' &&
      typeof sequence === 'number' &&
      typeof hash === 'string' &&
      typeof mac === 'string';
    return isWhole ? { kind, timeMs, sequence, hash, mac } : null;
  } catch {
    return null;
  }
}

/** The file, open for what comes. Every method throws what the file system throws. */
export class AnchorFile {
  readonly #path: string;
  #descriptor: number;
  #lines: number;
  #syncedBytes: number;
  #unsynced: Buffer[] = [];
  #syncFailed = false;

  /** Whoever opens it holds the lock of the folder. */
  constructor(dataFolder: string) {
    this.#path = join(dataFolder, ANCHORS_FILE);
    const isNew = !existsSync(this.#path);
    this.#descriptor = openSync(this.#path, 'a+', 0o600);
    if (isNew) syncPath(dataFolder);
    const bytes = readFileSync(this.#descriptor);
    this.#syncedBytes = bytes.lastIndexOf(NEWLINE) + 1;
    ftruncateSync(this.#descriptor, this.#syncedBytes);
    this.#lines = linesIn(bytes);
  }

  /** Survives the process at once, the machine from the next {@link sync} on. */
  append(anchor: Anchor): void {
    if (this.#lines >= ANCHORS_MAX) this.#replaceBy(this.#newestHalf());
    const line = Buffer.from(`${JSON.stringify(anchor)}\n`, 'utf8');
    this.#write(line);
    this.#lines++;
    this.#unsynced.push(line);
  }

  /** All of it or nothing: a part of a line would spoil the next one for good. */
  #write(line: Buffer): void {
    const { size } = fstatSync(this.#descriptor);
    try {
      // a disk that gets full takes a part first, and fails only for the rest
      for (let written = 0; written < line.length; )
        written += writeSync(this.#descriptor, line, written, line.length - written);
    } catch (thrown) {
      ftruncateSync(this.#descriptor, size);
      throw thrown;
    }
  }

  sync(): void {
    if (this.#unsynced.length === 0) return;
    try {
      // What a sync that failed was to write is taken for clean by the kernel: the next one would succeed without it.
      if (this.#syncFailed) this.#replaceBy(this.#whole());
      else fdatasyncSync(this.#descriptor);
    } catch (thrown) {
      this.#syncFailed = true;
      throw thrown;
    }
    this.#syncedBytes = fstatSync(this.#descriptor).size;
    this.#unsynced = [];
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #whole(): Buffer {
    const synced = readFileSync(this.#path).subarray(0, this.#syncedBytes);
    return Buffer.concat([synced, ...this.#unsynced]);
  }

  #newestHalf(): Buffer {
    const lines = this.#whole().toString('utf8').split('\n').slice(0, -1);
    return Buffer.from(`${lines.slice(-ANCHORS_MAX / 2).join('\n')}\n`, 'utf8');
  }

  /** On the disk when it returns. */
  #replaceBy(bytes: Buffer): void {
    const fresh = `${this.#path}.unfinished`;
    writeFileSync(fresh, bytes, { mode: 0o600, flush: true });
    // opened first: where that fails, the file at hand goes on
    const descriptor = openSync(fresh, 'a', 0o600);
    renameSync(fresh, this.#path);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#lines = linesIn(bytes);
    // Until the folder is on the disk, a fall of the machine may leave the file that was there before: all of this one is to be
    // written anew then.
    this.#syncedBytes = 0;
    this.#unsynced = [bytes];
    this.#syncFailed = true;
    syncPath(dirname(this.#path));
    this.#syncedBytes = bytes.length;
    this.#unsynced = [];
    this.#syncFailed = false;
  }
}

function linesIn(bytes: Buffer): number {
  return bytes.reduce((count, byte) => (byte === NEWLINE ? count + 1 : count), 0);
}

const NEWLINE = 0x0a;
