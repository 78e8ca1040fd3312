/**
 * Consumer keys that were issued here, and what was decided here of keys that files hold. There may be a million: they are read
 * from the disk when they are asked for, never kept as objects. They lie in blocks, each under the name of its first key.
 */
import { ok, type Result } from '../base/result.ts';
import type { AuditEntry } from '../pipeline/audit.ts';
import type { AuditLog } from './audit-chain.ts';
import {
  type CredentialName,
  compareNames,
  credentialAt,
  readBlock,
  ScannedBlock,
  type StoredCredential,
  writeBlock,
} from './credential-block.ts';
import type { StoreProblem } from './store-problem.ts';
import type { RecordKey } from './store-records.ts';
import type { StoreChange, StoreTables } from './store-tables.ts';

export type { CredentialName, StoredCredential };

/** The end of a key that a file holds: the file can't be changed from here. Holds for that hash alone. */
export interface CredentialEnding extends CredentialName {
  readonly hash: string;
  readonly endsMs: number;
}

export interface CredentialChange {
  readonly put?: readonly StoredCredential[];
  readonly remove?: readonly CredentialName[];
  readonly endings?: readonly CredentialEnding[];
  /** Of consumers that had a key once: they are not given a first one again, nor a name that was given. */
  readonly past?: readonly PastNames[];
}

/** Names that keys of a consumer have had. */
export interface PastNames extends Pick<CredentialName, 'tenant' | 'consumer'> {
  /** Of numbered ones the highest number, by what stands before it. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Of the others those that have ended. */
  readonly ended: readonly string[];
}

/** Which ones of all: of one tenant, or of one consumer. */
export type CredentialScope =
  | readonly []
  | readonly [tenant: string]
  | readonly [tenant: string, consumer: string];

export interface CredentialTable {
  get(name: CredentialName): Result<StoredCredential | null, StoreProblem>;
  /** In order of tenant, consumer and name, behind `after`; at most `count`. */
  page(
    scope: CredentialScope,
    after: CredentialName | null,
    count: number,
  ): Result<readonly StoredCredential[], StoreProblem>;
  /** All of them, in order, block by block: always the same object. */
  scan(visit: (block: ScannedBlock) => void): Result<void, StoreProblem>;
  endings(): Result<readonly CredentialEnding[], StoreProblem>;
  /** Null for a consumer who never had another than the first one. */
  past(tenant: string, consumer: string): Result<PastNames | null, StoreProblem>;
  /** All of it with its records in the audit log, or nothing. Durable when it returns. What is there already is replaced. */
  change(change: CredentialChange, entries: readonly AuditEntry[]): Result<void, StoreProblem>;
}

const BLOCKS = 'credential-block';
/** By hash: each key of a file has an end of its own, whatever name it has. */
const ENDINGS = 'credential-end';
/** Name of a credential in an ending's record, as earlier versions had it: one ending for each name. */
const NAMED_ENDING_PARTS = 4;
const KEYED = 'keyed';
/** One record for each key, as earlier versions kept them. */
const SINGLE = 'credential';

/** Keys of a block; with one more it becomes two. */
export const BLOCK_KEYS_MAX = 128;

type PastRecord = Pick<PastNames, 'numbers' | 'ended'>;
type EndingRecord = Pick<CredentialEnding, 'hash' | 'endsMs'>;

export function createCredentialTable(
  tables: StoreTables,
  audit: Pick<AuditLog, 'change'>,
): Result<CredentialTable, StoreProblem> {
  const gathered = gatherSingle(tables);
  if (!gathered.ok) return gathered;
  const renamed = renameEndings(tables);
  if (!renamed.ok) return renamed;
  return ok({
    get(name) {
      const page = pageOf(tables, [name.tenant, name.consumer], name, 1, 'from');
      if (!page.ok) return page;
      const [first] = page.value;
      return ok(first !== undefined && compareNames(first, name) === 0 ? first : null);
    },
    page: (scope, after, count) => pageOf(tables, scope, after, count, 'behind'),
    scan(visit) {
      const block = new ScannedBlock();
      const scanned = tables.visitTexts(BLOCKS, (bytes) => {
        block.read(bytes);
        visit(block);
      });
      // 150 MiB for a million keys, which nobody reads again
      tables.unmap();
      return scanned;
    },
    endings() {
      const found = tables.entries<CredentialEnding>([ENDINGS]);
      return found.ok ? ok(found.value.map(({ value }) => value)) : found;
    },
    past(tenant, consumer) {
      const found = tables.get<Partial<PastRecord>>([KEYED, tenant, consumer]);
      if (!found.ok || found.value === null) return found.ok ? ok(null) : found;
      const { numbers = {}, ended = [] } = found.value;
      return ok({ tenant, consumer, numbers, ended });
    },
    change(change, entries) {
      const written = audit.change(entries, (write) => writeCredentials(tables, write, change));
      return written.ok ? ok(undefined) : written;
    },
  });
}

/** As a part of a transaction. Throws what can't be read, so that nothing of it is kept. */
export function writeCredentials(
  tables: StoreTables,
  write: StoreChange,
  { put = [], remove = [], endings = [], past = [] }: CredentialChange,
): void {
  const blocks = new OpenBlocks(tables, write);
  for (const name of remove) blocks.remove(name);
  for (const credential of put) blocks.put(credential);
  blocks.close();
  for (const { tenant, consumer, name, hash, endsMs } of endings) {
    const record: CredentialEnding = { tenant, consumer, name, hash, endsMs };
    write.put([ENDINGS, hash], record);
  }
  for (const { tenant, consumer, numbers, ended } of past) {
    const record: PastRecord = { numbers, ended };
    write.put([KEYED, tenant, consumer], record);
  }
}

type Holder = Pick<CredentialName, 'tenant' | 'consumer'>;

function pageOf(
  tables: StoreTables,
  scope: CredentialScope,
  start: CredentialName | null,
  count: number,
  begins: 'from' | 'behind',
): Result<readonly StoredCredential[], StoreProblem> {
  const [tenant, consumer] = scope;
  const first = start ?? { tenant: tenant ?? '', consumer: consumer ?? '', name: '' };
  const at = blockAt(tables, first);
  if (!at.ok) return at;
  const found: StoredCredential[] = [];
  if (at.value === null || count === 0) return ok(found);
  const beyond = (each: Holder): boolean =>
    (tenant !== undefined && each.tenant > tenant) ||
    (tenant !== undefined && each.tenant === tenant && consumer !== undefined && each.consumer > consumer);
  const asked = (each: StoredCredential): boolean => {
    const order = compareNames(each, first);
    return order > 0 || (order === 0 && (begins === 'from' || start === null));
  };
  const isOf = (each: Holder): boolean =>
    (tenant === undefined || each.tenant === tenant) &&
    (consumer === undefined || each.consumer === consumer);
  const block = new ScannedBlock();
  const visited = tables.visitFrom<string>(at.value, (_key, text) => {
    block.read(Buffer.from(text, 'latin1'));
    for (let index = 0; index < block.count; index++) {
      const holder = block.holderOf(index);
      if (found.length === count || beyond(holder)) return 'enough';
      // Objects are made of those alone that may be asked for: a block has many others.
      if (!isOf(holder)) continue;
      const each = credentialAt(block, index);
      if (asked(each)) found.push(each);
    }
    return found.length === count ? 'enough' : 'further';
  });
  return visited.ok ? ok(found) : visited;
}

/** The block in which a key lies or would lie: the last that begins before it, or the first of all. */
function blockAt(tables: StoreTables, name: CredentialName): Result<RecordKey | null, StoreProblem> {
  return tables.keyAtOrBefore(BLOCKS, keyOf(BLOCKS, name));
}

/** The blocks that a change touches, read once and written once. */
class OpenBlocks {
  readonly #tables: StoreTables;
  readonly #write: StoreChange;
  /** The one that is being changed: where it was found, and what it holds now. */
  #key: RecordKey | null = null;
  #held: StoredCredential[] = [];
  /** Where the block behind begins, or null where there is none. */
  #behind: CredentialName | null = null;

  constructor(tables: StoreTables, write: StoreChange) {
    this.#tables = tables;
    this.#write = write;
  }

  put(credential: StoredCredential): void {
    this.#open(credential);
    const at = this.#place(credential);
    const replaces = at < this.#held.length && compareNames(this.#held[at]!, credential) === 0;
    this.#held.splice(at, replaces ? 1 : 0, credential);
    if (this.#held.length > BLOCK_KEYS_MAX) this.#split();
  }

  remove(name: CredentialName): void {
    this.#open(name);
    const at = this.#place(name);
    if (at < this.#held.length && compareNames(this.#held[at]!, name) === 0) this.#held.splice(at, 1);
  }

  close(): void {
    const [first] = this.#held;
    const key = first === undefined ? null : keyOf(BLOCKS, first);
    if (this.#key !== null && (key === null || !sameKey(key, this.#key))) this.#write.remove(this.#key);
    if (key !== null) this.#write.put(key, writeBlock(this.#held));
    this.#key = null;
    this.#held = [];
    this.#behind = null;
  }

  #open(name: CredentialName): void {
    const [first] = this.#held;
    const within =
      first !== undefined &&
      compareNames(name, first) >= 0 &&
      (this.#behind === null || compareNames(name, this.#behind) < 0);
    if (within) return;
    this.close();
    const key = sound(blockAt(this.#tables, name));
    if (key === null) return;
    this.#key = key;
    const text = sound(this.#tables.get<string>(key)) ?? '';
    readBlock(text, (each) => this.#held.push(each));
    const behind = sound(this.#tables.keyBehind(BLOCKS, key));
    this.#behind = behind === null ? null : nameOf(behind);
  }

  /** Keys that come in order leave full blocks behind them. */
  #split(): void {
    const half = this.#behind === null ? BLOCK_KEYS_MAX : this.#held.length >> 1;
    const rest = this.#held.splice(half);
    const behind = this.#behind;
    this.close();
    this.#held = rest;
    this.#behind = behind;
  }

  #place(name: CredentialName): number {
    const at = this.#held.findIndex((each) => compareNames(each, name) >= 0);
    return at === -1 ? this.#held.length : at;
  }
}

function sound<Value>(result: Result<Value, StoreProblem>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** What an earlier version kept one by one. */
function gatherSingle(tables: StoreTables): Result<void, StoreProblem> {
  type Single = Pick<StoredCredential, 'keyId' | 'hash' | 'createdMs' | 'expiresMs'>;
  const found = tables.entries<Single>([SINGLE]);
  if (!found.ok) return found;
  if (found.value.length === 0) return ok(undefined);
  return tables.change((write) => {
    const put = found.value.map(({ key, value }) => {
      const { keyId, hash, createdMs, expiresMs } = value;
      return { ...nameOf(key), keyId, hash, createdMs, expiresMs };
    });
    writeCredentials(tables, write, { put });
    for (const { key } of found.value) write.remove(key);
  });
}

/** What an earlier version kept by the name of the key. The earliest end of a hash holds. */
function renameEndings(tables: StoreTables): Result<void, StoreProblem> {
  const found = tables.entries<EndingRecord>([ENDINGS]);
  if (!found.ok) return found;
  const named = found.value.filter(({ key }) => key.length === NAMED_ENDING_PARTS);
  if (named.length === 0) return ok(undefined);
  const byHash = new Map<string, CredentialEnding>();
  for (const { key, value } of named) {
    const { hash, endsMs } = value;
    if (endsMs < (byHash.get(hash)?.endsMs ?? Number.POSITIVE_INFINITY))
      byHash.set(hash, { ...nameOf(key), hash, endsMs });
  }
  return tables.change((write) => {
    writeCredentials(tables, write, { endings: [...byHash.values()] });
    for (const { key } of named) write.remove(key);
  });
}

function keyOf(table: string, { tenant, consumer, name }: CredentialName): RecordKey {
  return [table, tenant, consumer, name];
}

function nameOf(key: RecordKey): CredentialName {
  return { tenant: String(key[1]), consumer: String(key[2]), name: String(key[3]) };
}

function sameKey(one: RecordKey, other: RecordKey): boolean {
  return one.length === other.length && one.every((part, at) => part === other[at]);
}
