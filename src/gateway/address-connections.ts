/**
 * How many connections of clients each address has, over all data threads, in shared memory: `limits.connectionsPerAddress`.
 *
 * uWebSockets.js says when a connection has ended, but no longer whose it was, and the connection of a request is not told apart from
 * others. So data threads count what comes, which is never less than what there is, and have the control thread count anew what
 * the kernel holds (`connection-recount`) long before that matters. Never one too many is let in; who opens and closes thousands of
 * connections while one count is made may be refused without need.
 *
 * Addresses share cells by a keyed hash: nobody can aim for another's, no table fills, and of a thousand addresses two in a
 * hundred share one.
 */
import { createHashKey, type HashKey, type HashPair } from '../base/half-sip-hash.ts';

const CELLS = 65_536;
/** Whether the kernel tells what there is; whether a recount is asked for. */
const HEAD = { counting: 0, wanted: 1, count: 2 } as const;

export interface AddressConnectionsMemory {
  readonly cells: SharedArrayBuffer;
  /** 8 bytes. */
  readonly secret: Uint8Array;
}

export function createAddressConnections(secret: Uint8Array): AddressConnectionsMemory {
  const cells = new SharedArrayBuffer((HEAD.count + 2 * CELLS) * Int32Array.BYTES_PER_ELEMENT);
  return { cells, secret };
}

/** The side of a data thread. */
export class AddressConnections {
  readonly #table: AddressTable;
  readonly #max: number;
  readonly #askForRecount: () => void;

  constructor(memory: AddressConnectionsMemory, max: number, askForRecount: () => void) {
    this.#table = new AddressTable(memory);
    this.#max = max;
    this.#askForRecount = askForRecount;
  }

  /** A connection came; whether it is one too many, which is then not counted. */
  isOneTooMany(address: Uint8Array): boolean {
    const { head, used, counted } = this.#table;
    const cell = this.#table.cellOf(address);
    const there = Atomics.add(used, cell, 1) + 1;
    const before = Atomics.load(counted, cell);
    // Half of the room that was left is used up.
    const isNear = (there - before) * 2 >= this.#max - before;
    if (isNear && Atomics.compareExchange(head, HEAD.wanted, 0, 1) === 0) this.#askForRecount();
    if (there <= this.#max || Atomics.load(head, HEAD.counting) === 0) return false;
    Atomics.sub(used, cell, 1);
    return true;
  }
}

/** The side of the control thread: one count anew. */
export class CountedAnew {
  readonly #table: AddressTable;
  /** What was counted when this began: what comes since is added to what the kernel tells. */
  readonly #before: Int32Array;
  readonly #found = new Int32Array(CELLS);

  constructor(memory: AddressConnectionsMemory) {
    this.#table = new AddressTable(memory);
    Atomics.store(this.#table.head, HEAD.wanted, 0);
    this.#before = this.#table.used.slice();
  }

  found(address: Uint8Array): void {
    this.#found[this.#table.cellOf(address)]!++;
  }

  /** From now on this is what there is. */
  finish(): void {
    const { head, used, counted } = this.#table;
    for (let cell = 0; cell < CELLS; cell++) {
      const there = this.#found[cell]!;
      const change = there - this.#before[cell]!;
      if (change !== 0) Atomics.add(used, cell, change);
      if (counted[cell] !== there) Atomics.store(counted, cell, there);
    }
    Atomics.store(head, HEAD.counting, 1);
  }

  /** The kernel tells nothing: all are let in. */
  giveUp(): void {
    Atomics.store(this.#table.head, HEAD.counting, 0);
  }
}

class AddressTable {
  readonly head: Int32Array;
  /** At most so many there are: those of the last count, and all that came since. */
  readonly used: Int32Array;
  /** Of the last count. */
  readonly counted: Int32Array;
  readonly #hash: HashKey;
  readonly #pair: HashPair = { high: 0, low: 0 };

  constructor({ cells, secret }: AddressConnectionsMemory) {
    this.head = new Int32Array(cells, 0, HEAD.count);
    this.used = new Int32Array(cells, HEAD.count * Int32Array.BYTES_PER_ELEMENT, CELLS);
    this.counted = new Int32Array(cells, (HEAD.count + CELLS) * Int32Array.BYTES_PER_ELEMENT, CELLS);
    this.#hash = createHashKey(secret);
  }

  cellOf(address: Uint8Array): number {
    this.#hash('connections', clientOf(address), this.#pair);
    return this.#pair.low & (CELLS - 1);
  }
}

/** One client's: an IPv4 address, also one that IPv6 wraps (RFC 4291, 2.5.5.2), or the /64 of which it may take any address. */
function clientOf(address: Uint8Array): string {
  const bytes = Buffer.from(address.buffer, address.byteOffset, address.byteLength);
  if (bytes.length !== 16) return bytes.toString('hex');
  return bytes.subarray(0, 12).equals(MAPPED) ? bytes.toString('hex', 12) : bytes.toString('hex', 0, 8);
}

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');
