import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, BenchContext, BenchResult } from '../bench.ts';
import { AdminChanges } from '../crash/admin-changes.ts';
import { AdminClient } from '../crash/admin-client.ts';
import { CONSUMERS } from '../crash/counters.ts';
import { CrashFindings } from '../crash/findings.ts';
import { KillGroup } from '../crash/group.ts';
import { beginLife } from '../crash/life.ts';
import { startCrashLoad } from '../crash/load.ts';
import { type CrashProject, writeCrashProject, writeGroup } from '../crash/project.ts';
import { startChargingUpstream } from '../crash/upstream.ts';
import { freePort } from '../processes.ts';
import { type Scope, withScope } from '../scope.ts';
import { seeded } from '../seeded.ts';

/**
 * Cycles of load and `kill -9` on one data folder, in groups: each group has counters that were never used, is killed some times,
 * and is then driven to the end of every amount. The service, which nobody kills, counts what was let through.
 */
export const crash: Bench = {
  name: 'crash',
  summary: 'kill -9 at random moments under full load: quotas, budgets, changes, audit log',
  run: (context) => withScope((scope) => run(context, scope)),
};

const KILLS = { full: 200, quick: 3 } as const;
/** Few enough that amounts are still open at the first kills, enough that some come after their end. */
const KILLS_IN_A_GROUP = 8;
const CLIENTS = 24;
const STREAMS = 200;

async function run(context: BenchContext, scope: Scope): Promise<BenchResult> {
  const { workFolder: folder, gatewayMain, seed, say } = context;
  const kills = context.cycles ?? KILLS[context.mode];
  say(`seed ${seed}`);
  const random = seeded(seed);
  const upstream = scope.own(await startChargingUpstream(folder, seed));
  const ports = { port: await freePort(), adminPort: await freePort() };
  const project = writeCrashProject({ folder, upstreamPort: upstream.port, ...ports });
  const admin = new AdminClient(project);
  const changes = new AdminChanges(project, admin, random);
  const findings = new CrashFindings();
  const keys = await firstKeys(gatewayMain, project);
  for (let number = 1; findings.kills < kills; number++) {
    const spec = { port: project.port, group: number, seed: seed + 1_000 * number, keys };
    const load = startCrashLoad({ ...spec, clients: CLIENTS, streams: STREAMS }, folder);
    const group = new KillGroup({
      number,
      gatewayMain,
      project,
      upstream,
      load,
      admin,
      changes,
      random,
      findings,
    });
    try {
      await group.play(Math.min(KILLS_IN_A_GROUP, kills - findings.kills));
    } finally {
      await load.stop();
    }
    say(`${findings.kills} kills, ${changes.acknowledged} changes, ${findings.mistakes.length} mistakes`);
  }
  return {
    figures: findings.figures(changes, KILLS[context.mode]),
    notes: [
      `Seed ${seed}. Two data threads, ${CLIENTS} clients and ${STREAMS} streams at full rate; all processes share all cores.`,
      ...[...new Set(findings.mistakes)].slice(0, MISTAKES_SHOWN),
    ],
  };
}

const MISTAKES_SHOWN = 20;

/** The keys that the first start makes. */
async function firstKeys(main: string, project: CrashProject): Promise<Readonly<Record<string, string>>> {
  writeGroup(project.folder, 0);
  const life = beginLife(main, project);
  await life.ready();
  const file = join(project.dataFolder, 'first-keys.json');
  while (!existsSync(file)) await delay(20);
  const made = JSON.parse(readFileSync(file, 'utf8')) as readonly FirstKey[];
  await life.stop();
  return Object.fromEntries(
    CONSUMERS.map((name) => [name, made.find(({ consumer }) => consumer === name)!.key]),
  );
}

interface FirstKey {
  readonly consumer: string;
  readonly key: string;
}
