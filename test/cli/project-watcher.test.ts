import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ProjectWatcher } from '../../src/cli/run/project-files.ts';

it('a file that is written all the time does not put off the news of it for ever', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portunus-watcher-'));
  let told = 0;
  const watcher = new ProjectWatcher(() => {
    told++;
  });
  watcher.watch([folder]);
  let writes = 0;
  // Far more often than it would have to be quiet.
  for (; told === 0 && writes < 500; writes++) {
    await writeFile(join(folder, 'portunus.yaml'), `portunus: 1 # ${writes}\n`);
    await delay(10);
  }
  watcher.stop();
  await rm(folder, { recursive: true });
  expect(told).toBe(1);
});
