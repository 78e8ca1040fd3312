/**
 * Changes by the admin API while the gateway is killed under them: what was acknowledged must be there afterwards, with its record in
 * the audit log; of what was not, either all is there or nothing.
 */
import type { AuditRecord } from '../../src/pipeline/audit.ts';
import type { AdminClient } from './admin-client.ts';
import { FREE_PATH } from './counters.ts';
import { ADMIN_CONSUMER, type CrashProject, TENANT } from './project.ts';

type Kind = 'key' | 'consumer';

interface Thing {
  readonly kind: Kind;
  readonly name: string;
  /** `there`: issued or made. `gone`: revoked or deleted. */
  state: 'there' | 'gone';
  /** What was asked for and not answered, or null. */
  asked: 'there' | 'gone' | null;
  /** Of a key. */
  secret: string | null;
  /** Acknowledged, or found done, since the last check. */
  isFresh: boolean;
}

export interface ChangesCheck {
  /** What was acknowledged and is not there, or not as it was answered. */
  readonly lost: readonly string[];
  /** Changes without their record in the audit log, records without their change, or a chain that does not go on. */
  readonly unrecorded: readonly string[];
}

/** What is looked at over the data port after each start: each costs a request. */
const KEYS_TRIED = 12;
const PAGE = 1_000;
const CHANGES_AT_ONCE = 4;

export class AdminChanges {
  acknowledged = 0;
  /** Not answered, because the gateway was killed meanwhile: found done, and found not done. */
  unanswered = { done: 0, notDone: 0 };
  readonly #project: CrashProject;
  readonly #admin: AdminClient;
  readonly #random: () => number;
  readonly #things: Thing[] = [];
  /** Actions and targets that the audit log must name, and has not yet been seen to. */
  #recordsDue: string[] = [];
  readonly #recordsSeen = new Set<string>();
  #auditEnd: { readonly sequence: number; readonly hash: string } | null = null;
  #made = 0;

  constructor(project: CrashProject, admin: AdminClient, random: () => number) {
    this.#project = project;
    this.#admin = admin;
    this.#random = random;
  }

  /** One change after the other on each of some connections, until the gateway is gone or `signal` says so. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: CHANGES_AT_ONCE }, () => this.#changeOn(signal)));
  }

  async #changeOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const there = this.#things.filter(({ state, asked }) => state === 'there' && asked === null);
      const isEnding = there.length > 4 && this.#random() < 0.4;
      const thing = isEnding ? there[Math.floor(this.#random() * there.length)]! : this.#next();
      thing.asked = isEnding ? 'gone' : 'there';
      const reply = isEnding ? await this.#end(thing) : await this.#make(thing);
      if (reply === null) return;
      if (reply.status !== 200 && reply.status !== 201 && reply.status !== 204)
        throw new Error(`${thing.kind} ${thing.name} ${thing.asked}: ${JSON.stringify(reply)}`);
      if (thing.asked === 'there' && thing.kind === 'key')
        thing.secret = (reply.body as { readonly key: string }).key;
      this.acknowledged += 1;
      this.#becomes(thing, thing.asked);
    }
  }

  /** After a start: is everything as it was acknowledged? Takes over what was done without an answer. */
  async check(): Promise<ChangesCheck> {
    const lost: string[] = [];
    const unrecorded: string[] = [];
    const [keys, consumers] = await Promise.all([this.#listKeys(), this.#listConsumers()]);
    const undone: string[] = [];
    for (const thing of [...this.#things]) {
      const { kind, name, asked } = thing;
      const found = (kind === 'key' ? keys : consumers).has(name) ? 'there' : 'gone';
      if (asked === null && found !== thing.state)
        lost.push(`${kind} ${name}, acknowledged as ${thing.state}`);
      else if (asked === found) this.#found(thing, found);
      else if (asked !== null) undone.push(this.#foundUndone(thing, asked));
    }
    lost.push(...(await this.#tryKeys()));
    unrecorded.push(...(await this.#readAudit()));
    for (const due of this.#recordsDue)
      if (!this.#recordsSeen.has(due)) unrecorded.push(`no record of ${due}`);
    for (const record of undone)
      if (this.#recordsSeen.has(record)) unrecorded.push(`a record of ${record}, which was not done`);
    this.#recordsDue = [];
    for (const thing of this.#things) thing.isFresh = false;
    return { lost, unrecorded };
  }

  #next(): Thing {
    this.#made += 1;
    const kind: Kind = this.#random() < 0.6 ? 'key' : 'consumer';
    const name = `${kind === 'key' ? 'k' : 'm'}${this.#made}`;
    const thing: Thing = { kind, name, state: 'gone', asked: null, secret: null, isFresh: false };
    this.#things.push(thing);
    return thing;
  }

  #make({ kind, name }: Thing) {
    return kind === 'key'
      ? this.#admin.call('POST', '/v1/keys', { tenant: TENANT, consumer: ADMIN_CONSUMER, name })
      : this.#admin.call('PUT', `/v1/directory/tenants/${TENANT}/consumers/${name}`, { roles: ['made'] });
  }

  #end({ kind, name }: Thing) {
    return kind === 'key'
      ? this.#admin.call('DELETE', `/v1/keys/${TENANT}/${ADMIN_CONSUMER}/${name}`)
      : this.#admin.call('DELETE', `/v1/directory/tenants/${TENANT}/consumers/${name}`);
  }

  #becomes(thing: Thing, state: 'there' | 'gone'): void {
    thing.asked = null;
    thing.state = state;
    thing.isFresh = true;
    this.#recordsDue.push(recordOf(thing.kind, thing.name, state === 'gone'));
  }

  #found(thing: Thing, state: 'there' | 'gone'): void {
    this.unanswered.done += 1;
    this.#becomes(thing, state);
  }

  /** The record that there must not be. */
  #foundUndone(thing: Thing, asked: 'there' | 'gone'): string {
    this.unanswered.notDone += 1;
    thing.asked = null;
    if (asked === 'there') this.#things.splice(this.#things.indexOf(thing), 1);
    return recordOf(thing.kind, thing.name, asked === 'gone');
  }

  /** Names of keys that are live. */
  async #listKeys(): Promise<ReadonlySet<string>> {
    const live = new Set<string>();
    for (let after: string | null = ''; after !== null; ) {
      const behind: string = after === '' ? '' : `&after=${after}`;
      const page: KeyPage = await this.#admin.read(
        `/v1/keys?tenant=${TENANT}&consumer=${ADMIN_CONSUMER}&limit=${PAGE}${behind}`,
      );
      for (const { name, state } of page.keys) if (state === 'live') live.add(name);
      after = page.next;
    }
    return live;
  }

  async #listConsumers(): Promise<ReadonlySet<string>> {
    const path = `/v1/directory/tenants/${TENANT}`;
    const { consumers } = await this.#admin.read<{ readonly consumers: readonly string[] }>(path);
    return new Set(consumers);
  }

  /** The newest are those that the killed process may not have kept. */
  async #tryKeys(): Promise<readonly string[]> {
    const fresh = this.#things.filter(({ isFresh, secret }) => isFresh && secret !== null).slice(-KEYS_TRIED);
    const wrong = await Promise.all(
      fresh.map(async ({ name, state, secret }) => {
        const { status } = await fetch(`http://127.0.0.1:${this.#project.port}${FREE_PATH}`, {
          headers: { authorization: `Bearer ${secret}` },
        });
        return status === (state === 'there' ? 200 : 401)
          ? []
          : [`key ${name}, ${state}: answered ${status}`];
      }),
    );
    return wrong.flat();
  }

  /** What is new in the log, which must go on from where it was seen to end. */
  async #readAudit(): Promise<readonly string[]> {
    const broken: string[] = [];
    for (;;) {
      const after = this.#auditEnd?.sequence ?? 0;
      const { records } = await this.#admin.read<{ readonly records: readonly AuditRecord[] }>(
        `/v1/audit?after=${after}&limit=${PAGE}`,
      );
      for (const { sequence, previous, hash, action, target } of records) {
        const end = this.#auditEnd;
        if (end !== null && (sequence !== end.sequence + 1 || previous !== end.hash))
          broken.push(`audit record ${sequence} does not go on from ${end.sequence}`);
        this.#auditEnd = { sequence, hash };
        this.#recordsSeen.add(`${action} ${target}`);
      }
      if (records.length < PAGE) return broken;
    }
  }
}

interface KeyPage {
  readonly keys: readonly { readonly name: string; readonly state: string }[];
  readonly next: string | null;
}

function recordOf(kind: Kind, name: string, isEnding: boolean): string {
  return kind === 'key'
    ? `keys.${isEnding ? 'revoke' : 'issue'} consumer ${TENANT}/${ADMIN_CONSUMER}, key ${name}`
    : `directory.${isEnding ? 'delete' : 'put'}-consumer consumer ${TENANT}/${name}`;
}
