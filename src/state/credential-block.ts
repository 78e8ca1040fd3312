/**
 * Keys that follow each other in order of tenant, consumer and name, as one text: `@tenant consumer` begins those of a consumer,
 * then `name keyId digest created expires` for each. One record each would take a million records twenty times as long to read.
 */
export interface StoredCredential extends CredentialName {
  readonly keyId: string;
  /** As `governance/` makes it; never the key. */
  readonly hash: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
}

export interface CredentialName {
  readonly tenant: string;
  readonly consumer: string;
  readonly name: string;
}

const HASH_PREFIX = 'ptnh1:';
const NEVER = '-';

/** Texts of names have neither of these. */
const LINE_END = ';';
const PART_END = ' ';
const CONSUMER = '@';

export function writeBlock(credentials: readonly StoredCredential[]): string {
  let text = '';
  let tenant = '';
  let consumer = '';
  for (const each of credentials) {
    if (each.tenant !== tenant || each.consumer !== consumer) {
      ({ tenant, consumer } = each);
      text += `${CONSUMER}${tenant} ${consumer};`;
    }
    const digest = each.hash.slice(HASH_PREFIX.length + each.keyId.length + 1);
    text += `${each.name} ${each.keyId} ${digest} ${each.createdMs} ${each.expiresMs ?? NEVER};`;
  }
  return text;
}

export function readBlock(text: string, visit: (credential: StoredCredential) => void): void {
  const block = new ScannedBlock();
  block.read(Buffer.from(text, 'latin1'));
  for (let index = 0; index < block.count; index++) visit(credentialAt(block, index));
}

/** One key of a block, as an object. */
export function credentialAt(block: ScannedBlock, index: number): StoredCredential {
  const part = (from: Int32Array, end: Int32Array) =>
    block.bytes.toString('latin1', from[index]!, end[index]!);
  const { tenant, consumer } = block.holderOf(index);
  const keyId = part(block.keyIdStart, block.keyIdEnd);
  return {
    tenant,
    consumer,
    name: part(block.nameStart, block.nameEnd),
    keyId,
    hash: `${HASH_PREFIX}${keyId}:${part(block.digestStart, block.digestEnd)}`,
    createdMs: block.createdMs[index]!,
    expiresMs: Number.isNaN(block.expiresMs[index]!) ? null : block.expiresMs[index]!,
  };
}

/** Room of the columns at first; blocks hold 128. */
const KEYS_FIRST = 256;

/**
 * The keys of a block in columns: where in its bytes each part of a key lies. A million are read at start, so no object is made of
 * one, and one of these serves for all blocks.
 */
export class ScannedBlock {
  bytes: Buffer = Buffer.alloc(0);
  count = 0;
  holders: Omit<CredentialName, 'name'>[] = [];
  /** Of each key the number among `holders`. */
  holder = new Int32Array(KEYS_FIRST);
  nameStart = new Int32Array(KEYS_FIRST);
  nameEnd = new Int32Array(KEYS_FIRST);
  keyIdStart = new Int32Array(KEYS_FIRST);
  keyIdEnd = new Int32Array(KEYS_FIRST);
  /** What stands in the hash behind the key id. */
  digestStart = new Int32Array(KEYS_FIRST);
  digestEnd = new Int32Array(KEYS_FIRST);
  createdMs = new Float64Array(KEYS_FIRST);
  /** NaN where a key has no end. */
  expiresMs = new Float64Array(KEYS_FIRST);

  holderOf(index: number): Omit<CredentialName, 'name'> {
    return this.holders[this.holder[index]!]!;
  }

  /** Throws where a block ends amid a key. */
  read(bytes: Buffer): void {
    this.bytes = bytes;
    this.count = 0;
    this.holders = [];
    for (let at = 0; at < bytes.length; ) {
      at = bytes[at] === BYTES.consumer ? this.#readHolder(at) : this.#readKey(at);
    }
  }

  #readHolder(at: number): number {
    const { bytes } = this;
    const tenantEnd = endOf(bytes, at, BYTES.partEnd);
    const end = endOf(bytes, tenantEnd, BYTES.lineEnd);
    const tenant = bytes.toString('latin1', at + 1, tenantEnd);
    this.holders.push({ tenant, consumer: bytes.toString('latin1', tenantEnd + 1, end) });
    return end + 1;
  }

  #readKey(at: number): number {
    const { bytes } = this;
    if (this.count === this.holder.length) this.#grow();
    const index = this.count++;
    const nameEnd = endOf(bytes, at, BYTES.partEnd);
    const keyIdEnd = endOf(bytes, nameEnd + 1, BYTES.partEnd);
    const digestEnd = endOf(bytes, keyIdEnd + 1, BYTES.partEnd);
    const createdEnd = endOf(bytes, digestEnd + 1, BYTES.partEnd);
    const end = endOf(bytes, createdEnd + 1, BYTES.lineEnd);
    const isEndless = bytes[createdEnd + 1] === BYTES.never;
    this.holder[index] = this.holders.length - 1;
    this.nameStart[index] = at;
    this.nameEnd[index] = nameEnd;
    this.keyIdStart[index] = nameEnd + 1;
    this.keyIdEnd[index] = keyIdEnd;
    this.digestStart[index] = keyIdEnd + 1;
    this.digestEnd[index] = digestEnd;
    this.createdMs[index] = wholeNumber(bytes, digestEnd + 1, createdEnd);
    this.expiresMs[index] = isEndless ? Number.NaN : wholeNumber(bytes, createdEnd + 1, end);
    return end + 1;
  }

  /** Blocks of that many keys are none that this version writes. */
  #grow(): void {
    const grown = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const longer = new Int32Array(2 * column.length);
      longer.set(column);
      return longer;
    };
    const grownMs = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const longer = new Float64Array(2 * column.length);
      longer.set(column);
      return longer;
    };
    this.holder = grown(this.holder);
    this.nameStart = grown(this.nameStart);
    this.nameEnd = grown(this.nameEnd);
    this.keyIdStart = grown(this.keyIdStart);
    this.keyIdEnd = grown(this.keyIdEnd);
    this.digestStart = grown(this.digestStart);
    this.digestEnd = grown(this.digestEnd);
    this.createdMs = grownMs(this.createdMs);
    this.expiresMs = grownMs(this.expiresMs);
  }
}

const BYTES = {
  lineEnd: LINE_END.charCodeAt(0),
  partEnd: PART_END.charCodeAt(0),
  consumer: CONSUMER.charCodeAt(0),
  never: NEVER.charCodeAt(0),
} as const;
const DIGIT_ZERO = 0x30;

function endOf(bytes: Uint8Array, from: number, mark: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== mark) at++;
  if (at === bytes.length) throw new Error('a block of keys ends amid a key');
  return at;
}

/** Numbers of ten digits and more are no small integers, so it is put together from two that are. */
function wholeNumber(bytes: Uint8Array, from: number, end: number): number {
  const middle = Math.min(end, from + SMALL_DIGITS);
  let high = 0;
  for (let at = from; at < middle; at++) high = high * 10 + (bytes[at]! - DIGIT_ZERO);
  if (middle === end) return high;
  let low = 0;
  let scale = 1;
  for (let at = middle; at < end; at++) {
    low = low * 10 + (bytes[at]! - DIGIT_ZERO);
    scale *= 10;
  }
  return high * scale + low;
}

const SMALL_DIGITS = 8;

/** In the order of the store: by code units, part by part. */
export function compareNames(one: CredentialName, other: CredentialName): number {
  return (
    compare(one.tenant, other.tenant) ||
    compare(one.consumer, other.consumer) ||
    compare(one.name, other.name)
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
