/** What the control thread does beside loading: it sweeps the counters, and frees the locks of a data thread that is lost. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { Gateway as GatewayClass } from '../../src/cli/run/gateway.ts';
import { LocalBuilder } from '../../src/cli/run/project-builder.ts';
import { systemClock, systemRandom } from '../../src/cli/run/system-clock.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { openStore, type Store } from '../../src/state/store.ts';
import { freePort } from '../gateway/running-gateway.ts';

/** As it is built: it looks for the package beside `dist`. */
const BUILT: string = new URL('../../dist/src/cli/run/gateway.js', import.meta.url).href;

/** Answers as a data thread does, serves nothing, and dies when it is told to listen a second time. */
const THREAD = `
import { parentPort } from 'node:worker_threads';
parentPort.on('message', ({ kind, epoch, directory }) => {
  if (kind === 'prepare-rules') parentPort.postMessage({ kind: 'prepared', epoch });
  if (kind === 'prepare-directory') parentPort.postMessage({ kind: 'directory-prepared', epoch: directory.epoch });
  if (kind === 'listen') {
    parentPort.postMessage({ kind: 'listening' });
    setImmediate(() => process.exit(7));
  }
});
parentPort.postMessage({ kind: 'started' });
`;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closers.splice(0).reverse()) await close();
});

it('sweeps the counters every second, and frees the locks of a lost thread before it says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portunus-chores-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const [port, adminPort] = [await freePort(), await freePort()];
  const texts = [
    new SourceText(
      'portunus.yaml',
      `portunus: 1\nlisten: { port: ${port} }\nadmin: { port: ${adminPort} }\ndataThreads: 1\n`,
    ),
  ];
  const builder = new LocalBuilder();
  const clock = systemClock();
  const project = await builder.build(texts, folder, clock.wallMs());
  const random = systemRandom();
  const store = opened(openStore(join(folder, 'data'), random, unexamined, clock));
  closers.push(() => store.close());
  const said: string[] = [];
  let tellLost: () => void = () => {};
  const lost = new Promise<void>((resolve) => {
    tellLost = resolve;
  });
  const registry = createCounterRegistry();
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const { Gateway } = (await import(BUILT)) as { readonly Gateway: typeof GatewayClass };
  const started = await Gateway.start({
    files: { folder, texts, folders: [] },
    project,
    replaced: [],
    formerCounters: null,
    builder,
    store,
    counters: {
      ...registry,
      sweep: () => said.push('sweep'),
      releaseLocksOf: (thread) => said.push(`release ${thread > 0 ? 'its' : 'no'} locks`),
    },
    threadEntry: new URL(`data:text/javascript,${encodeURIComponent(THREAD)}`),
    counterEntry: new URL(import.meta.url),
    clock,
    random,
    logTo: { file: join(folder, 'access.log') },
    watchFiles: 'no',
    onLive: () => {},
    onLoad: () => {},
    onFatal: (why) => {
      said.push(why.split(':')[0]!);
      tellLost();
    },
  });
  if (!started.ok) throw new Error(started.error);
  await lost;
  expect(said).toEqual(['release its locks', 'data thread 0 is lost']);
  vi.advanceTimersByTime(3_000);
  expect(said.slice(2)).toEqual(['sweep', 'sweep', 'sweep']);
});

const unexamined = (): never => {
  throw new Error('a store that was closed is not examined');
};

function opened(result: ReturnType<typeof openStore>): Store {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}
