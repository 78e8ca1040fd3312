/**
 * Anchors: the end of the audit log after each change, signed, in a file beside the store. Whoever rewrites the store or puts an
 * older one in its place does not thereby rewrite these.
 */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { SignedPlace } from './audit-hash.ts';

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
  #isSynced = true;

  /** Whoever opens it holds the lock of the folder. */
  constructor(dataFolder: string) {
    this.#path = join(dataFolder, ANCHORS_FILE);
    this.#descriptor = openSync(this.#path, 'a+', 0o600);
    const bytes = readFileSync(this.#descriptor);
    ftruncateSync(this.#descriptor, bytes.lastIndexOf(NEWLINE) + 1);
    this.#lines = bytes.reduce((count, byte) => (byte === NEWLINE ? count + 1 : count), 0);
  }

  /** Survives the process at once, the machine from the next {@link sync} on. */
  append(anchor: Anchor): void {
    if (this.#lines >= ANCHORS_MAX) this.#halve();
    this.#write(Buffer.from(`${JSON.stringify(anchor)}\n`, 'utf8'));
    this.#lines++;
    this.#isSynced = false;
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
    if (this.#isSynced) return;
    fdatasyncSync(this.#descriptor);
    this.#isSynced = true;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #halve(): void {
    const lines = readFileSync(this.#path, 'utf8').split('\n').slice(0, -1);
    const kept = lines.slice(-ANCHORS_MAX / 2);
    const fresh = `${this.#path}.unfinished`;
    writeFileSync(fresh, `${kept.join('\n')}\n`, { mode: 0o600, flush: true });
    // opened first: where that fails, the file at hand goes on
    const descriptor = openSync(fresh, 'a', 0o600);
    renameSync(fresh, this.#path);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#lines = kept.length;
  }
}

const NEWLINE = 0x0a;
