import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ProjectWatcher } from '../../src/cli/run/project-files.ts';
import type { After } from '../../src/upstream/timers.ts';
import { VirtualTime } from '../upstream/virtual-time.ts';

it('a file that is written all the time does not put off the news of it for ever', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portunus-watcher-'));
  const time = new VirtualTime();
  const noticed = new EventEmitter();
  const after: After = (delayMs, run) => {
    noticed.emit('change');
    return time.after(delayMs, run);
  };
  let told = 0;
  const watcher = new ProjectWatcher(() => told++, time.clock, after);
  watcher.watch([folder]);
  const write = async (): Promise<void> => {
    const change = once(noticed, 'change');
    await writeFile(join(folder, 'portunus.yaml'), `portunus: 1 # ${time.nowMs}\n`);
    await change;
  };
  // Far more often than it would have to be quiet.
  for (let writes = 0; told === 0 && writes < 500; writes++) {
    await write();
    await time.advance(10);
  }
  expect(told).toBe(1);
  await write();
  await time.advance(10_000);
  expect(told).toBe(2);
  watcher.stop();
  expect(time.timers).toBe(0);
  await rm(folder, { recursive: true });
});
