/**
 * Records of the store: JSON with a checksum over key and value, because LMDB's pages have none. The key is covered too, so
 * that a record that turns up in another place is seen.
 */
import { crc32 } from 'node:zlib';

export type RecordKey = readonly [table: string, ...path: (string | number)[]];

export function encodeRecord(key: RecordKey, value: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(value), 'utf8');
  const record = Buffer.alloc(4 + text.length);
  text.copy(record, 4);
  record.writeUInt32LE(checksum(key, text), 0);
  return record;
}

/** Undefined when the record is not as it was written. */
export function decodeRecord(key: RecordKey, record: Buffer): unknown {
  if (record.length < 5) return undefined;
  const text = record.subarray(4);
  if (record.readUInt32LE(0) !== checksum(key, text)) return undefined;
  // What the checksum covers was written by `encodeRecord`, so it is JSON.
  return JSON.parse(text.toString('utf8'));
}

/** The bytes of a record that is an ASCII text without signs that JSON escapes; undefined where it is not as it was written. */
export function decodeAsciiText(key: RecordKey, record: Buffer): Buffer | undefined {
  if (record.length < 4 + 2) return undefined;
  const text = record.subarray(4);
  if (record.readUInt32LE(0) !== checksum(key, text)) return undefined;
  const isText = text[0] === QUOTE && text[text.length - 1] === QUOTE && !text.includes(BACKSLASH);
  return isText ? text.subarray(1, -1) : undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function checksum(key: RecordKey, text: Buffer): number {
  return crc32(text, crc32(JSON.stringify(key)));
}
