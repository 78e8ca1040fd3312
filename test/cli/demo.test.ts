import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { arrivalsOf, FAST, lengthMs, TWO_MINUTES } from '../../src/cli/demo/story.ts';
import { PORTUNUS, runPortunus } from '../gateway/running-gateway.ts';

interface Side {
  readonly calls: number;
  readonly answered: number;
  readonly refused: number;
  readonly errors: number;
  readonly providerRefusals: number;
}

interface Summary {
  readonly gateway: Side;
  readonly naive: Side;
  readonly news: readonly string[];
}

/** What of the story must be seen, in this order; chapters and other news may stand between. */
const TOLD = [
  /the load rises/,
  /Portunus forecasts: at this rate nothing is left in \d+ s/,
  /calls wait up to 4 s, in fair shares/,
  /the provider revokes one key/,
  /Key "two" of pool "main" is (suspect|invalid)/,
  /the key is replaced/,
  /key "two" serves again/,
];

it('tells its story with the real gateway, loses no call, and leaves nothing behind', async () => {
  const demos = async (): Promise<string[]> =>
    (await readdir(tmpdir())).filter((name) => name.startsWith('portunus-demo-'));
  const before = await demos();
  const { code, stdout, stderr } = await runPortunus([
    'demo',
    'exhaustion',
    '--fast',
    '--seed',
    '3',
    '--json',
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { gateway, naive, news } = JSON.parse(stdout) as Summary;
  const calls = arrivalsOf(FAST, 3).length;
  for (const side of [gateway, naive]) {
    expect(side.calls).toBe(calls);
    expect(side.answered + side.refused + side.errors).toBe(calls);
  }
  // Callers behind the gateway see nothing of the key that is lost; the provider tells it at most to the calls under way.
  expect(gateway.errors).toBe(0);
  expect(naive.errors).toBeGreaterThan(0);
  expect(gateway.answered).toBeGreaterThan(naive.answered);
  expect(gateway.providerRefusals).toBeLessThan(naive.providerRefusals);
  const moments = TOLD.map((what) => news.findIndex((text) => what.test(text)));
  expect(moments, news.join('\n')).not.toContain(-1);
  expect(moments).toEqual(moments.toSorted((one, other) => one - other));
  expect(await demos()).toEqual(before);
});

describe('a demo that is broken off', () => {
  const WITHIN = { timeout: 40_000, interval: 50 };
  let folder: string;
  let demo: ChildProcess;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portunus-broken-off-'));
    const env = { ...process.env, TMPDIR: folder };
    demo = spawn(process.execPath, [PORTUNUS, 'demo', 'exhaustion', '--fast', '--json'], {
      env,
      stdio: 'ignore',
    });
  });
  afterEach(async () => {
    demo.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  /** Of the gateway, once it begins; the data folder is its first work. */
  async function gatewayPid(): Promise<number> {
    await vi.waitFor(() => {
      const [project] = readdirSync(folder);
      expect(project !== undefined && existsSync(join(folder, project, 'data'))).toBe(true);
    }, WITHIN);
    const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n');
    const own = processes
      .map((line) => line.trim().split(/\s+/))
      .find(([, parent]) => parent === String(demo.pid));
    return Number(own![0]);
  }

  const isGone = (pid: number): boolean => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  };

  it('while it begins leaves nothing behind, however often it is told', async () => {
    const gateway = await gatewayPid();
    const closed = once(demo, 'close');
    demo.kill('SIGTERM');
    demo.kill('SIGINT');
    expect(await closed).toEqual([0, null]);
    expect([isGone(gateway), await readdir(folder)]).toEqual([true, []]);
  });

  it('by a kill takes its gateway along', async () => {
    const gateway = await gatewayPid();
    expect(isGone(gateway)).toBe(false);
    demo.kill('SIGKILL');
    await vi.waitFor(() => expect(isGone(gateway)).toBe(true), WITHIN);
  });
});

it('has the same load for the same seed, in two minutes at most', () => {
  expect(arrivalsOf(TWO_MINUTES, 1)).toEqual(arrivalsOf(TWO_MINUTES, 1));
  expect(arrivalsOf(TWO_MINUTES, 1)).not.toEqual(arrivalsOf(TWO_MINUTES, 2));
  expect(lengthMs(TWO_MINUTES)).toBeLessThanOrEqual(120_000);
  const moments = arrivalsOf(TWO_MINUTES, 1).map(({ atMs }) => atMs);
  expect(moments).toEqual(moments.toSorted((one, other) => one - other));
});
