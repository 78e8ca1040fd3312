/**
 * `npm run soak`: a gateway under mixed load for a long time, its configuration edited each second and its services faulty. What it
 * holds must stay flat once it is warm, and every answer must be one that can be explained. Exit code 0 when every bar holds.
 *
 * "Flat" is told from the least value of each minute, in which all threads collect once, by its slope and the interval in which
 * the true one lies 19 times of 20: a bar holds when all of that interval is below it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { atMost, type Figure } from './bench.ts';
import { describeMachine } from './machine.ts';
import { othersNote, readMachineBusy } from './others.ts';
import { endOfLog, freePort, type StartedProcess, startProcess, waitForPort } from './processes.ts';
import { everyBarHolds, jsonReport, machineLines, table } from './report.ts';
import { type Caller, soakCallers } from './soak/callers.ts';
import { Cores, LOOK_EVERY_MS } from './soak/cores.ts';
import { EditMoments } from './soak/edit-moments.ts';
import { Unexpected } from './soak/exchange.ts';
import { growthFigures, type Series } from './soak/growth-figures.ts';
import { writeSoakProject } from './soak/project.ts';
import { type Sample, takeSample } from './soak/samples.ts';
import { startService } from './soak/service.ts';
import { Tally } from './soak/tally.ts';
import { readThreadMemory, type ThreadMemory } from './soak/thread-memory.ts';

const { values } = parseArgs({
  options: {
    /** Behind the warm-up. */
    minutes: { type: 'string', default: '20' },
    'warm-up': { type: 'string', default: '10' },
    /** Share of the load, for a machine that others use too; edits stay as often as they are. */
    pace: { type: 'string', default: '1' },
    /** Leaves collecting to V8 alone, as in a gateway that nobody looks at. */
    'never-collect': { type: 'boolean', default: false },
    json: { type: 'string' },
    gateway: { type: 'string', default: new URL('../src/cli/main.js', import.meta.url).pathname },
    keep: { type: 'boolean', default: false },
  },
});

/** Caches, tables and heaps grow to their size in it; a table of names takes thousands of edits and is full later (RESULTS.md). */
const WARM_UP_MS = Number(values['warm-up']) * 60_000;
const LASTS_MS = WARM_UP_MS + Number(values.minutes) * 60_000;
const START_WITHIN_MS = 60_000;
const EDIT_EVERY_MS = 1_000;
/** A version may be late on a busy machine, but not for so long. */
const LIVE_WITHIN_MS = 10_000;
const MIB = 1024 * 1024;

/**
 * What is held is seen where the collectors of all threads have been, so each is asked to come once in each window: by themselves they
 * come at any time, and each in a minute of its own, which made a saw-tooth of 60 MiB of what is resident.
 */
const WINDOW_S = 60;

/** What may be gained in an hour, all of the interval below it. Memory: 30 bytes for each exchange, or 8 KiB for each reload. */
const BARS = { mibPerHour: 30, descriptorsPerHour: 12 } as const;

async function main(): Promise<number> {
  const workFolder = mkdtempSync(join(tmpdir(), 'portunus-soak-'));
  if (!values.keep) process.once('exit', () => rmSync(workFolder, { recursive: true, force: true }));
  const machine = describeMachine();
  console.error(`soak of ${values.minutes} minutes behind ${values['warm-up']}\n${machineLines(machine)}\n`);
  const service = await startService();
  const project = writeSoakProject(join(workFolder, 'project'), {
    service: service.port,
    gateway: await freePort(),
    admin: await freePort(),
  });
  const memoryFolder = join(workFolder, 'memory');
  mkdirSync(memoryFolder);
  const gateway = startProcess({
    name: 'gateway',
    command: process.execPath,
    args: [
      '--import',
      probeInto(memoryFolder),
      resolve(values.gateway),
      'start',
      project.folder,
      '--log',
      '/dev/null',
    ],
    folder: workFolder,
    core: null,
    channel: 'none',
  });
  await waitForPort(project.port, gateway, START_WITHIN_MS);
  const busyBefore = readMachineBusy();
  const soak = new Soak(gateway, Number(values.pace));
  const read = (name: string): unknown => JSON.parse(readFileSync(join(project.dataFolder, name), 'utf8'));
  const keys = read('first-keys.json') as readonly { readonly consumer: string; readonly key: string }[];
  const access = read('admin-access.json') as { readonly token: string };
  const callers = soakCallers({
    port: project.port,
    adminPort: project.adminPort,
    key: keys.find(({ consumer }) => consumer === 'web')!.key,
    adminToken: access.token,
    onMark: (mark) => soak.seen(mark),
  });
  await Promise.all([
    soak.sample(),
    soak.watchCores(),
    soak.edit((number) => project.edit(number)),
    ...callers.flatMap((caller) => Array.from({ length: caller.count }, () => soak.call(caller))),
  ]);
  const threads = readThreadMemory(memoryFolder);
  const figures = soak.figures(threads);
  await gateway.stop();
  await service.close();
  const notes = [...soak.notes(), othersNote(busyBefore, readMachineBusy())];
  const report = jsonReport('soak', machine, { figures, notes });
  if (values.json !== undefined)
    writeFileSync(
      values.json,
      `${JSON.stringify({ ...report, samples: soak.samples, threads: Object.fromEntries(threads) })}\n`,
    );
  console.log(table(report));
  return everyBarHolds(report.figures) ? 0 : 1;
}

class Soak {
  readonly samples: Sample[] = [];
  readonly #gateway: StartedProcess;
  readonly #pace: number;
  readonly #beganMs = performance.now();
  /** On the clock of the machine. */
  readonly #beganAtMs = Number(process.hrtime.bigint()) / 1e6;
  readonly #tally = new Tally();
  readonly #edits = new EditMoments();
  readonly #cores: Cores;

  constructor(gateway: StartedProcess, pace: number) {
    this.#gateway = gateway;
    this.#pace = pace;
    this.#cores = new Cores(gateway.pid);
  }

  seen(mark: string): void {
    this.#edits.seen(mark, performance.now());
  }

  async call({ name, once, pauseMs }: Caller): Promise<void> {
    while (this.#goesOn) {
      const beganMs = performance.now();
      try {
        this.#tally.explained(`${name}: ${await once()}`);
      } catch (error) {
        this.#unexpected(name, error, beganMs);
      }
      // Spread, so that callers don't march in step.
      await delay((pauseMs / this.#pace) * (0.5 + Math.random()));
    }
  }

  #unexpected(name: string, error: unknown, beganMs: number): void {
    const nowMs = performance.now();
    if (error instanceof Unexpected && this.#cores.explain(error.code, beganMs, nowMs)) {
      this.#tally.starved(`${name}: ${error.code}`);
      return;
    }
    const said = error instanceof Unexpected ? error.message : String((error as Error).stack ?? error);
    this.#tally.unexplained(this.#nowS, `${name}: ${said}\n    ${this.#edits.around(beganMs, nowMs)}`);
  }

  /** Until the end of the soak. */
  async watchCores(): Promise<void> {
    for (; this.#goesOn; await delay(LOOK_EVERY_MS)) this.#cores.look();
  }

  async edit(
    edit: (number: number) => { readonly outcome: 'live' | 'refused'; readonly mark: string },
  ): Promise<void> {
    for (let number = 1; this.#staysFor(LIVE_WITHIN_MS + EDIT_EVERY_MS); number++) {
      const { outcome, mark } = edit(number);
      this.#edits.written(mark, performance.now());
      await delay(EDIT_EVERY_MS);
      if (outcome === 'refused') {
        if (this.#edits.isSeen(mark))
          this.#tally.unexplained(this.#nowS, `edit ${mark} has an error, and is live`);
        continue;
      }
      const deadlineMs = performance.now() + LIVE_WITHIN_MS;
      while (!this.#edits.isSeen(mark) && performance.now() < deadlineMs) await delay(20);
      if (this.#edits.isSeen(mark)) this.#tally.explained('edit: live');
      else this.#tally.unexplained(this.#nowS, `edit ${mark} was not live in ${LIVE_WITHIN_MS} ms`);
    }
  }

  async sample(): Promise<void> {
    while (this.#goesOn) {
      const { child, pid } = this.#gateway;
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the gateway ended:\n${endOfLog(this.#gateway)}`);
      this.samples.push(takeSample(pid, this.#nowS));
      if (this.samples.length % 60 === 0) console.error(`  ${this.#progress()}`);
      await delay(1_000);
    }
  }

  figures(threads: ReadonlyMap<string, readonly ThreadMemory[]>): readonly Figure[] {
    const warm = this.samples.filter(({ atS }) => this.#isWarm(atS));
    const sampled = (of: (sample: Sample) => number): Series => [
      warm.map((sample) => ({ atS: sample.atS, value: of(sample) })),
    ];
    const ofThreads = (of: (memory: ThreadMemory) => number): Series =>
      [...threads.values()].map((memories) =>
        memories
          .map((memory) => ({ atS: (memory.atMs - this.#beganAtMs) / 1_000, value: of(memory) / MIB }))
          .filter(({ atS }) => this.#isWarm(atS)),
      );
    const { unexplainedCount, counts, starvedCounts } = this.#tally;
    const memory = { unit: 'MiB', perHour: BARS.mibPerHour, windowS: WINDOW_S } as const;
    return [
      { name: 'unexplained', unit: 'exchanges', values: [unexplainedCount], bar: atMost(0) },
      { name: 'explained', unit: 'exchanges', values: [sum(counts)], bar: null },
      { name: 'late for want of a core', unit: 'exchanges', values: [sum(starvedCounts)], bar: null },
      { name: 'edits', unit: 'edits', values: [this.#edits.count], bar: null },
      ...growthFigures(
        'resident',
        sampled(({ residentBytes }) => residentBytes / MIB),
        memory,
      ),
      ...growthFigures(
        'without pages of files',
        sampled(({ anonymousBytes }) => anonymousBytes / MIB),
        memory,
      ),
      ...growthFigures(
        'heaps in use',
        ofThreads(({ heapUsed }) => heapUsed),
        memory,
      ),
      ...growthFigures(
        'beside the heaps',
        ofThreads(({ external }) => external),
        memory,
      ),
      ...growthFigures(
        'array buffers',
        ofThreads(({ arrayBuffers }) => arrayBuffers),
        memory,
      ),
      ...growthFigures(
        'descriptors',
        sampled(({ descriptors }) => descriptors),
        {
          unit: 'open',
          perHour: BARS.descriptorsPerHour,
          windowS: WINDOW_S,
        },
      ),
      { name: 'threads', unit: 'threads', values: warm.map((sample) => sample.threads), bar: null },
    ];
  }

  notes(): readonly string[] {
    const { counts, starvedCounts, details } = this.#tally;
    const collections = values['never-collect']
      ? 'No collection was asked for.'
      : `Each thread was asked to collect once in ${WINDOW_S} s.`;
    return [
      `Warm-up: ${values['warm-up']} minutes before all figures of memory. Pace ${this.#pace}. ${collections} Growth is that of the least values of each ${WINDOW_S} s, and min … max the interval of its slope (95 %).`,
      `${listed(counts)}.`,
      ...(starvedCounts.size === 0
        ? []
        : [
            `Late while gateway or service were ready and had no core for as long (REPEAT ON A QUIET MACHINE): ${listed(starvedCounts)}.`,
          ]),
      ...details.map((detail) => `UNEXPLAINED at ${detail}`),
    ];
  }

  #isWarm(atS: number): boolean {
    return atS * 1_000 >= WARM_UP_MS && atS * 1_000 <= LASTS_MS;
  }

  get #nowS(): number {
    return (performance.now() - this.#beganMs) / 1_000;
  }

  get #goesOn(): boolean {
    return this.#staysFor(0);
  }

  /** That an edit is live is seen by callers: after the last one they go on for as long as it may take. */
  #staysFor(ms: number): boolean {
    return performance.now() - this.#beganMs + ms < LASTS_MS;
  }

  #progress(): string {
    const { residentBytes, anonymousBytes, descriptors } = this.samples.at(-1)!;
    const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
    return `${Math.round(this.#nowS)} s: ${mib(residentBytes)} MiB resident, ${mib(anonymousBytes)} without files, ${descriptors} descriptors, ${this.#tally.unexplainedCount} unexplained`;
  }
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

function listed(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([a], [b]) => a.localeCompare(b));
  return sorted.map(([what, count]) => `${what} ${count}`).join(', ');
}

function probeInto(folder: string): string {
  const url = new URL(import.meta.resolve('./children/memory-probe.js'));
  url.searchParams.set('into', folder);
  url.searchParams.set('collectEveryMs', values['never-collect'] ? '0' : `${WINDOW_S * 1_000}`);
  return url.href;
}

process.exitCode = await main();
