/**
 * Consumer keys: issued, listed, rotated, expired and revoked while requests are served. What is answered is on the disk and
 * holds on all data threads. Keys of files are ended here, too; they are made and removed where they are written.
 */
import type { Clock, Random } from '../base/ports.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Directory } from '../model/world.ts';
import type { AuditActor } from '../pipeline/audit.ts';
import { issueKey } from './consumer-key.ts';
import { hadName, lastNumber, withNames } from './key-names.ts';
import { ended, type KeyProblem, noRoom, notAKey, notSaved, tooFar, unread } from './key-problems.ts';
import { type IssueRequest, type ListRequest, type RotateRequest, refusal } from './key-requests.ts';
import {
  compareNames,
  type KeyChange,
  type KeyName,
  type KeyScope,
  type KeyStore,
  type StoredKey,
  type StoreFault,
  spell,
} from './key-store.ts';
import { MOMENT_MAX_MS } from './key-table.ts';
import { auditEntry, type IssuedView, type KeyView, type NameAndLife, nameAndLife } from './key-views.ts';
import { earlier, KnownKeys } from './known-keys.ts';
import type { DirectoryFull, SharedDirectory } from './shared-directory.ts';

export interface ConsumerKeysParts {
  readonly store: KeyStore;
  readonly memory: SharedDirectory;
  readonly clock: Clock;
  readonly random: Random;
  readonly pepper: Uint8Array;
  readonly hasConsumer: (tenant: string, consumer: string) => boolean;
}

const NUMBERED_NAMES_MAX = 1_000;
/** So that there is room for a number behind it. */
const STEM_LENGTH_MAX = 80;
/** Ended keys of a consumer that are cleared away when it gets another. */
const CLEARED_MAX = 100;

export class ConsumerKeys {
  readonly #parts: ConsumerKeysParts;
  readonly #known: KnownKeys;

  constructor(parts: ConsumerKeysParts) {
    this.#parts = parts;
    this.#known = new KnownKeys(parts.store, parts.memory);
  }

  /** Once, before anybody asks: what the store has. */
  load(): Result<void, string> {
    return this.#known.load();
  }

  /** The files say other things now. What they no longer hold counts no more when this returns. */
  follow(directory: Directory): DirectoryFull {
    return this.#known.follow(directory);
  }

  list({ tenant, consumer, after, count }: ListRequest): Result<readonly KeyView[], KeyProblem> {
    const scope: KeyScope = tenant === null ? [] : consumer === null ? [tenant] : [tenant, consumer];
    const stored = this.#parts.store.page(scope, after, count);
    if (!stored.ok) return err(unread(stored.error));
    const asked = (key: KeyName): boolean =>
      (tenant === null || key.tenant === tenant) && (consumer === null || key.consumer === consumer);
    const behind = (key: KeyName): boolean => after === null || compareNames(key, after) > 0;
    const written = [...this.#known.written.values()].filter((key) => asked(key) && behind(key));
    const shown = stored.value.filter((key) => !this.#known.written.has(spell(key)));
    const all = [...written, ...shown].sort(compareNames).slice(0, count);
    return ok(all.map((key) => this.#view(key)));
  }

  issue(request: IssueRequest, actor: AuditActor): Result<IssuedView, KeyProblem> {
    const { hasConsumer, clock } = this.#parts;
    const refused = refusal(request, hasConsumer, clock.wallMs());
    if (refused !== null) return err(refused);
    const name = request.name === null ? this.#freeName(request, request.consumer) : this.#unused(request);
    if (!name.ok) return name;
    return this.#add({ ...request, name: name.value }, null, actor);
  }

  rotate(
    { overlapMs, expiresMs, environment, ...name }: RotateRequest,
    actor: AuditActor,
  ): Result<IssuedView, KeyProblem> {
    const old = this.#known.find(name);
    if (!old.ok) return old;
    const { clock, hasConsumer } = this.#parts;
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
    const refused = refusal(request, hasConsumer, nowMs);
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
    const known = this.#known.find(name);
    if (!known.ok) return known;
    const before = this.#view(known.value);
    if (before.state !== 'live') return err(ended(name));
    const after: KeyView = { ...before, expiresMs: atMs };
    const change = this.#endingOf(known.value, atMs);
    const saved = this.#parts.store.change(change, [auditEntry(actor, 'keys.expire', before, after)]);
    if (!saved.ok) return err(notSaved(saved.error, 'Nothing has changed.'));
    const full = this.#known.apply(change);
    return full === null ? ok(after) : err(noRoom(full));
  }

  /** No request that begins after this returns is let in by that key, on any thread. */
  revoke(name: KeyName, actor: AuditActor): Result<KeyView, KeyProblem> {
    const known = this.#known.find(name);
    if (!known.ok) return known;
    const before = this.#view(known.value);
    const change = this.#endingOf(known.value, 0);
    // First what protects; then what keeps it so.
    this.#known.apply(change);
    const after: KeyView = { ...before, state: 'revoked' };
    const saved = this.#parts.store.change(change, [auditEntry(actor, 'keys.revoke', before, after)]);
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
    const past = this.#known.past(request);
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
    const saved = store.change(change, [auditEntry(actor, action, before, issued)]);
    if (!saved.ok) return err(notSaved(saved.error, 'No key was issued.'));
    const full = this.#known.apply(change);
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
    const known = this.#known.past(key);
    const past = known.ok ? [withNames(known.value, [name])] : [];
    if (this.#known.written.has(spell(key)))
      return { endings: [{ tenant, consumer, name, hash, endsMs }], past };
    return endsMs === 0 ? { remove: [key], past } : { put: [{ ...key, expiresMs: endsMs }], past };
  }

  #unused({ tenant, consumer, name }: IssueRequest): Result<string, KeyProblem> {
    const known = this.#known.find({ tenant, consumer, name: name! });
    const past = this.#known.past({ tenant, consumer });
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
    const past = this.#known.past({ tenant, consumer });
    if (!past.ok) return past;
    const stem = base.slice(0, STEM_LENGTH_MAX);
    const last = lastNumber(past.value.numbers, stem);
    for (let number = last + 1; number <= last + NUMBERED_NAMES_MAX; number++) {
      const name = `${stem}-${number}`;
      const known = this.#known.find({ tenant, consumer, name });
      if (!known.ok) return known.error.code === 'key_not_found' ? ok(name) : known;
    }
    return err({
      code: 'key_name_taken',
      message: `Consumer "${consumer}" of "${tenant}" has ${NUMBERED_NAMES_MAX} keys that are numbered.`,
      remedy: 'Give the key a name of its own.',
    });
  }

  #view(key: StoredKey): KeyView {
    const written = this.#known.written.get(spell(key));
    const view = nameAndLife(written === undefined ? key : this.#known.withEnding(key));
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

interface Replaced {
  readonly key: StoredKey;
  readonly endsMs: number;
}
