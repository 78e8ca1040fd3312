/** What chains the records of the audit log, and what signs its ends. Pure, so that whoever checks a log needs no store. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { AuditRecord } from '../pipeline/audit.ts';

/** A place in the log. */
export interface AuditPlace {
  readonly sequence: number;
  /** Of the record there. */
  readonly hash: string;
}

/** A place that whoever has the key vouches for. */
export interface SignedPlace extends AuditPlace {
  /** HMAC-SHA-256 in hex. */
  readonly mac: string;
}

/**
 * What a signature says of a place, so that one can't stand for another:
 * `head`: the log ends here; `base`: all before it was given up by retention; `anchor`: it was here at some time;
 * `fork`: the store was put back to here by its owner.
 */
export type PlaceMeaning = 'head' | 'base' | 'anchor' | 'fork';

/** SHA-256 over the whole record but its hash. Values are plain JSON, whose text is the same each time it is made. */
export function auditHash(record: Omit<AuditRecord, 'hash'>): string {
  const { sequence, timeMs, previous, actor, action, target, before, after } = record;
  const text = JSON.stringify([sequence, timeMs, previous, actor, action, target, before, after]);
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

export function signPlace(
  key: Uint8Array,
  meaning: PlaceMeaning,
  { sequence, hash }: AuditPlace,
): SignedPlace {
  return { sequence, hash, mac: macOf(key, meaning, { sequence, hash }).toString('hex') };
}

export function isSigned(key: Uint8Array, meaning: PlaceMeaning, place: SignedPlace): boolean {
  const mac = Buffer.from(place.mac, 'hex');
  const expected = macOf(key, meaning, place);
  return mac.length === expected.length && timingSafeEqual(mac, expected);
}

function macOf(key: Uint8Array, meaning: PlaceMeaning, { sequence, hash }: AuditPlace): Buffer {
  return createHmac('sha256', key).update(`portunus audit ${meaning} ${sequence} ${hash}`, 'utf8').digest();
}
