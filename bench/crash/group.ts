import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { AdminChanges } from './admin-changes.ts';
import type { AdminClient } from './admin-client.ts';
import { CONSUMERS, COUNTED_ROUTES } from './counters.ts';
import { type CrashFindings, groupEnd } from './findings.ts';
import { beginLife, type Life } from './life.ts';
import type { CrashLoad, LoadTally } from './load.ts';
import { lossOf, type Since } from './losses.ts';
import { readMarks } from './marks.ts';
import { type Printed, StatusWatch } from './printed.ts';
import { type CrashProject, writeGroup } from './project.ts';
import { type ChargingUpstream, chargedOn } from './upstream.ts';

export interface GroupParts {
  readonly number: number;
  readonly gatewayMain: string;
  readonly project: CrashProject;
  readonly upstream: ChargingUpstream;
  readonly load: CrashLoad;
  readonly admin: AdminClient;
  readonly changes: AdminChanges;
  readonly random: () => number;
  readonly findings: CrashFindings;
}

/**
 * The kill comes some time after the last of some changes: so that there is something to lose on a machine that is busy, too. Most
 * times are short.
 */
const CHANGES_MAX = 12;
const CHANGES_WITHIN_MS = 5_000;
const AFTER_CHANGES_MS_MAX = 800;
/** Of this share of lives the kill may come at any moment of the start. */
const KILLED_IN_START_SHARE = 0.15;
const START_MS_MAX = 1_500;
/** Of the others: the load rests before the kill, with streams and what they reserved left open, and `status` is asked meanwhile. */
const RESTED_SHARE = 0.35;
const EXHAUSTED_WITHIN_MS = 120_000;
const TALLY_EVERY_MS = 200;
const LOOK_EVERY_MS = 3;

/** Status and code of an answer to what is shed. */
const SHED = ': 503 overloaded';

const run = promisify(execFile);

interface Watch {
  readonly status: StatusWatch;
  readonly end: () => Promise<void>;
}

/** Some kills on the same counters, which are then driven to the end of every amount. */
export class KillGroup {
  readonly #parts: GroupParts;
  /** How far marks are above what was charged, by route, after the last kill. */
  #gaps: Readonly<Record<string, number>> = {};
  /** By route: what the kills so far may have lost. */
  readonly #allowed = new Map<string, number>();
  #identities: Readonly<Record<string, string>> = {};

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  async play(kills: number): Promise<void> {
    const { project, number } = this.#parts;
    writeGroup(project.folder, number);
    for (let kill = 0; kill < kills; kill++) {
      // The first life tells the identities of the counters.
      const isInStart = kill > 0 && this.#parts.random() < KILLED_IN_START_SHARE;
      if (isInStart) await this.#killInStart();
      else await this.#killUnderLoad();
    }
    await this.#exhaust();
  }

  async #killInStart(): Promise<void> {
    const { load, random, findings } = this.#parts;
    const life = this.#begin();
    await load.begin();
    const watch = this.#watch();
    await delay(random() * START_MS_MAX);
    await this.#kill(life, watch);
    findings.killsInStart += 1;
  }

  async #killUnderLoad(): Promise<void> {
    const { load, random, changes } = this.#parts;
    const life = await this.#beginReady();
    await load.begin();
    const watch = this.#watch();
    await this.#check();
    const changing = new AbortController();
    const changed = changes.run(changing.signal);
    await this.#changesMade(Math.floor(random() * (CHANGES_MAX + 1)));
    await delay(random() ** 2 * AFTER_CHANGES_MS_MAX);
    if (random() < RESTED_SHARE) await this.#killAtRest(life, watch);
    else await this.#kill(life, watch);
    changing.abort();
    await changed;
  }

  /** What `status` prints is what is open, to the unit: so is what the kill may cost. */
  async #killAtRest(life: Life, { status, end }: Watch): Promise<void> {
    const { load, upstream, findings } = this.#parts;
    await upstream.holdStreams();
    const tally = await load.quiet();
    await end();
    await status.lookUntilSteady();
    await life.kill();
    await load.halt();
    await upstream.endStreams();
    findings.killsAtRest += 1;
    await this.#killed(tally, status, 'nothing');
  }

  async #changesMade(count: number): Promise<void> {
    const { changes } = this.#parts;
    const enough = changes.acknowledged + count;
    const deadlineMs = performance.now() + CHANGES_WITHIN_MS;
    while (changes.acknowledged < enough && performance.now() < deadlineMs) await delay(LOOK_EVERY_MS);
  }

  #begin(): Life {
    return beginLife(this.#parts.gatewayMain, this.#parts.project);
  }

  async #beginReady(): Promise<Life> {
    const begunMs = performance.now();
    const life = this.#begin();
    await life.ready();
    this.#parts.findings.startsMs.push(performance.now() - begunMs);
    return life;
  }

  #watch(): Watch {
    const status = new StatusWatch(this.#parts.admin, this.#parts.number);
    const over = new AbortController();
    const ended = status.run(over.signal);
    return {
      status,
      end: async () => {
        over.abort();
        await ended;
      },
    };
  }

  async #check(): Promise<void> {
    const { changes, findings } = this.#parts;
    const { lost, unrecorded } = await changes.check();
    findings.lost.push(...lost);
    findings.unrecorded.push(...unrecorded);
  }

  async #kill(life: Life, { status, end }: Watch): Promise<void> {
    const { load } = this.#parts;
    // What is outstanding changes until the last moment.
    life.freeze();
    const tally = await load.tally();
    await life.kill();
    await end();
    await load.halt();
    await this.#killed(tally, status, 'load');
  }

  async #killed(tally: LoadTally, status: StatusWatch, since: Since['kind']): Promise<void> {
    const { findings } = this.#parts;
    const { printed } = status;
    findings.kills += 1;
    if (Object.values(tally.routes).some(({ refused }) => refused > 0)) findings.killsAtAnEnd += 1;
    if (Object.values(printed ?? {}).some(({ reserved }) => reserved > 0))
      findings.killsWithReservations += 1;
    this.#note(tally, status);
    await this.#weigh(printed, tally, since);
  }

  #note({ unexpected }: LoadTally, { alerts }: StatusWatch): void {
    const { findings } = this.#parts;
    for (const [what, times] of Object.entries(unexpected)) {
      if (what.endsWith(SHED)) findings.shed += times;
      else findings.otherMistakes.push(`${what}, ${times} times`);
    }
    for (const alert of alerts) findings.otherMistakes.push(`alert ${alert}`);
  }

  /** What the kill has cost: the store says where the next process goes on, the service what it got until now. */
  async #weigh(printed: Printed | null, { outstanding }: LoadTally, since: Since['kind']): Promise<void> {
    const { project, upstream, findings, number } = this.#parts;
    const account = await upstream.account();
    if (printed !== null)
      this.#identities = Object.fromEntries(
        Object.entries(printed).map(([name, { identity }]) => [name, identity]),
      );
    const marks = await readMarks(project.dataFolder, Object.values(this.#identities));
    const gaps: Record<string, number> = {};
    for (const route of COUNTED_ROUTES) {
      const gap = marks.get(this.#identities[route.name]!)! - chargedOn(route, number, CONSUMERS, account);
      const gapBefore = this.#gaps[route.name] ?? 0;
      const loss = lossOf(
        route,
        { gapBefore, gap },
        printed?.[route.name] ?? null,
        since === 'nothing' ? { kind: since } : { kind: since, outstanding: outstanding[route.name] ?? 0 },
      );
      findings.losses.push(loss);
      this.#allowed.set(route.name, (this.#allowed.get(route.name) ?? 0) + loss.allowed);
      gaps[route.name] = gap;
    }
    this.#gaps = gaps;
  }

  async #exhaust(): Promise<void> {
    const { load, findings, upstream, number } = this.#parts;
    const life = await this.#beginReady();
    await load.begin();
    await this.#check();
    const watch = this.#watch();
    const deadlineMs = performance.now() + EXHAUSTED_WITHIN_MS;
    for (let isOver = false; !isOver; ) {
      await delay(TALLY_EVERY_MS);
      const tally = await load.tally();
      this.#note(tally, watch.status);
      isOver = COUNTED_ROUTES.every(({ name }) => {
        const { admitted = 0, refused = 0 } = tally.routes[name] ?? {};
        return admitted === 0 && refused > 0;
      });
      if (performance.now() > deadlineMs)
        throw new Error(`counters did not come to their end: ${JSON.stringify(tally)}`);
    }
    this.#note(await load.finish(), watch.status);
    this.#note(await load.exhaust(), watch.status);
    await life.kill();
    await watch.end();
    await load.halt();
    const account = await upstream.account();
    findings.requests = Object.values(account.paths).reduce((sum, { requests }) => sum + requests, 0);
    findings.windowPeak = account.windowPeak;
    for (const route of COUNTED_ROUTES) {
      const charged = (consumers: readonly string[]): number => chargedOn(route, number, consumers, account);
      findings.ends.push(groupEnd(route, charged, this.#allowed.get(route.name) ?? 0));
    }
    await this.#verifyAudit();
  }

  async #verifyAudit(): Promise<void> {
    const { gatewayMain, project, findings } = this.#parts;
    findings.audits += 1;
    try {
      await run(process.execPath, [gatewayMain, 'audit', 'verify', project.folder]);
    } catch (error) {
      findings.invalidAudits.push(String((error as { readonly stdout?: string }).stdout ?? error));
    }
  }
}
