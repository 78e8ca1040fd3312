/**
 * Consumer keys: issued, listed, rotated, expired and revoked while requests are served. What is answered is on the disk and
 * holds on all data threads. Keys of files are ended here, too; they are made and removed where they are written.
 */
import type { Clock, Random } from '../base/ports.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { CredentialKind, Directory } from '../model/world.ts';
import type { AuditActor, AuditEntry } from '../pipeline/audit.ts';
import { isEnvironment, issueKey } from './consumer-key.ts';
import { hadName, lastNumber, withNames } from './key-names.ts';
import { ended, type KeyProblem, noRoom, notAKey, notSaved, tooFar, unread } from './key-problems.ts';
import {
  compareNames,
  type KeyChange,
  type KeyEnding,
  type KeyName,
  type KeyScope,
  type KeyStore,
  type PastNames,
  type StoredKey,
  type StoreFault,
  spell,
} from './key-store.ts';
import { MOMENT_MAX_MS } from './key-table.ts';
import type { DirectoryFull, SharedDirectory } from './shared-directory.ts';

/** A key as it is shown: never the key, nor its hash. */
export interface KeyView extends KeyName {
  readonly kind: CredentialKind;
  readonly keyId: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
  /** Where it is defined: in a YAML file, or in the store because it was issued here. */
  readonly in: 'file' | 'store';
  /** `dormant`: there is no such consumer now. */
  readonly state: 'live' | 'expired' | 'revoked' | 'dormant';
}

export interface IssuedView extends KeyView {
  /** Told this one time. */
  readonly key: string;
}

export interface IssueRequest {
  readonly tenant: string;
  readonly consumer: string;
  /** Null: the first free one of `consumer-1`, `consumer-2` … */
  readonly name: string | null;
  readonly environment: string;
  readonly expiresMs: number | null;
}

export interface RotateRequest extends KeyName {
  readonly environment: string;
  /** How long the old key counts beside the new one. */
  readonly overlapMs: number;
  /** Of the new key; `same` gives it as long a life as the old one was given. */
  readonly expiresMs: number | null | 'same';
}

export interface ListRequest {
  readonly tenant: string | null;
  readonly consumer: string | null;
  /** Only what comes behind it, in order of tenant, consumer and name. */
  readonly after: KeyName | null;
  readonly count: number;
}

export interface ConsumerKeysParts {
  readonly store: KeyStore;
  readonly memory: SharedDirectory;
  readonly clock: Clock;
  readonly random: Random;
  readonly pepper: Uint8Array;
  readonly hasConsumer: (tenant: string, consumer: string) => boolean;
}

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/;
const NUMBERED_NAMES_MAX = 1_000;
/** So that there is room for a number behind it. */
const STEM_LENGTH_MAX = 80;
/** Ended keys of a consumer that are cleared away when it gets another. */
const CLEARED_MAX = 100;

export class ConsumerKeys {
  readonly #parts: ConsumerKeysParts;
  #written = new Map<string, WrittenKey>();
  /** By hash: a key that ended does not come back under another name, nor when the file has it again. */
  readonly #endings = new Map<string, KeyEnding>();

  constructor(parts: ConsumerKeysParts) {
    this.#parts = parts;
  }

  /** Once, before anybody asks: what the store has. */
  load(): Result<void, string> {
    const { store, memory } = this.#parts;
    const endings = store.endings();
    if (!endings.ok) return err(endings.error.message);
    for (const ending of endings.value) this.#endings.set(ending.hash, ending);
    let full: DirectoryFull = null;
    const read = store.scan((keys) => {
      const lacking = memory.putScanned(keys);
      full ??= lacking;
    });
    if (!read.ok) return err(read.error.message);
    return full === null ? ok(undefined) : err(noRoom(full).message);
  }

  /** The files say other things now. What they no longer hold counts no more when this returns. */
  follow(directory: Directory): DirectoryFull {
    const before = this.#written;
    this.#written = writtenKeys(directory);
    let full: DirectoryFull = null;
    for (const [spelt, key] of before)
      if (this.#written.get(spelt)?.hash !== key.hash) this.#parts.memory.endKey(key.hash);
    for (const [spelt, key] of this.#written) {
      const stored = before.has(spelt) ? null : this.#stored(key);
      if (stored !== null && stored.hash !== key.hash) this.#parts.memory.endKey(stored.hash);
      // All of them, even when there is no room: one that ends earlier now must end.
      const lacking = this.#count(key);
      full ??= lacking;
    }
    // A name that a file had is its stored key's again.
    for (const [spelt, key] of before) {
      const stored = this.#written.has(spelt) ? null : this.#stored(key);
      const lacking = stored === null ? null : this.#hold(stored, 'key');
      full ??= lacking;
    }
    return full;
  }

  list({ tenant, consumer, after, count }: ListRequest): Result<readonly KeyView[], KeyProblem> {
    const scope: KeyScope = tenant === null ? [] : consumer === null ? [tenant] : [tenant, consumer];
    const stored = this.#parts.store.page(scope, after, count);
    if (!stored.ok) return err(unread(stored.error));
    const asked = (key: KeyName): boolean =>
      (tenant === null || key.tenant === tenant) && (consumer === null || key.consumer === consumer);
    const behind = (key: KeyName): boolean => after === null || compareNames(key, after) > 0;
    const written = [...this.#written.values()].filter((key) => asked(key) && behind(key));
    const shown = stored.value.filter((key) => !this.#written.has(spell(key)));
    const all = [...written, ...shown].sort(compareNames).slice(0, count);
    return ok(all.map((key) => this.#view(key)));
  }

  issue(request: IssueRequest, actor: AuditActor): Result<IssuedView, KeyProblem> {
    const refused = this.#refusal(request);
    if (refused !== null) return err(refused);
    const name = request.name === null ? this.#freeName(request, request.consumer) : this.#unused(request);
    if (!name.ok) return name;
    return this.#add({ ...request, name: name.value }, null, actor);
  }

  rotate(
    { overlapMs, expiresMs, environment, ...name }: RotateRequest,
    actor: AuditActor,
  ): Result<IssuedView, KeyProblem> {
    const old = this.#known(name);
    if (!old.ok) return old;
    const { clock } = this.#parts;
    const nowMs = clock.wallMs();
    const view = this.#view(old.value);
    if (view.kind !== 'key') return err(notAKey(name, view.kind));
    if (view.state !== 'live') return err(ended(name));
    const lifeMs = old.value.expiresMs === null ? null : old.value.expiresMs - old.value.createdMs;
    const sameMs = lifeMs === null ? null : Math.min(nowMs + lifeMs, MOMENT_MAX_MS);
    const request = {
      ...name,
      environment,
      expiresMs: expiresMs === 'same' ? sameMs : expiresMs,
    };
    const refused = this.#refusal(request);
    if (refused !== null) return err(refused);
    const free = this.#freeName(name, name.name.replace(/-\d+$/, ''));
    if (!free.ok) return free;
    return this.#add(
      { ...request, name: free.value },
      { key: old.value, endsMs: overlapMs === 0 ? 0 : Math.min(nowMs + overlapMs, MOMENT_MAX_MS) },
      actor,
    );
  }

  /** Ends it for good; a moment that has passed is a revocation. */
  expire(name: KeyName, atMs: number, actor: AuditActor): Result<KeyView, KeyProblem> {
    if (atMs <= this.#parts.clock.wallMs()) return this.revoke(name, actor);
    if (atMs > MOMENT_MAX_MS) return err(tooFar());
    const known = this.#known(name);
    if (!known.ok) return known;
    const before = this.#view(known.value);
    if (before.state !== 'live') return err(ended(name));
    const after: KeyView = { ...before, expiresMs: atMs };
    const change = this.#endingOf(known.value, atMs);
    const saved = this.#parts.store.change(change, [entry(actor, 'keys.expire', before, after)]);
    if (!saved.ok) return err(notSaved(saved.error, 'Nothing has changed.'));
    const full = this.#apply(change);
    return full === null ? ok(after) : err(noRoom(full));
  }

  /** No request that begins after this returns is let in by that key, on any thread. */
  revoke(name: KeyName, actor: AuditActor): Result<KeyView, KeyProblem> {
    const known = this.#known(name);
    if (!known.ok) return known;
    const before = this.#view(known.value);
    const change = this.#endingOf(known.value, 0);
    // First what protects; then what keeps it so.
    this.#apply(change);
    const after: KeyView = { ...before, state: 'revoked' };
    const saved = this.#parts.store.change(change, [entry(actor, 'keys.revoke', before, after)]);
    if (saved.ok) return ok(after);
    const until = 'The key counts no more, but only until this process ends: revoke it again.';
    return err(notSaved(saved.error, until));
  }

  /** Keys of the store that a consumer has. */
  issuedTo(tenant: string, consumer: string): Result<readonly StoredKey[], StoreFault> {
    return this.#parts.store.page([tenant, consumer], null, Number.POSITIVE_INFINITY);
  }

  /** Their consumer was deleted, and they with it. */
  forget(keys: readonly StoredKey[]): void {
    for (const { hash } of keys) this.#parts.memory.endKey(hash);
  }

  /** The new key, and what becomes of the one that it replaces, in one step. */
  #add(
    request: IssueRequest & KeyName,
    old: Replaced | null,
    actor: AuditActor,
  ): Result<IssuedView, KeyProblem> {
    const { random, pepper, clock, store, memory } = this.#parts;
    if (memory.isFull) return err(noRoom('consumerKeys'));
    const { environment, tenant, consumer, name, expiresMs } = request;
    const { key, keyId, hash } = issueKey({ random, environment, pepper });
    const stored: StoredKey = {
      tenant,
      consumer,
      name,
      keyId,
      hash,
      createdMs: clock.wallMs(),
      expiresMs,
    };
    const cleared = this.#cleared(request);
    const past = this.#past(request);
    if (!past.ok) return past;
    const ending = old === null ? {} : this.#endingOf(old.key, earlier(old.key.expiresMs, old.endsMs));
    const change: KeyChange = {
      ...ending,
      put: [...(ending.put ?? []), stored],
      remove: [...(ending.remove ?? []), ...cleared],
      past: [withNames(past.value, [...cleared.map(({ name: gone }) => gone), old?.key.name ?? name, name])],
    };
    const issued: KeyView = { ...nameAndLife(stored), kind: 'key', in: 'store', state: 'live' };
    const before = old === null ? null : this.#view(old.key);
    const action = old === null ? 'keys.issue' : 'keys.rotate';
    const saved = store.change(change, [entry(actor, action, before, issued)]);
    if (!saved.ok) return err(notSaved(saved.error, 'No key was issued.'));
    const full = this.#apply(change);
    return full === null ? ok({ ...issued, key }) : err(noRoom(full));
  }

  /** Keys of the consumer that have ended: rotation would gather them without end. */
  #cleared({ tenant, consumer }: Pick<KeyName, 'tenant' | 'consumer'>): readonly StoredKey[] {
    const page = this.#parts.store.page([tenant, consumer], null, CLEARED_MAX);
    const nowMs = this.#parts.clock.wallMs();
    return page.ok ? page.value.filter(({ expiresMs }) => expiresMs !== null && expiresMs <= nowMs) : [];
  }

  #endingOf(key: StoredKey, endsMs: number): KeyChange {
    const { tenant, consumer, name, hash } = key;
    const known = this.#past(key);
    const past = known.ok ? [withNames(known.value, [name])] : [];
    if (this.#written.has(spell(key))) return { endings: [{ tenant, consumer, name, hash, endsMs }], past };
    return endsMs === 0 ? { remove: [key], past } : { put: [{ ...key, expiresMs: endsMs }], past };
  }

  /** Makes memory follow the store. */
  #apply({ put = [], remove = [], endings = [] }: KeyChange): DirectoryFull {
    const { memory } = this.#parts;
    let full: DirectoryFull = null;
    for (const key of remove) memory.endKey(key.hash);
    for (const ending of endings) {
      this.#endings.set(ending.hash, ending);
      const written = this.#written.get(spell(ending));
      const lacking = written === undefined ? null : this.#count(written);
      full ??= lacking;
    }
    for (const key of put) {
      const lacking = this.#hold(key, 'key');
      full ??= lacking;
    }
    return full;
  }

  /** A written key counts as its file and its ending say. */
  #count(written: WrittenKey): DirectoryFull {
    const key = this.#withEnding(written);
    if (key.expiresMs !== 0) return this.#hold(key, written.kind);
    this.#parts.memory.endKey(key.hash);
    return null;
  }

  #hold(
    { tenant, consumer, name, hash, createdMs, expiresMs }: StoredKey,
    kind: CredentialKind,
  ): DirectoryFull {
    return this.#parts.memory.putKey(tenant, consumer, { name, kind, hash, createdMs, expiresMs });
  }

  /** 0 where it was revoked. */
  #withEnding(written: StoredKey): StoredKey {
    const ending = this.#endings.get(written.hash);
    if (ending === undefined) return written;
    return { ...written, expiresMs: earlier(written.expiresMs, ending.endsMs) };
  }

  #stored(name: KeyName): StoredKey | null {
    const stored = this.#parts.store.get(name);
    return stored.ok ? stored.value : null;
  }

  #known(name: KeyName): Result<StoredKey, KeyProblem> {
    const written = this.#written.get(spell(name));
    if (written !== undefined) return ok(this.#withEnding(written));
    const stored = this.#parts.store.get(name);
    if (!stored.ok) return err(unread(stored.error));
    if (stored.value !== null) return ok(stored.value);
    return err({
      code: 'key_not_found',
      message: `Consumer "${name.consumer}" of "${name.tenant}" has no key "${name.name}".`,
      remedy: '`portunus keys list` names all keys.',
    });
  }

  #refusal(request: IssueRequest): KeyProblem | null {
    const { tenant, consumer, name, environment, expiresMs } = request;
    if (!this.#parts.hasConsumer(tenant, consumer)) {
      return {
        code: 'consumer_not_found',
        message: `There is no consumer "${consumer}" in a tenant "${tenant}".`,
        remedy: 'Add it to tenants/*.yaml, or make it through the admin API.',
      };
    }
    if (name !== null && !NAME.test(name)) {
      return {
        code: 'malformed_name',
        message: `"${name}" can't be the name of a key.`,
        remedy: 'Use lower-case letters and digits, with - _ . between them.',
      };
    }
    if (!isEnvironment(environment)) {
      return {
        code: 'malformed_name',
        message: `"${environment}" can't be the environment of a key.`,
        remedy: 'Use a word of at most 16 lower-case letters and digits, such as live or test.',
      };
    }
    if (expiresMs !== null && expiresMs <= this.#parts.clock.wallMs()) {
      return {
        code: 'expiry_passed',
        message: 'The key would have expired before it is issued.',
        remedy: 'Give it a moment that is to come.',
      };
    }
    if (expiresMs !== null && expiresMs > MOMENT_MAX_MS) return tooFar();
    return null;
  }

  #unused({ tenant, consumer, name }: IssueRequest): Result<string, KeyProblem> {
    const known = this.#known({ tenant, consumer, name: name! });
    const past = this.#past({ tenant, consumer });
    if (!past.ok) return past;
    if (!known.ok && known.error.code !== 'key_not_found') return known;
    if (!known.ok && !hadName(past.value, name!)) return ok(name!);
    return err({
      code: 'key_name_taken',
      message: `Consumer "${consumer}" of "${tenant}" has, or had, a key "${name}".`,
      remedy: 'Give another name, or none; `portunus keys rotate` replaces a key.',
    });
  }

  #freeName(
    { tenant, consumer }: Pick<KeyName, 'tenant' | 'consumer'>,
    base: string,
  ): Result<string, KeyProblem> {
    const past = this.#past({ tenant, consumer });
    if (!past.ok) return past;
    const stem = base.slice(0, STEM_LENGTH_MAX);
    const last = lastNumber(past.value.numbers, stem);
    for (let number = last + 1; number <= last + NUMBERED_NAMES_MAX; number++) {
      const name = `${stem}-${number}`;
      const known = this.#known({ tenant, consumer, name });
      if (!known.ok) return known.error.code === 'key_not_found' ? ok(name) : known;
    }
    return err({
      code: 'key_name_taken',
      message: `Consumer "${consumer}" of "${tenant}" has ${NUMBERED_NAMES_MAX} keys that are numbered.`,
      remedy: 'Give the key a name of its own.',
    });
  }

  #past({ tenant, consumer }: Pick<KeyName, 'tenant' | 'consumer'>): Result<PastNames, KeyProblem> {
    const past = this.#parts.store.past(tenant, consumer);
    if (!past.ok) return err(unread(past.error));
    return ok(past.value ?? { tenant, consumer, numbers: {}, ended: [] });
  }

  #view(key: StoredKey): KeyView {
    const written = this.#written.get(spell(key));
    const view = nameAndLife(written === undefined ? key : this.#withEnding(key));
    return {
      ...view,
      kind: written?.kind ?? 'key',
      in: written === undefined ? 'store' : 'file',
      state: this.#stateOf(view),
    };
  }

  #stateOf({ tenant, consumer, expiresMs }: NameAndLife): KeyView['state'] {
    if (expiresMs === 0) return 'revoked';
    if (expiresMs !== null && expiresMs <= this.#parts.clock.wallMs()) return 'expired';
    return this.#parts.hasConsumer(tenant, consumer) ? 'live' : 'dormant';
  }
}

type NameAndLife = Omit<KeyView, 'kind' | 'in' | 'state'>;

function nameAndLife({ tenant, consumer, name, keyId, createdMs, expiresMs }: StoredKey): NameAndLife {
  const endsMs = expiresMs === null ? null : Math.min(expiresMs, MOMENT_MAX_MS);
  return { tenant, consumer, name, keyId, createdMs, expiresMs: endsMs };
}

/** Which key, and its life before and after. A view holds neither the key nor its hash. */
function entry(
  actor: AuditActor,
  action: AuditEntry['action'],
  before: KeyView | null,
  after: KeyView,
): AuditEntry {
  const { tenant, consumer, name } = after;
  return { actor, action, target: `consumer ${tenant}/${consumer}, key ${name}`, before, after };
}

interface Replaced {
  readonly key: StoredKey;
  readonly endsMs: number;
}

/** One of a file, which need not be a key. */
interface WrittenKey extends StoredKey {
  readonly kind: CredentialKind;
}

function writtenKeys(directory: Directory): Map<string, WrittenKey> {
  const keys = new Map<string, WrittenKey>();
  for (const tenant of directory.tenants.values()) {
    for (const consumer of tenant.consumers.values()) {
      for (const { secrets: _, ...credential } of consumer.credentials) {
        const key = { tenant: tenant.name, consumer: consumer.name, ...credential };
        keys.set(spell(key), key);
      }
    }
  }
  return keys;
}

function earlier(expiresMs: number | null, endsMs: number): number {
  return expiresMs === null ? endsMs : Math.min(expiresMs, endsMs);
}
