/**
 * What was made of a large project, kept from one start to the next: compiled rules and packed routes, as data threads take them. It
 * holds for exactly the files, the program and the days that it was made of, and only what this instance wrote is believed: a
 * file that is damaged, or comes from elsewhere, is told and left unused. One file in the data folder; delete it at any time.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { deserialize, serialize } from 'node:v8';
import { err, ok, type Result } from '../../base/result.ts';
import type { SourceText } from '../../diagnostics/source.ts';
import { isTestFile } from '../../language/check-tests.ts';
import { areUnchanged } from '../../language/due.ts';
import type { ReplacedLimit } from '../../tools/replaced-limits.ts';
import { PACKAGE_FOLDER } from '../package-folder.ts';
import type { ReadyForm, VersionForm } from './ready-form.ts';

export const START_CACHE_FILE = 'compiled.cache';

/** Below this a project is made as soon as its file would be read and its threads have begun. */
export const CACHED_FROM_BYTES = 2 * 1024 * 1024;

/** Whatever the artefacts are made from. */
export interface CacheInputs {
  readonly digest: Buffer;
}

export interface StartCacheOptions {
  readonly dataFolder: string;
  /** Of this instance; never leaves its store. */
  readonly secret: Uint8Array;
  /** The limit `compiledCacheBytes`; 0 keeps nothing. */
  readonly bytesMax: number;
  /** On the disk of the data folder; null where that is not known. */
  readonly freeBytes: () => Promise<number | null>;
}

export type CacheReading =
  | { readonly kind: 'found'; readonly form: ReadyForm }
  /** Of other files, another program or another day, or none at all. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unusable'; readonly why: string };

const MAGIC = Buffer.from('PTNCACH1', 'latin1');
/** Magic, digest of the inputs, keyed hash of all that follows and of the digest, length of the head. */
const AT = { inputs: 8, mac: 40, headLength: 72, head: 80 } as const;
const ALIGNMENT = 8;
/** Hashed and written at once: well below a millisecond of the control thread. */
const PIECE_BYTES = 256 * 1024;
/** As many times its size must be free: the store and the journals beside it need the disk more than this file does. */
const FREE_TIMES = 2;

/** Null where nothing is kept of such a project. `replaced`: limits that stay in force beside what the files say. */
export function cacheInputs(
  texts: readonly SourceText[],
  folder: string,
  program: string,
  replaced: readonly ReplacedLimit[] = [],
): CacheInputs | null {
  const files = texts.filter(({ path }) => !isTestFile(path));
  const length = files.reduce((sum, { text }) => sum + text.length, 0);
  if (length < CACHED_FROM_BYTES) return null;
  const hash = createHash('sha256').update(JSON.stringify([program, folder, files.length]));
  for (const { path, text, identity } of replaced) hash.update(JSON.stringify([path, text, identity]));
  for (const { path, text } of files) hash.update(`\0${path}\0${text.length}\0`).update(text);
  return { digest: hash.digest() };
}

/** Names this build of the product and what runs it; null for one whose modules lie singly, which are edited one by one. */
export function programName(): string | null {
  try {
    const script = readFileSync(new URL('dist/src/cli/bundle.cjs', PACKAGE_FOLDER));
    return `${createHash('sha256').update(script).digest('hex')} ${process.arch} ${JSON.stringify(process.versions)}`;
  } catch {
    return null;
  }
}

/** Whether it is worth opening the store for: says nothing about who wrote the file. */
export function seemsCached(dataFolder: string, { digest }: CacheInputs): boolean {
  const begin = Buffer.alloc(AT.mac);
  try {
    const file = openSync(join(dataFolder, START_CACHE_FILE), 'r');
    try {
      readSync(file, begin, 0, begin.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
  return begin.subarray(0, AT.inputs).equals(MAGIC) && begin.subarray(AT.inputs).equals(digest);
}

export class StartCache {
  readonly #path: string;
  readonly #key: Buffer;
  readonly #bytesMax: number;
  readonly #freeBytes: StartCacheOptions['freeBytes'];
  #writing: Promise<Result<void, string>> = Promise.resolve(ok(undefined));
  #newest = 0;

  constructor({ dataFolder, secret, bytesMax, freeBytes }: StartCacheOptions) {
    this.#path = join(dataFolder, START_CACHE_FILE);
    this.#key = createHmac('sha256', secret).update('portunus compiled cache').digest();
    this.#bytesMax = bytesMax;
    this.#freeBytes = freeBytes;
  }

  read({ digest }: CacheInputs, wallMs: number): CacheReading {
    const bytes = this.#bytes();
    if (bytes === null) return { kind: 'none' };
    if (!bytes.ok) return { kind: 'unusable', why: bytes.error };
    const file = bytes.value;
    const begin = Buffer.from(file.slice(0, AT.head));
    if (!begin.subarray(0, AT.inputs).equals(MAGIC))
      return { kind: 'unusable', why: 'it was not made by this version' };
    if (!begin.subarray(AT.inputs, AT.mac).equals(digest)) return { kind: 'none' };
    const mac = this.#mac(digest).update(file.subarray(AT.headLength)).digest();
    if (!timingSafeEqual(mac, begin.subarray(AT.mac, AT.headLength)))
      return { kind: 'unusable', why: 'it is damaged, or another instance made it' };
    const headEnd = AT.head + begin.readUInt32LE(AT.headLength);
    const form = attached(deserialize(Buffer.from(file.slice(AT.head, headEnd))) as Head, file, headEnd);
    const holds = form.built !== null && areUnchanged(form.built.days, wallMs);
    return holds ? { kind: 'found', form } : { kind: 'none' };
  }

  /** False where the limit is 0. */
  get keeps(): boolean {
    return this.#bytesMax > 0;
  }

  /** In the background, piece by piece; of several that are asked for meanwhile only the last. The error is one sentence. */
  keep(inputs: CacheInputs, form: () => ReadyForm): Promise<Result<void, string>> {
    const mine = ++this.#newest;
    const written = this.#writing
      .then(() => (mine === this.#newest ? this.#write(inputs, form()) : ok(undefined)))
      .catch((error: Error) => err(error.message));
    this.#writing = written;
    return written;
  }

  /** Of a project that is too small by now. The error is one sentence. */
  drop(): Promise<Result<void, string>> {
    this.#newest++;
    this.#writing = this.#writing.then(() => this.#remove([this.#path, this.#fresh]));
    return this.#writing;
  }

  /** What a process left behind that was killed while it wrote. The error is one sentence. */
  clear(): Promise<Result<void, string>> {
    this.#writing = this.#writing.then(() => this.#remove([this.#fresh]));
    return this.#writing;
  }

  /** Waits for what is being written. */
  async stop(): Promise<void> {
    this.#newest++;
    await this.#writing;
  }

  #bytes(): Result<Uint8Array, string> | null {
    let file: number;
    try {
      file = openSync(this.#path, 'r');
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? null
        : err(`it can't be read: ${(error as Error).message}`);
    }
    try {
      const { size } = fstatSync(file);
      if (size > this.#bytesMax) return err('it is larger than limits.compiledCacheBytes');
      if (size < AT.head) return err('it is cut short');
      const bytes = new Uint8Array(new SharedArrayBuffer(size));
      for (let at = 0; at < size; ) {
        const read = readSync(file, bytes, at, size - at, at);
        if (read === 0) return err('it is cut short');
        at += read;
      }
      return ok(bytes);
    } catch (error) {
      return err(`it can't be read: ${(error as Error).message}`);
    } finally {
      closeSync(file);
    }
  }

  async #write({ digest }: CacheInputs, form: ReadyForm): Promise<Result<void, string>> {
    const { head, pieces, length } = detached(form);
    if (length > this.#bytesMax) {
      const removed = await this.#remove([this.#path]);
      const why = `it would take ${length} bytes, more than limits.compiledCacheBytes`;
      return err(removed.ok ? why : `${why}, and the file of before can't be removed: ${removed.error}`);
    }
    const freeBytes = await this.#freeBytes();
    if (freeBytes !== null && freeBytes < FREE_TIMES * length)
      return err('less than twice its size is free in the data folder');
    const begin = Buffer.alloc(AT.head);
    MAGIC.copy(begin);
    digest.copy(begin, AT.inputs);
    begin.writeUInt32LE(head.length, AT.headLength);
    const mac = this.#mac(digest).update(begin.subarray(AT.headLength));
    const fresh = this.#fresh;
    try {
      await rm(fresh, { force: true });
      const file = await open(fresh, 'wx', 0o600);
      try {
        let at: number = AT.head;
        for (const piece of [head, ...pieces]) {
          for (let from = 0; from < piece.length; from += PIECE_BYTES) {
            const part = piece.subarray(from, from + PIECE_BYTES);
            mac.update(part);
            at += await writeAll(file, part, at);
            await setImmediate();
          }
        }
        mac.digest().copy(begin, AT.mac);
        await writeAll(file, begin, 0);
      } finally {
        await file.close();
      }
      await rename(fresh, this.#path);
      return ok(undefined);
    } catch (error) {
      await rm(fresh, { force: true }).catch(() => {});
      return err((error as Error).message);
    }
  }

  async #remove(paths: readonly string[]): Promise<Result<void, string>> {
    try {
      for (const path of paths) await rm(path, { force: true });
      return ok(undefined);
    } catch (error) {
      return err((error as Error).message);
    }
  }

  get #fresh(): string {
    return `${this.#path}.unfinished`;
  }

  #mac(digest: Buffer) {
    return createHmac('sha256', this.#key).update(digest);
  }
}

async function writeAll(file: FileHandle, part: Uint8Array, at: number): Promise<number> {
  let written = 0;
  while (written < part.length)
    written += (await file.write(part, written, part.length - written, at + written)).bytesWritten;
  return written;
}

/** A form without its memory, and where behind the head that lies, by number. */
interface Head {
  readonly form: Omit<ReadyForm, 'built'> & { readonly built: WithoutMemory | null };
  readonly places: readonly Place[];
}
type WithoutMemory = Omit<VersionForm, 'packed'> & { readonly packed: unknown };
interface Place {
  readonly offset: number;
  readonly length: number;
  readonly as: ArrayName;
}

const ARRAYS = { Uint8Array, Uint16Array, Uint32Array, Int32Array } as const;
type ArrayName = keyof typeof ARRAYS;
type Memory = InstanceType<(typeof ARRAYS)[ArrayName]>;

interface Detached {
  readonly head: Buffer;
  readonly pieces: readonly Uint8Array[];
  /** Of the file. */
  readonly length: number;
}

function detached({ built, findings }: ReadyForm): Detached {
  const memories: Memory[] = [];
  const packed = built === null ? null : withMarks(built.packed, memories);
  let offset = 0;
  const places = memories.map((memory): Place => {
    const as = memory.constructor.name as ArrayName;
    const place = { offset, length: memory.length, as };
    offset += aligned(memory.byteLength);
    return place;
  });
  const form = { findings, built: built === null ? null : { ...built, packed } };
  const text = serialize({ form, places } satisfies Head);
  const head = Buffer.alloc(aligned(text.length));
  text.copy(head);
  const pieces = memories.flatMap((memory) => {
    const bytes = new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
    return [bytes, new Uint8Array(aligned(bytes.length) - bytes.length)];
  });
  return { head, pieces, length: AT.head + head.length + offset };
}

function attached({ form, places }: Head, file: Uint8Array, headEnd: number): ReadyForm {
  const memories = places.map(
    ({ offset, length, as }) =>
      new ARRAYS[as](file.buffer as ArrayBuffer, file.byteOffset + headEnd + offset, length),
  );
  const { built, findings } = form;
  if (built === null) return { built, findings };
  const packed = withMemory(built.packed, memories) as VersionForm['packed'];
  return { findings, built: { ...built, packed } };
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

function withMarks(value: unknown, memories: Memory[]): unknown {
  if (ArrayBuffer.isView(value)) return { [MARK]: memories.push(value as Memory) - 1 };
  return mapped(value, (each) => withMarks(each, memories));
}

function withMemory(value: unknown, memories: readonly Memory[]): unknown {
  const mark = value === null || typeof value !== 'object' ? undefined : (value as { [MARK]?: number })[MARK];
  return mark === undefined ? mapped(value, (each) => withMemory(each, memories)) : memories[mark];
}

/** Stands for memory; no member of a packed rule set has that name. */
const MARK = 'memory number';

/** Lists hold no memory. */
function mapped(value: unknown, change: (each: unknown) => unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, change(each)]));
}
