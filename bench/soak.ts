/**
 * `npm run soak`: a gateway under mixed load for a long time, its configuration edited each second and its services faulty. What it
 * holds must stay flat once it is warm, and every answer must be one that can be explained. Exit code 0 when every bar holds.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { atMost, type Figure } from './bench.ts';
import { describeMachine } from './machine.ts';
import { othersNote, readMachineBusy } from './others.ts';
import { endOfLog, freePort, type StartedProcess, startProcess, waitForPort } from './processes.ts';
import { everyBarHolds, jsonReport, machineLines, table } from './report.ts';
import { type Caller, soakCallers, Unexpected } from './soak/callers.ts';
import { writeSoakProject } from './soak/project.ts';
import { type Sample, takeSample } from './soak/samples.ts';
import { startService } from './soak/service.ts';
import { Tally } from './soak/tally.ts';
import { robustSlope } from './statistics.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    json: { type: 'string' },
    gateway: { type: 'string', default: new URL('../src/cli/main.js', import.meta.url).pathname },
    keep: { type: 'boolean', default: false },
  },
});

/** Of the run; caches, tables and heaps grow to their size in it. */
const WARM_UP_SHARE = 0.3;
const START_WITHIN_MS = 60_000;
const EDIT_EVERY_MS = 1_000;
/** A version may be late on a busy machine, but not for so long. */
const LIVE_WITHIN_MS = 10_000;
const MIB = 1024 * 1024;

/** What a slope of 14 minutes can tell from none: collectors make a saw-tooth, and connections come and go. */
const BARS = {
  /** A hundred bytes for each exchange are six times as much, a hundred kilobytes for each reload twelve times. */
  residentMibPerHour: 30,
  /** One for each hundred reloads is three times as much. */
  descriptorsPerHour: 12,
} as const;

async function main(): Promise<number> {
  const workFolder = mkdtempSync(join(tmpdir(), 'portunus-soak-'));
  if (!values.keep) process.once('exit', () => rmSync(workFolder, { recursive: true, force: true }));
  const machine = describeMachine();
  console.error(`soak of ${values.minutes} minutes\n${machineLines(machine)}\n`);
  const service = await startService();
  const project = writeSoakProject(join(workFolder, 'project'), {
    service: service.port,
    gateway: await freePort(),
    admin: await freePort(),
  });
  const gateway = startProcess({
    name: 'gateway',
    command: process.execPath,
    args: [resolve(values.gateway), 'start', project.folder, '--log', '/dev/null'],
    folder: workFolder,
    core: null,
    channel: 'none',
  });
  await waitForPort(project.port, gateway, START_WITHIN_MS);
  const busyBefore = readMachineBusy();
  const soak = new Soak(gateway, Number(values.minutes) * 60_000);
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
    soak.edit((number) => project.edit(number)),
    ...callers.flatMap((caller) => Array.from({ length: caller.count }, () => soak.call(caller))),
  ]);
  const figures = soak.figures();
  await gateway.stop();
  await service.close();
  const notes = [...soak.notes(), othersNote(busyBefore, readMachineBusy())];
  const report = jsonReport('soak', machine, { figures, notes });
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ ...report, samples: soak.samples }, null, 2)}\n`);
  console.log(table(report));
  return everyBarHolds(report.figures) ? 0 : 1;
}

class Soak {
  readonly samples: Sample[] = [];
  readonly #gateway: StartedProcess;
  readonly #lastsMs: number;
  readonly #beganMs = performance.now();
  readonly #tally = new Tally();
  readonly #marks = new Set<string>();
  #edits = 0;

  constructor(gateway: StartedProcess, lastsMs: number) {
    this.#gateway = gateway;
    this.#lastsMs = lastsMs;
  }

  seen(mark: string): void {
    this.#marks.add(mark);
  }

  async call({ name, once, pauseMs }: Caller): Promise<void> {
    while (this.#goesOn) {
      try {
        this.#tally.explained(`${name}: ${await once()}`);
      } catch (error) {
        const said = error instanceof Unexpected ? error.message : String((error as Error).stack ?? error);
        this.#tally.unexplained(this.#nowS, `${name}: ${said}`);
      }
      // Spread, so that callers don't march in step.
      await delay(pauseMs * (0.5 + Math.random()));
    }
  }

  async edit(
    edit: (number: number) => { readonly outcome: 'live' | 'refused'; readonly mark: string },
  ): Promise<void> {
    for (let number = 1; this.#goesOn; number++) {
      const { outcome, mark } = edit(number);
      this.#edits++;
      await delay(EDIT_EVERY_MS);
      if (outcome === 'refused') {
        if (this.#marks.has(mark))
          this.#tally.unexplained(this.#nowS, `edit ${mark} has an error, and is live`);
        continue;
      }
      const deadlineMs = performance.now() + LIVE_WITHIN_MS;
      while (!this.#marks.has(mark) && performance.now() < deadlineMs) await delay(20);
      if (this.#marks.has(mark)) this.#tally.explained('edit: live');
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

  figures(): readonly Figure[] {
    const warm = this.samples.filter(({ atS }) => atS * 1_000 >= WARM_UP_SHARE * this.#lastsMs);
    const at = warm.map(({ atS }) => atS / 3_600);
    const slope = (of: (sample: Sample) => number): number[] => {
      const found = robustSlope(at, warm.map(of));
      return found === null ? [] : [found];
    };
    const level = (name: string, unit: string, of: (sample: Sample) => number): Figure => ({
      name,
      unit,
      values: warm.map(of),
      bar: null,
    });
    const { unexplainedCount, counts } = this.#tally;
    const explained = [...counts.values()].reduce((sum, count) => sum + count, 0);
    return [
      { name: 'unexplained', unit: 'of all', values: [unexplainedCount], bar: atMost(0) },
      { name: 'explained', unit: 'exchanges', values: [explained], bar: null },
      { name: 'edits', unit: 'edits', values: [this.#edits], bar: null },
      level('resident', 'MiB', ({ residentBytes }) => residentBytes / MIB),
      {
        name: 'resident, slope',
        unit: 'MiB/h',
        values: slope(({ residentBytes }) => residentBytes / MIB),
        bar: atMost(BARS.residentMibPerHour),
      },
      level('without pages of files', 'MiB', ({ anonymousBytes }) => anonymousBytes / MIB),
      {
        name: 'without pages of files, slope',
        unit: 'MiB/h',
        values: slope(({ anonymousBytes }) => anonymousBytes / MIB),
        bar: atMost(BARS.residentMibPerHour),
      },
      level('descriptors', 'open', ({ descriptors }) => descriptors),
      {
        name: 'descriptors, slope',
        unit: 'per h',
        values: slope(({ descriptors }) => descriptors),
        bar: atMost(BARS.descriptorsPerHour),
      },
      level('threads', 'threads', ({ threads }) => threads),
    ];
  }

  notes(): readonly string[] {
    const counts = [...this.#tally.counts].sort(([a], [b]) => a.localeCompare(b));
    return [
      `The first ${WARM_UP_SHARE * 100} % are warm-up. ${counts.map(([what, count]) => `${what} ${count}`).join(', ')}.`,
      ...this.#tally.details.map((detail) => `UNEXPLAINED at ${detail}`),
    ];
  }

  get #nowS(): number {
    return (performance.now() - this.#beganMs) / 1_000;
  }

  get #goesOn(): boolean {
    return performance.now() - this.#beganMs < this.#lastsMs;
  }

  #progress(): string {
    const { residentBytes, anonymousBytes, descriptors } = this.samples.at(-1)!;
    const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
    return `${Math.round(this.#nowS)} s: ${mib(residentBytes)} MiB resident, ${mib(anonymousBytes)} without files, ${descriptors} descriptors, ${this.#tally.unexplainedCount} unexplained`;
  }
}

process.exitCode = await main();
