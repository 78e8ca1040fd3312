/**
 * Which node a store belongs to, and which of its processes may write leases: each takes a number one higher than the one before, and
 * what a process of a lower number writes late is refused. The lock on the folder keeps a second process away; this holds
 * where a lock doesn't – a folder on a network, or copied – and is what a shared store will ask for.
 */
import type { Random } from '../base/ports.ts';
import { err, ok, type Result } from '../base/result.ts';
import { problem, type StoreProblem } from './store-problem.ts';
import type { RecordKey } from './store-records.ts';
import type { StoreChange, StoreTables } from './store-tables.ts';

/** The process that holds a store. */
export interface NodeHolder {
  /** Of the store: a restored or rebuilt one is another node, because it knows less than the one it was. */
  readonly node: string;
  readonly epoch: number;
}

export const HOLDER_KEY = ['holder'] as const satisfies RecordKey;
const NODE_BYTES = 8;

/** `place`: path of the store. */
export function holdStore(
  tables: StoreTables,
  {
    random,
    place,
    isReplaced,
  }: { readonly random: Random; readonly place: string; readonly isReplaced: boolean },
): Result<NodeFence, StoreProblem> {
  const read = tables.get<NodeHolder>(HOLDER_KEY);
  if (!read.ok) return read;
  const before = read.value;
  const holder: NodeHolder =
    before === null || isReplaced
      ? { node: nodeName(random), epoch: (before?.epoch ?? 0) + 1 }
      : { node: before.node, epoch: before.epoch + 1 };
  const fence = new NodeFence(tables, place, before, holder);
  // On a full disk the gateway starts all the same: the number is taken with the first lease then.
  fence.change(() => {});
  return ok(fence);
}

export class NodeFence {
  readonly holder: NodeHolder;
  readonly #tables: StoreTables;
  readonly #place: string;
  /** What the store has to say of its holder for this process to write. */
  #expected: NodeHolder | null;

  constructor(tables: StoreTables, place: string, before: NodeHolder | null, holder: NodeHolder) {
    this.#tables = tables;
    this.#place = place;
    this.#expected = before;
    this.holder = holder;
  }

  /** As {@link StoreTables.change}, unless a later process holds the store. */
  change(write: (change: StoreChange) => void): Result<void, StoreProblem> {
    let refused: StoreProblem | null = null;
    const written = this.#tables.change((change) => {
      const found = this.#tables.get<NodeHolder>(HOLDER_KEY);
      if (!found.ok) refused = found.error;
      else if (!isSame(found.value, this.#expected)) refused = this.#fenced(found.value);
      // Ends the transaction with nothing written.
      if (refused !== null) throw new Error('refused');
      if (this.#expected !== this.holder) change.put(HOLDER_KEY, this.holder);
      write(change);
    });
    if (refused !== null) return err(refused as StoreProblem);
    if (written.ok) this.#expected = this.holder;
    return written;
  }

  #fenced(found: NodeHolder | null): StoreProblem {
    const { node, epoch } = this.holder;
    const other = found === null ? 'nobody' : `process ${found.epoch} of node ${found.node}`;
    return problem(
      'store_fenced',
      this.#place,
      `The store is held by ${other}; this is process ${epoch} of node ${node}, whose leases count no more.`,
      'Two gateways use the same data folder: end this one, and give each a folder of its own.',
    ).error;
  }
}

function isSame(one: NodeHolder | null, other: NodeHolder | null): boolean {
  return one?.node === other?.node && one?.epoch === other?.epoch;
}

function nodeName(random: Random): string {
  const bytes = new Uint8Array(NODE_BYTES);
  random.fill(bytes);
  return Buffer.from(bytes).toString('hex');
}
