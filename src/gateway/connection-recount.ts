/**
 * Counts anew which addresses have connections to the gateway, when a data thread asks: Linux tells it in /proc/net/tcp and tcp6, of
 * the network namespace. Read in the thread pool and taken up in pieces, and never more than a tenth of the time, so that nobody who
 * opens connections in masses holds the control thread.
 */
import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import { endianness } from 'node:os';
import type { Clock } from '../base/ports.ts';
import type { ListenAddress } from '../model/world.ts';
import { type AddressConnectionsMemory, CountedAnew } from './address-connections.ts';

export interface ConnectionRecountParts {
  readonly memory: AddressConnectionsMemory;
  readonly listen: ListenAddress;
  readonly clock: Clock;
  /** Whether connections can be counted; null: they can. */
  readonly onOutcome: (why: string | null) => void;
  /** Where the kernel tells them; the second may be missing. */
  readonly files?: readonly [string, string];
}

export class ConnectionRecount {
  readonly #parts: ConnectionRecountParts;
  readonly #isOurs: (localAddress: string, localPort: string) => boolean;
  #counting = false;
  #asked = false;
  #next: NodeJS.Timeout | undefined = undefined;
  #stopped = false;

  constructor(parts: ConnectionRecountParts) {
    this.#parts = parts;
    const { address, port } = parts.listen;
    const ourPort = port.toString(16).toUpperCase().padStart(4, '0');
    const ourAddress = isIP(address) === 4 && address !== '0.0.0.0' ? kernelText(address) : null;
    this.#isOurs = (localAddress, localPort) =>
      localPort === ourPort &&
      (ourAddress === null || localAddress === ourAddress || localAddress.length !== ourAddress.length);
  }

  /** Soon, and once more if it is asked for while one is under way. */
  ask(): void {
    if (this.#stopped) return;
    this.#asked = true;
    if (!this.#counting && this.#next === undefined) void this.#count();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#next);
  }

  async #count(): Promise<void> {
    const { clock, memory, onOutcome, files: [plain, six] = FILES } = this.#parts;
    this.#asked = false;
    this.#counting = true;
    const startedMs = clock.monotonicMs();
    const anew = new CountedAnew(memory);
    const why = (await this.#read(plain, anew)) ?? (await this.#read(six, anew, 'may-be-missing'));
    this.#counting = false;
    if (this.#stopped) return;
    if (why === null) anew.finish();
    else anew.giveUp();
    onOutcome(why);
    const tookMs = clock.monotonicMs() - startedMs;
    this.#next = setTimeout(
      () => {
        this.#next = undefined;
        if (this.#asked || why !== null) void this.#count();
      },
      why === null ? Math.max(PAUSE_MS, tookMs * 9) : RETRY_MS,
    );
    this.#next.unref();
  }

  /** Why it can't be read, or null. */
  async #read(path: string, into: CountedAnew, missing?: 'may-be-missing'): Promise<string | null> {
    try {
      const file = await open(path, 'r');
      try {
        const piece = Buffer.alloc(PIECE_BYTES);
        let rest = '';
        for (;;) {
          const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
          if (bytesRead === 0) return null;
          const lines = (rest + piece.toString('latin1', 0, bytesRead)).split('\n');
          rest = lines.pop()!;
          for (const line of lines) this.#take(line, into);
        }
      } finally {
        await file.close();
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' && missing !== undefined ? null : message;
    }
  }

  #take(line: string, into: CountedAnew): void {
    const entry = ENTRY.exec(line);
    if (entry === null) return;
    const [, localAddress, localPort, remoteAddress, state] = entry;
    if (!OPEN_STATES.has(state!) || !this.#isOurs(localAddress!, localPort!)) return;
    into.found(addressBytes(remoteAddress!));
  }
}

const FILES = ['/proc/net/tcp', '/proc/net/tcp6'] as const;
const PIECE_BYTES = 64 * 1024;
const PAUSE_MS = 20;
const RETRY_MS = 10_000;

/** `sl local_address:port remote_address:port state …` in hexadecimal digits (Documentation/networking/proc_net_tcp.rst). */
const ENTRY = /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):[0-9A-F]{4} ([0-9A-F]{2}) /;
/** TCP_ESTABLISHED, and TCP_CLOSE_WAIT: the client has ended its half, and we have not read that yet. */
const OPEN_STATES: ReadonlySet<string> = new Set(['01', '08']);

/** Addresses are written as words of the machine. */
function addressBytes(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'hex');
  return endianness() === 'LE' ? bytes.swap32() : bytes;
}

function kernelText(address: string): string {
  const bytes = Buffer.from(address.split('.').map(Number));
  return (endianness() === 'LE' ? bytes.swap32() : bytes).toString('hex').toUpperCase();
}
