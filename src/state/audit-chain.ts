/**
 * The audit log: who changed what, each record chained to the one before by its hash, the end signed with a key that lies
 * outside the store. A change and its record are one transaction.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../base/ports.ts';
import { ok, type Result } from '../base/result.ts';
import { AUDIT_GENESIS, type AuditEntry, type AuditPort, type AuditRecord } from '../pipeline/audit.ts';
import { type AuditPlace, auditHash, isSigned, type SignedPlace, signPlace } from './audit-hash.ts';
import type { AuditKey } from './audit-key.ts';
import type { StoreProblem } from './store-problem.ts';
import type { StoreChange, StoreTables } from './store-tables.ts';

export interface AuditLog extends AuditPort {
  append(entry: AuditEntry): Promise<Result<AuditRecord, StoreProblem>>;
  /** Makes a change and keeps its records in one transaction: after a crash all of it is there, or nothing. */
  change(
    entries: readonly AuditEntry[],
    write: (change: StoreChange) => void,
  ): Result<readonly AuditRecord[], StoreProblem>;
  /** The newest record's place. */
  head(): AuditPlace;
  /** The place before the oldest record that is kept. */
  base(): AuditPlace;
  /** The first `count` records behind `after`, oldest first. */
  records(after: number, count: number): Result<readonly AuditRecord[], StoreProblem>;
  /** Gives up the oldest records beyond `recordsMax`, at most {@link PRUNED_AT_ONCE} of them; the signed base says so. */
  prune(recordsMax: number): Result<void, StoreProblem>;
  /** Vouches for a place, to be kept outside the store. */
  sign(meaning: 'anchor' | 'fork', place: AuditPlace): SignedPlace;
  /** `told` learns of each new head once it is durable. */
  onHead(told: (head: AuditPlace) => void): void;
}

/** Values of more text than this are kept as their length and hash. */
export const AUDIT_VALUE_CHARACTERS_MAX = 256 * 1024;
/** So that a lowered bound doesn't hold up the control thread. */
export const PRUNED_AT_ONCE = 1_000;

export const AUDIT_TABLE = 'audit';
export const AUDIT_HEAD = ['audit-head'] as const;
export const AUDIT_BASE = ['audit-base'] as const;

export const AUDIT_BEGIN: AuditPlace = { sequence: 0, hash: AUDIT_GENESIS };

/** How a store came to be as it is: left so by the last gateway, or put in its place by the owner, whose doing the entry records. */
export type StoreArrival =
  | { readonly kind: 'left' }
  | { readonly kind: 'replaced'; readonly entryFor: (end: AuditPlace) => AuditEntry };

export function openAuditLog(
  tables: StoreTables,
  auditKey: AuditKey,
  clock: Pick<Clock, 'wallMs'>,
  arrival: StoreArrival,
): Result<AuditLog, StoreProblem> {
  const key = auditKey.bytes;
  const ends = arrival.kind === 'left' ? readEnds(tables, auditKey) : foundEnds(tables);
  if (!ends.ok) return ends;
  let { head, base } = ends.value;
  const listeners: ((head: AuditPlace) => void)[] = [];

  const change: AuditLog['change'] = (entries, write) => {
    const records = chained(head, entries, clock.wallMs());
    const last = records.at(-1) ?? head;
    const written = tables.change((transaction) => {
      write(transaction);
      for (const record of records) transaction.put([AUDIT_TABLE, record.sequence], record);
      if (records.length > 0) transaction.put(AUDIT_HEAD, signPlace(key, 'head', last));
    });
    if (!written.ok) return written;
    if (records.length > 0) {
      head = { sequence: last.sequence, hash: last.hash };
      for (const told of listeners) told(head);
    }
    return ok(records);
  };

  const opening = [
    ...(auditKey.state === 'fresh' && head.sequence > 0 ? [REKEYED] : []),
    ...(arrival.kind === 'replaced' ? [arrival.entryFor(head)] : []),
  ];
  if (opening.length > 0) {
    const signed = change(opening, (transaction) => {
      if (base.sequence > 0) transaction.put(AUDIT_BASE, signPlace(key, 'base', base));
    });
    if (!signed.ok) return signed;
  }
  // Last: killed before, the next start makes another key and says so again.
  const kept = auditKey.keep();
  if (!kept.ok) return kept;

  return ok({
    change,
    append: async (entry) => {
      const appended = change([entry], () => {});
      return appended.ok ? ok(appended.value[0]!) : appended;
    },
    head: () => head,
    base: () => base,
    records: (after, count) => {
      const first = Math.max(after, base.sequence) + 1;
      return tables.range<AuditRecord>(AUDIT_TABLE, first, count);
    },
    prune(recordsMax) {
      const last = Math.min(head.sequence - recordsMax, base.sequence + PRUNED_AT_ONCE);
      if (last <= base.sequence) return ok(undefined);
      const record = tables.get<AuditRecord>([AUDIT_TABLE, last]);
      if (!record.ok) return record;
      if (record.value === null) return tables.damaged(`record ${last} of the audit log is missing`);
      const later = { sequence: last, hash: record.value.hash };
      const written = tables.change((transaction) => {
        for (let at = base.sequence + 1; at <= last; at++) transaction.remove([AUDIT_TABLE, at]);
        transaction.put(AUDIT_BASE, signPlace(key, 'base', later));
      });
      if (written.ok) base = later;
      return written;
    },
    sign: (meaning, place) => signPlace(key, meaning, place),
    onHead: (told) => void listeners.push(told),
  });
}

/** A copy of a store that was restored elsewhere comes without its key. What was signed before can't be checked with the new one. */
const REKEYED: AuditEntry = {
  actor: { kind: 'gateway', cause: 'start' },
  action: 'audit.rekey',
  target: 'key of the audit log',
  before: null,
  after: null,
};

/** A log whose ends are not signed with this key is not gone on with: a new signature would hide what was done to it. */
function readEnds(
  tables: StoreTables,
  { bytes: key, state }: AuditKey,
): Result<{ readonly head: AuditPlace; readonly base: AuditPlace }, StoreProblem> {
  const head = tables.get<SignedPlace>(AUDIT_HEAD);
  if (!head.ok) return head;
  const base = tables.get<SignedPlace>(AUDIT_BASE);
  if (!base.ok) return base;
  for (const [meaning, end] of [
    ['head', head.value],
    ['base', base.value],
  ] as const) {
    if (state === 'kept' && end !== null && !isSigned(key, meaning, end))
      return tables.damaged(`the ${meaning} of the audit log is not signed with this gateway's key`);
  }
  const begin = base.value ?? AUDIT_BEGIN;
  const end = head.value ?? begin;
  const last = tables.last<AuditRecord>(AUDIT_TABLE);
  if (!last.ok) return last;
  // No record at all: all were given up by retention, or there never was one.
  if (
    (last.value?.sequence ?? begin.sequence) !== end.sequence ||
    (last.value?.hash ?? begin.hash) !== end.hash
  )
    return tables.damaged(`the audit log does not end with record ${end.sequence}, as its signed end says`);
  return ok({ head: place(end), base: place(begin) });
}

/** Of a store that its owner put in place, perhaps mended: whatever is there is gone on from, and verification tells what is missing. */
function foundEnds(
  tables: StoreTables,
): Result<{ readonly head: AuditPlace; readonly base: AuditPlace }, StoreProblem> {
  const base = tables.get<SignedPlace>(AUDIT_BASE);
  if (!base.ok) return base;
  const last = tables.last<AuditRecord>(AUDIT_TABLE);
  if (!last.ok) return last;
  const begin = base.value ?? AUDIT_BEGIN;
  return ok({ head: place(last.value ?? begin), base: place(begin) });
}

function place({ sequence, hash }: AuditPlace): AuditPlace {
  return { sequence, hash };
}

function chained(head: AuditPlace, entries: readonly AuditEntry[], timeMs: number): AuditRecord[] {
  let last = head;
  return entries.map((entry) => {
    const { actor, action, target, before, after } = plain(entry);
    const sequence = last.sequence + 1;
    const unhashed = { sequence, timeMs, previous: last.hash, actor, action, target, before, after };
    const record: AuditRecord = { ...unhashed, hash: auditHash(unhashed) };
    last = record;
    return record;
  });
}

/** As it will be read again: what JSON can't say would make another hash then. */
function plain(entry: AuditEntry): AuditEntry {
  const { before, after } = entry;
  return JSON.parse(
    JSON.stringify({ ...entry, before: bounded(before ?? null), after: bounded(after ?? null) }),
  ) as AuditEntry;
}

function bounded(value: unknown): unknown {
  const text = JSON.stringify(value);
  if (text.length <= AUDIT_VALUE_CHARACTERS_MAX) return value;
  return { omittedCharacters: text.length, sha256: createHash('sha256').update(text, 'utf8').digest('hex') };
}
