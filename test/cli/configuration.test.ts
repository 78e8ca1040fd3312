/** Loads of a project that meet what nobody foresaw. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ok } from '../../src/base/result.ts';
import {
  Configuration,
  type LoadCause,
  type LoadReason,
  type LoadResult,
} from '../../src/cli/run/configuration.ts';
import { LocalBuilder } from '../../src/cli/run/project-builder.ts';
import { systemClock } from '../../src/cli/run/system-clock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portunus-configuration-'));
  await writeFile(join(folder, 'portunus.yaml'), 'portunus: 1\n');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('a defect that a load brings out is told, and ends nothing: the next load is tried', async () => {
  const results: LoadResult[] = [];
  const live: number[] = [];
  let defective = true;
  const configuration = new Configuration({
    folder,
    clock: systemClock(),
    firstEpoch: 1,
    builder: new LocalBuilder(),
    target: {
      change: async () => {
        if (defective) throw new Error('out of order');
        return null;
      },
      readFiles: () => ok({ digest: '', byService: new Map() }),
      live: ({ epoch }) => live.push(epoch),
      watch: () => {},
      isOver: () => false,
      counters: () => [],
    },
    onResult: (result) => results.push(result),
  });
  const { outcome } = await configuration.load(cause('file change'));
  expect(outcome).toMatchObject({ kind: 'refused', why: expect.stringContaining('Error: out of order') });
  expect(configuration.running).toBeNull();
  defective = false;
  expect((await configuration.load(cause('SIGHUP'))).outcome).toMatchObject({ kind: 'live', epoch: 1 });
  expect(results.map(({ reason }) => reason)).toEqual(['file change', 'SIGHUP']);
  expect(live).toEqual([1]);
});

it('reads the directory anew where routes have other names or money another currency, and only then', async () => {
  const worlds: boolean[] = [];
  const configuration = new Configuration({
    folder,
    clock: systemClock(),
    firstEpoch: 1,
    builder: new LocalBuilder(),
    target: {
      change: async (_epoch, { world }) => {
        worlds.push(world !== null);
        return null;
      },
      readFiles: () => ok({ digest: '', byService: new Map() }),
      live: () => {},
      watch: () => {},
      isOver: () => false,
      counters: () => [],
    },
    onResult: () => {},
  });
  await mkdir(join(folder, 'routes'));
  await mkdir(join(folder, 'policies'));
  const permit = 'language 1\npolicy "p" applies to every route { permit }\n';
  await writeFile(join(folder, 'policies', 'p.policy'), permit);
  for (const { route, path, currency } of [
    { route: 'orders', path: '/orders', currency: 'USD' },
    { route: 'orders', path: '/other', currency: 'USD' },
    { route: 'more', path: '/other', currency: 'USD' },
    { route: 'more', path: '/third', currency: 'EUR' },
  ]) {
    await writeFile(join(folder, 'portunus.yaml'), `portunus: 1\ncurrency: ${currency}\n`);
    const services = 'services: { s: { endpoints: [{ url: "http://127.0.0.1:1" }] } }';
    const routes = `routes: { ${route}: { service: s, match: { path: "${path}" } } }`;
    await writeFile(join(folder, 'routes', 'r.yaml'), `${services}\n${routes}\n`);
    const { outcome, diagnostics } = await configuration.load(cause('file change'));
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(outcome).toMatchObject({ kind: 'live' });
  }
  expect(worlds).toEqual([true, false, true, true]);
});

it('goes nowhere once it is stopped: what is built, what waits and what comes is answered so, and told to nobody', async () => {
  const results: LoadResult[] = [];
  const live: number[] = [];
  const watched: (readonly string[])[] = [];
  let builds = 0;
  let begun: () => void = () => {};
  const isBuilding = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let end: (error: Error) => void = () => {};
  const local = new LocalBuilder();
  const configuration = new Configuration({
    folder,
    clock: systemClock(),
    firstEpoch: 1,
    builder: {
      build: async (...what) => {
        if (++builds > 1) return await local.build(...what);
        begun();
        return await new Promise((_, reject) => {
          end = reject;
        });
      },
      stop: async () => {},
    },
    target: {
      change: async () => null,
      readFiles: () => ok({ digest: '', byService: new Map() }),
      live: ({ epoch }) => live.push(epoch),
      watch: (folders) => watched.push(folders),
      isOver: () => false,
      counters: () => [],
    },
    onResult: (result) => results.push(result),
  });
  const loads = [configuration.load(cause('file change')), configuration.load(cause('SIGHUP'))];
  await isBuilding;
  configuration.stop();
  end(new Error('the thread that compiles ended with code 1'));
  loads.push(configuration.load(cause('admin API')));
  for (const { outcome } of await Promise.all(loads))
    expect(outcome).toEqual({ kind: 'refused', why: 'The gateway is stopping.' });
  const replaced = await configuration.replace([], async () => ok(undefined), cause('rollback to 1'));
  expect(replaced.outcome).toEqual({ kind: 'refused', why: 'The gateway is stopping.' });
  expect({ builds, live, results, last: configuration.lastResult }).toEqual({
    builds: 1,
    live: [],
    results: [],
    last: null,
  });
  expect(watched).toHaveLength(1);
});

it('what was built when the stop came does not go live', async () => {
  const live: number[] = [];
  const local = new LocalBuilder();
  const configuration: Configuration = new Configuration({
    folder,
    clock: systemClock(),
    firstEpoch: 1,
    builder: {
      build: async (...what) => {
        configuration.stop();
        return await local.build(...what);
      },
      stop: async () => {},
    },
    target: {
      change: async () => null,
      readFiles: () => ok({ digest: '', byService: new Map() }),
      live: ({ epoch }) => live.push(epoch),
      watch: () => {},
      isOver: () => false,
      counters: () => [],
    },
    onResult: () => {},
  });
  expect((await configuration.load(cause('SIGHUP'))).outcome.kind).toBe('refused');
  expect(live).toEqual([]);
});

function cause(reason: LoadReason): LoadCause {
  return { reason, actor: { kind: 'gateway', cause: reason } };
}
