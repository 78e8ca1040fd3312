import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import { ai } from './benches/ai.ts';
import { check } from './benches/check.ts';
import { crash } from './benches/crash.ts';
import { decide } from './benches/decide.ts';
import { governance } from './benches/governance.ts';
import { pause } from './benches/pause.ts';
import { pool } from './benches/pool.ts';
import { proxy } from './benches/proxy.ts';
import { reload } from './benches/reload.ts';
import { routes } from './benches/routes.ts';
import { scale } from './benches/scale.ts';
import { streams } from './benches/streams.ts';
import { threads } from './benches/threads.ts';
import { describeMachine } from './machine.ts';
import { othersNote, readMachineBusy } from './others.ts';
import { everyBarHolds, jsonReport, machineLines, table } from './report.ts';

/**
 * The one runner: `npm run bench -- NAME [--json FILE]`. Prints a table; exit code 0 when every bar holds, 1 when one
 * does not or the bench failed, 2 for wrong arguments.
 */
const BENCHES: readonly Bench[] = [
  proxy,
  governance,
  routes,
  scale,
  reload,
  pause,
  streams,
  threads,
  ai,
  decide,
  check,
  crash,
  pool,
];

const MAIN_IN_BUILD = 'src/cli/main.js';

/** Seeds that are easily typed again. */
const SEEDS = 1_000_000;

const DEFAULTS = { full: { rounds: 7, seconds: 2 }, quick: { rounds: 2, seconds: 1 } } as const;

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
  console.error(isUsage ? `${(error as Error).message}\n\n${usage()}` : error);
  process.exitCode = isUsage ? 2 : 1;
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  const bench = BENCHES.find(({ name }) => name === positionals[0]);
  if (bench === undefined || positionals.length !== 1) {
    console.error(usage());
    return 2;
  }
  const mode = values.quick === true ? 'quick' : 'full';
  const machine = describeMachine();
  const workFolder = mkdtempSync(join(tmpdir(), `portunus-bench-${bench.name}-`));
  // Also when a person ends the run: `processes.ts` turns signals into an exit.
  if (values.keep !== true) process.once('exit', () => rmSync(workFolder, { recursive: true, force: true }));
  console.error(`${bench.name}: ${bench.summary}\n${machineLines(machine)}\n`);
  const busyBefore = readMachineBusy();
  const result = await bench.run({
    mode,
    rounds: Number(values.rounds ?? DEFAULTS[mode].rounds),
    seconds: Number(values.seconds ?? DEFAULTS[mode].seconds),
    gatewayMain: resolve(values.gateway ?? builtGateway()),
    againstMain: values.against === undefined ? null : resolve(values.against, MAIN_IN_BUILD),
    only: values.only ?? '',
    cycles: values.cycles === undefined ? null : Number(values.cycles),
    seed: Number(values.seed ?? Date.now() % SEEDS),
    workFolder,
    say: (line) => console.error(`  ${line}`),
  });
  const others = othersNote(busyBefore, readMachineBusy());
  const report = jsonReport(bench.name, machine, { ...result, notes: [...result.notes, others] });
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(table(report));
  if (values.keep === true) console.error(`kept ${workFolder}`);
  return everyBarHolds(report.figures) ? 0 : 1;
}

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      quick: { type: 'boolean' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      gateway: { type: 'string' },
      against: { type: 'string' },
      only: { type: 'string' },
      cycles: { type: 'string' },
      seed: { type: 'string' },
      keep: { type: 'boolean' },
    },
  });
}

function usage(): string {
  const width = Math.max(...BENCHES.map(({ name }) => name.length));
  return [
    'npm run bench -- NAME [options]',
    '',
    ...BENCHES.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    '  --json FILE     also write the figures as JSON',
    '  --quick         small and short: to see that everything works, not for figures',
    '  --rounds N      interleaved rounds (7)',
    '  --seconds N     length of one measurement (2)',
    '  --gateway FILE  main.js of another build to measure',
    '  --against DIST  proxy, ai: the build in this folder runs beside this one, in the same rounds (A/B)',
    '  --only TEXT     proxy, ai: only shapes of requests whose name holds this text; pool: only such scenarios',
    '  --cycles N      crash: kills (200)',
    '  --seed N        crash, pool: the same moments and changes as in the run that printed it',
    '  --keep          keep projects, configurations and logs',
  ].join('\n');
}

/** The build that this file is part of. */
function builtGateway(): string {
  return new URL(`../${MAIN_IN_BUILD}`, import.meta.url).pathname;
}
