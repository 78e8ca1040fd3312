/**
 * Whether an audit log is as it was written: each record against its hash and the one before, the ends against their signatures, and
 * all of it against anchors that were kept outside the store. Changes nothing, and needs no gateway.
 */
import { AUDIT_GENESIS, type AuditRecord } from '../pipeline/audit.ts';
import type { AnchorLine } from './audit-anchors.ts';
import { AUDIT_BEGIN } from './audit-chain.ts';
import { type AuditPlace, auditHash, isSigned, type SignedPlace } from './audit-hash.ts';

/** What is kept, as it is found. */
export interface FoundAudit {
  readonly base: SignedPlace | null | 'damaged';
  readonly head: SignedPlace | null | 'damaged';
  /** In the order of their keys; null for one whose checksum is wrong. */
  readonly records: Iterable<{ readonly sequence: number; readonly record: AuditRecord | null }>;
}

export interface AuditVerdict {
  /** Records that are kept, sound or not. */
  readonly records: number;
  readonly first: number | null;
  readonly last: AuditPlace | null;
  /** Anchors that the log was held against. */
  readonly anchors: number;
  readonly findings: readonly AuditFinding[];
  /** What is no fault, but has to be known. */
  readonly notes: readonly string[];
  /** Of the findings, those beyond {@link FINDINGS_NAMED_MAX}. */
  readonly findingsOmitted: number;
}

export type AuditFindingKind =
  /** The checksum of a record is wrong. */
  | 'damaged'
  /** Records are missing between others, or before the first. */
  | 'gap'
  /** A record is not what its hash was made of. */
  | 'edited'
  /** A record does not follow the one before. */
  | 'unchained'
  /** The end is missing. */
  | 'truncated'
  /** An end or an anchor is not signed with the key. */
  | 'unsigned'
  /** A record is another than the one that an anchor, or the signed end, names. */
  | 'rewritten'
  /** A record stands where none may. */
  | 'stray';

export interface AuditFinding {
  readonly kind: AuditFindingKind;
  readonly sequence: number;
  /** One sentence. */
  readonly says: string;
}

/** A place that somebody kept elsewhere: a printed line, a ticket. It needs no signature: whoever asks trusts it. */
export type ForeignAnchor = AuditPlace;

export const FINDINGS_NAMED_MAX = 100;

export function verifyAudit(
  found: FoundAudit,
  key: Uint8Array,
  lines: readonly AnchorLine[],
  foreign: readonly ForeignAnchor[],
): AuditVerdict {
  const verification = new Verification(key);
  verification.takeAnchors(lines, foreign);
  verification.takeBase(found.base);
  for (const { sequence, record } of found.records) verification.takeRecord(sequence, record);
  verification.takeHead(found.head);
  return verification.verdict();
}

class Verification {
  readonly #key: Uint8Array;
  readonly #findings: AuditFinding[] = [];
  readonly #notes: string[] = [];
  /** Hashes that anchors name, by sequence number. */
  #anchors = new Map<number, Set<string>>();
  #anchorsTaken = 0;
  #foreign: readonly ForeignAnchor[] = [];
  #base: AuditPlace = AUDIT_BEGIN;
  #records = 0;
  #first: number | null = null;
  /** The last record, and its hash where it is readable. */
  #last: { readonly sequence: number; readonly hash: string | null } = AUDIT_BEGIN;
  #omitted = 0;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  takeAnchors(lines: readonly AnchorLine[], foreign: readonly ForeignAnchor[]): void {
    for (const line of lines) {
      if (line.kind === 'unreadable') {
        this.#find('unsigned', 0, `Line ${line.line} of the anchors can't be read.`);
        continue;
      }
      const { kind, sequence, timeMs } = line;
      const when = new Date(timeMs).toISOString();
      if (!isSigned(this.#key, kind, line)) {
        this.#find(
          'unsigned',
          sequence,
          `The ${kind} of ${when} at record ${sequence} is not signed with the key.`,
        );
      } else if (kind === 'fork') this.#fork(sequence, when);
      else this.#anchor(line);
    }
    for (const place of foreign) this.#anchor(place);
    this.#foreign = foreign;
  }

  #anchor({ sequence, hash }: AuditPlace): void {
    this.#anchorsTaken++;
    const hashes = this.#anchors.get(sequence) ?? new Set();
    this.#anchors.set(sequence, hashes.add(hash));
  }

  /** The owner put the store back: what was anchored behind that place is of the log that was left. */
  #fork(at: number, when: string): void {
    const left = [...this.#anchors.keys()].filter((sequence) => sequence > at);
    this.#anchors = new Map([...this.#anchors].filter(([sequence]) => sequence <= at));
    const behind =
      left.length === 0 ? '' : ` Records up to ${Math.max(...left)} of the log before are not in this store.`;
    this.#notes.push(`On ${when} the store was put back, or recovered, as it was at record ${at}.${behind}`);
  }

  takeBase(base: FoundAudit['base']): void {
    if (base === 'damaged') {
      this.#find('damaged', 0, 'The signed beginning of the log is damaged.');
    } else if (base !== null) {
      if (!isSigned(this.#key, 'base', base))
        this.#find('unsigned', base.sequence, 'The beginning of the log is not signed with the key.');
      else this.#notes.push(`Records up to ${base.sequence} were given up by retention.`);
      this.#base = base;
    }
    this.#last = this.#base;
    this.#compare(this.#base.sequence, this.#base.hash);
    this.#missForeign();
  }

  /** Whoever names an anchor asks for it to be compared: where that can't be done, nothing vouches for the log. */
  #missForeign(): void {
    for (const { sequence } of this.#foreign.filter((place) => place.sequence < this.#base.sequence)) {
      this.#anchorsTaken--;
      this.#find(
        'gap',
        sequence,
        `Record ${sequence}, which an anchor from elsewhere names, is no longer kept: the log can't be held against that anchor.`,
      );
    }
  }

  takeRecord(sequence: number, record: AuditRecord | null): void {
    this.#records++;
    this.#first ??= sequence;
    const expected = this.#last.sequence + 1;
    if (sequence < expected) {
      this.#find('stray', sequence, `Record ${sequence} stands before the beginning of the log.`);
      return;
    }
    if (sequence > expected)
      this.#find('gap', expected, `${spelled(expected, sequence - 1)} missing before record ${sequence}.`);
    const follows = sequence === expected && this.#last.hash !== null;
    if (record === null) this.#find('damaged', sequence, `The checksum of record ${sequence} is wrong.`);
    else this.#judge(sequence, record, follows ? this.#last.hash : null);
    this.#last = { sequence, hash: record === null ? null : record.hash };
  }

  #judge(sequence: number, record: AuditRecord, previous: string | null): void {
    const { hash, ...rest } = record;
    if (record.sequence !== sequence || auditHash(rest) !== hash)
      this.#find('edited', sequence, `Record ${sequence} is not as it was written.`);
    if (previous !== null && record.previous !== previous)
      this.#find('unchained', sequence, `Record ${sequence} does not follow the record before it.`);
    this.#compare(sequence, hash);
  }

  #compare(sequence: number, hash: string): void {
    for (const anchored of this.#anchors.get(sequence) ?? [])
      if (anchored !== hash)
        this.#find('rewritten', sequence, `Record ${sequence} is another than the one that was anchored.`);
  }

  takeHead(head: FoundAudit['head']): void {
    const { sequence: last, hash } = this.#last;
    if (head === 'damaged') this.#find('damaged', last, 'The signed end of the log is damaged.');
    else if (head === null) {
      if (last > 0) this.#find('unsigned', last, 'The signed end of the log is missing.');
    } else if (!isSigned(this.#key, 'head', head))
      this.#find('unsigned', head.sequence, 'The end of the log is not signed with the key.');
    else if (head.sequence > last)
      this.#find('truncated', last + 1, `${spelled(last + 1, head.sequence)} missing at the end.`);
    else if (head.sequence < last)
      this.#find(
        'stray',
        head.sequence + 1,
        `Records stand behind the signed end of the log, record ${head.sequence}.`,
      );
    else if (hash !== null && hash !== head.hash)
      this.#find('rewritten', last, `Record ${last} is another than the one that the end was signed for.`);
    const beyond = Math.max(0, ...[...this.#anchors.keys()].filter((sequence) => sequence > last));
    if (beyond > 0)
      this.#find(
        'truncated',
        last + 1,
        `${spelled(last + 1, beyond)} missing at the end: an anchor names record ${beyond}.`,
      );
  }

  #find(kind: AuditFindingKind, sequence: number, says: string): void {
    if (this.#findings.length < FINDINGS_NAMED_MAX) this.#findings.push({ kind, sequence, says });
    else this.#omitted++;
  }

  verdict(): AuditVerdict {
    const { sequence, hash } = this.#last;
    return {
      records: this.#records,
      first: this.#first,
      last: sequence === 0 ? null : { sequence, hash: hash ?? AUDIT_GENESIS },
      anchors: this.#anchorsTaken,
      findings: this.#findings,
      notes: this.#notes,
      findingsOmitted: this.#omitted,
    };
  }
}

function spelled(from: number, to: number): string {
  return from === to ? `Record ${from} is` : `Records ${from} to ${to} are`;
}
