/**
 * Secrets that `store:NAME` means, each sealed with AES-256-GCM under its name. While a secret is replaced with an overlap, the former
 * one is kept beside it until its time is over.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Clock, Random } from '../base/ports.ts';
import { ok, type Result } from '../base/result.ts';
import type { AuditActor, AuditEntry } from '../pipeline/audit.ts';
import type { AuditLog } from './audit-chain.ts';
import { makeSecretKey, missingSecretKey, readSecretKey, type SecretKeyPlace } from './secret-key.ts';
import { problem, type StoreProblem } from './store-problem.ts';
import type { StoreTables } from './store-tables.ts';

/** What may be seen of a secret. */
export interface SecretView {
  readonly name: string;
  /** Counts the values that it has had, from 1 on. */
  readonly generation: number;
  /** Since when it has the present one. */
  readonly sinceMs: number;
  /** Until when the value before it is kept; null: it is not. */
  readonly formerUntilMs: number | null;
}

/** A value, and which one it is. */
export interface SecretValue {
  readonly generation: number;
  readonly value: Uint8Array;
}

export interface OpenedSecret {
  readonly view: SecretView;
  readonly present: SecretValue;
  /** While it is replaced. */
  readonly former: SecretValue | null;
}

export interface SecretChange {
  readonly actor: AuditActor;
  /** How long the value before is kept beside it; 0: it is gone. */
  readonly keepFormerMs: number;
  /** What it is for, in words that the audit log shows: `key k1 of pool main`; null: not said. */
  readonly usedBy: string | null;
}

export interface StoredSecrets {
  list(): readonly SecretView[];
  /** Null: there is none of that name. */
  open(name: string): Result<OpenedSecret | null, StoreProblem>;
  set(name: string, value: Uint8Array, change: SecretChange): Result<SecretView, StoreProblem>;
  /** The former value is needed no more. */
  endFormer(name: string, actor: AuditActor): Result<void, StoreProblem>;
  /** The former value is the present one again: the one that was to replace it does not work. */
  goBack(name: string, actor: AuditActor): Result<void, StoreProblem>;
  remove(name: string, actor: AuditActor): Result<'removed' | 'unknown', StoreProblem>;
}

interface Sealed {
  readonly generation: number;
  readonly sinceMs: number;
  /** Base64. */
  readonly nonce: string;
  readonly text: string;
  readonly tag: string;
}

interface SecretRecord {
  readonly name: string;
  readonly present: Sealed;
  readonly former: (Sealed & { readonly untilMs: number }) | null;
}

export interface StoredSecretsParts {
  readonly tables: StoreTables;
  readonly audit: Pick<AuditLog, 'change'>;
  readonly key: SecretKeyPlace;
  readonly random: Random;
  readonly clock: Pick<Clock, 'wallMs'>;
}

const TABLE = 'sealed-secret';
const CIPHER = 'aes-256-gcm';
/** NIST SP 800-38D, 8.2: the length that GCM is made for. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Reads what there is; the key is read with the first secret that is needed. */
export function openStoredSecrets(parts: StoredSecretsParts): Result<StoredSecrets, StoreProblem> {
  const { tables, audit, random, clock } = parts;
  const stored = tables.list<SecretRecord>(TABLE);
  if (!stored.ok) return stored;
  const records = new Map(stored.value.map((record) => [record.name, record]));
  let known: Uint8Array | null = null;

  const keyFor = (use: 'seal' | 'open'): Result<Uint8Array, StoreProblem> => {
    if (known !== null) return ok(known);
    const read = readSecretKey(parts.key);
    if (!read.ok) return read;
    // With another key, what is there could never be opened again.
    const mayMake = use === 'seal' && records.size === 0;
    if (read.value === null && !mayMake) return missingSecretKey(parts.key.folder);
    const key = read.value === null ? makeSecretKey(parts.key.folder, random) : ok(read.value);
    if (key.ok) known = key.value;
    return key;
  };

  const write = (
    before: SecretRecord | undefined,
    after: SecretRecord | null,
    action: AuditEntry['action'],
    { actor, usedBy = null }: Partial<SecretChange> & Pick<SecretChange, 'actor'>,
  ): Result<void, StoreProblem> => {
    const name = (after ?? before)!.name;
    const shown = (record: SecretRecord | null | undefined) => (record == null ? null : viewOf(record));
    const target = usedBy === null ? `secret ${name}` : `secret ${name} of ${usedBy}`;
    const entry = { actor, action, target, before: shown(before), after: shown(after) };
    const written = audit.change([entry], (change) => {
      if (after === null) change.remove([TABLE, name]);
      else change.put([TABLE, name], after);
    });
    if (!written.ok) return written;
    if (after === null) records.delete(name);
    else records.set(name, after);
    return ok(undefined);
  };

  return ok({
    list: () => [...records.values()].map(viewOf),
    open(name) {
      const record = records.get(name);
      if (record === undefined) return ok(null);
      const key = keyFor('open');
      if (!key.ok) return key;
      const present = unseal(key.value, name, record.present);
      if (!present.ok) return present;
      const former = record.former === null ? ok(null) : unseal(key.value, name, record.former);
      if (!former.ok) return former;
      return ok({ view: viewOf(record), present: present.value, former: former.value });
    },
    set(name, value, asked) {
      const { keepFormerMs } = asked;
      const key = keyFor('seal');
      if (!key.ok) return key;
      const before = records.get(name);
      // Secrets under two keys could never be opened together.
      const [other] = before === undefined ? records.values() : [before];
      const opens = other === undefined ? ok(null) : unseal(key.value, other.name, other.present);
      if (!opens.ok) return opens;
      const nowMs = clock.wallMs();
      const keepsFormer = keepFormerMs > 0 && before !== undefined;
      const after: SecretRecord = {
        name,
        present: seal(key.value, name, value, {
          generation: (before?.present.generation ?? 0) + 1,
          sinceMs: nowMs,
          random,
        }),
        former: keepsFormer ? { ...before.present, untilMs: nowMs + keepFormerMs } : null,
      };
      const action = keepsFormer ? 'secrets.rotate' : 'secrets.set';
      const written = write(before, after, action, asked);
      return written.ok ? ok(viewOf(after)) : written;
    },
    endFormer(name, actor) {
      const before = records.get(name);
      if (before === undefined || before.former === null) return ok(undefined);
      return write(before, { ...before, former: null }, 'secrets.retire', { actor });
    },
    goBack(name, actor) {
      const before = records.get(name);
      if (before === undefined || before.former === null) return ok(undefined);
      const { untilMs: _, ...former } = before.former;
      return write(before, { name, present: former, former: null }, 'secrets.go-back', { actor });
    },
    remove(name, actor) {
      const before = records.get(name);
      if (before === undefined) return ok('unknown');
      const written = write(before, null, 'secrets.remove', { actor });
      return written.ok ? ok('removed') : written;
    },
  });
}

function viewOf({ name, present, former }: SecretRecord): SecretView {
  const { generation, sinceMs } = present;
  return { name, generation, sinceMs, formerUntilMs: former?.untilMs ?? null };
}

/** Name and generation are vouched for: no record can take the place of another. */
function contextOf(name: string, generation: number): Buffer {
  return Buffer.from(JSON.stringify([name, generation]), 'utf8');
}

function seal(
  key: Uint8Array,
  name: string,
  value: Uint8Array,
  { generation, sinceMs, random }: { generation: number; sinceMs: number; random: Random },
): Sealed {
  const nonce = new Uint8Array(NONCE_BYTES);
  random.fill(nonce);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(contextOf(name, generation));
  const text = Buffer.concat([cipher.update(value), cipher.final()]);
  return {
    generation,
    sinceMs,
    nonce: Buffer.from(nonce).toString('base64'),
    text: text.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  };
}

function unseal(
  key: Uint8Array,
  name: string,
  { generation, nonce, text, tag }: Sealed,
): Result<SecretValue, StoreProblem> {
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(nonce, 'base64'), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(contextOf(name, generation));
    decipher.setAuthTag(Buffer.from(tag, 'base64'));
    const value = Buffer.concat([decipher.update(Buffer.from(text, 'base64')), decipher.final()]);
    return ok({ generation, value });
  } catch {
    return problem(
      'secret_sealed',
      `store:${name}`,
      `The secret "${name}" can't be opened: it was sealed with another key, or its record was changed.`,
      'Put the key back that it was sealed with. Where it is lost, remove each secret and set it again.',
    );
  }
}
