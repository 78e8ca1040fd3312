import { open } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import pino from 'pino';
import { err, ok, type Result } from '../base/result.ts';

/** Where lines of text go: a file or the standard output, written asynchronously through a bounded queue. */
export interface LogDestination {
  /** `full`: the queue has no room for this text, and nothing of it will be written. Bytes must stay as they are. */
  write(text: string | Buffer): 'taken' | 'full';
  /** Writes what is queued and closes. Lines that can't be written are lost then, see `lastError`. */
  end(): Promise<void>;
  /** Bytes that were taken and not written yet. */
  readonly queuedBytes: number;
  /** Why the last write failed (a full disk, a closed pipe), or null. The queue keeps the text and tries again. */
  readonly lastError: string | null;
}

export interface LogDestinationOptions {
  /** Absolute path of a file to append to, or the standard output. */
  readonly to: 'stdout' | { readonly file: string };
  /** The limit `accessLogQueueBytes`. */
  readonly queueBytes: number;
}

/** SonicBoom writes 16 KiB at a time unless told otherwise; each write is a turn through the thread pool. */
const WRITE_BYTES_MAX = 64 * 1_024;
const STDOUT_DESCRIPTOR = 1;
/** Logs name callers and paths: for the gateway's own account and its group. */
const LOG_FILE_MODE = 0o640;

/** Opens a destination. The error is one sentence: which file, and what the system said. */
export async function openLogDestination(
  options: LogDestinationOptions,
): Promise<Result<LogDestination, string>> {
  const descriptor = options.to === 'stdout' ? ok(STDOUT_DESCRIPTOR) : await openFile(options.to.file);
  if (!descriptor.ok) return descriptor;
  const stream = pino.destination({
    dest: descriptor.value,
    sync: false,
    maxLength: options.queueBytes,
    maxWrite: WRITE_BYTES_MAX,
    contentMode: 'buffer',
  });
  // Its types know only the text mode, in which it counts the bytes of each text three times.
  return ok(new StreamDestination(stream as unknown as LogStream));
}

/** Opened here and not by pino, which can't let go of a file that did not open and throws at the end of the process. */
async function openFile(file: string): Promise<Result<number, string>> {
  try {
    await mkdir(dirname(file), { recursive: true });
    return ok(await promisify(open)(file, 'a', LOG_FILE_MODE));
  } catch (error) {
    return err(`The log ${file} can't be opened: ${(error as Error).message}.`);
  }
}

/** What is used of SonicBoom. */
interface LogStream {
  write(bytes: Buffer): boolean;
  end(): void;
  destroy(): void;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  on(event: 'write', listener: (bytes: number) => void): unknown;
  on(event: 'drop' | 'close', listener: () => void): unknown;
}

class StreamDestination implements LogDestination {
  readonly #stream: LogStream;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #refused = false;
  #closed: () => void = () => {};
  lastError: string | null = null;
  queuedBytes = 0;

  constructor(stream: LogStream) {
    this.#stream = stream;
    // `drop` is emitted inside `write`, which says nothing about it by its value.
    stream.on('drop', () => {
      this.#refused = true;
    });
    stream.on('write', (bytes) => {
      this.lastError = null;
      this.queuedBytes -= bytes;
    });
    stream.on('error', (error) => this.#failed(error));
    stream.on('close', () => this.#close());
  }

  write(text: string | Buffer): 'taken' | 'full' {
    if (this.#state !== 'open') return 'full';
    this.#refused = false;
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    this.queuedBytes += bytes.length;
    this.#stream.write(bytes);
    if (this.#refused) this.queuedBytes -= bytes.length;
    return this.#refused ? 'full' : 'taken';
  }

  end(): Promise<void> {
    if (this.#state !== 'open') return Promise.resolve();
    this.#state = 'ending';
    return new Promise((resolve) => {
      this.#closed = resolve;
      this.#stream.end();
    });
  }

  /**
   * While open, the next write tries again; while ending there is none, so what is queued is given up. When the reader
   * of a pipe is gone, nothing can be written any more, and pino has turned the stream's own methods off.
   */
  #failed(error: NodeJS.ErrnoException): void {
    this.lastError = error.message;
    if (error.code === 'EPIPE') this.#close();
    else if (this.#state === 'ending') this.#stream.destroy();
  }

  #close(): void {
    this.#state = 'closed';
    this.queuedBytes = 0;
    this.#closed();
  }
}
