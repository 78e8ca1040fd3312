/** Backup, restore, doctor and recovery, as an operator uses them: the built command on the data folder of a gateway. */
import { chmodSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/cli/run/examination.ts';
import { type Project, RunningGateway, runPortunus, writeProject } from '../gateway/running-gateway.ts';
import { startUpstream, type UpstreamServer } from '../gateway/upstream-server.ts';

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway | undefined;
beforeEach(async () => {
  upstream = await startUpstream();
  project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
    'policies/p.policy': 'language 1\npolicy "p" { permit  quota "year" 50 requests per year in total }\n',
  });
});
afterEach(async () => {
  await gateway?.stop('SIGKILL');
  gateway = undefined;
  await project.remove();
  await upstream.close();
});

const data = (...path: string[]): string => join(project.folder, 'data', ...path);
const portunus = (command: string, ...more: string[]) => runPortunus([command, project.folder, ...more]);

async function start(...commandLine: string[]): Promise<RunningGateway> {
  gateway = await RunningGateway.start(project, { arguments: ['--log', '/dev/null', ...commandLine] });
  return gateway;
}

async function served(requests: number): Promise<number> {
  let count = 0;
  for (let i = 0; i < requests; i++) if ((await fetch(`${gateway!.url}/x`)).status === 200) count++;
  return count;
}

/** Changes every copy of a text that the store has, so that a record no longer has its checksum. */
function damage(text: string): void {
  const bytes = readFileSync(data('store.mdb'));
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) bytes[at]! ^= 1;
  writeFileSync(data('store.mdb'), bytes);
}

async function doctorOn(what: string): Promise<Finding & { readonly code: number }> {
  const { code, stdout } = await portunus('doctor', '--json');
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return { code, ...findings.find((finding) => finding.what === what)! };
}

describe('a backup', () => {
  it('is made under a running gateway, and brings back what was counted until then', async () => {
    await start();
    expect(await served(20)).toBe(20);
    await gateway!.stop('SIGTERM');
    await start();
    const made = await portunus('backup');
    expect([made.code, made.stderr]).toEqual([0, '']);
    const [name] = readdirSync(data('backups'));
    expect(statSync(data('backups', name!)).mode & 0o777).toBe(0o600);
    expect(await portunus('restore')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('Stop it first'),
    });
    expect(await served(100)).toBe(30);
    await gateway!.stop('SIGKILL');

    const restored = await portunus('restore');
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    expect(restored.stdout).toMatch(/^Put .*store-.*\.mdb in place\. What was there is .*replaced-/);
    await start();
    expect(await served(100)).toBe(30);
  });

  it('keeps ten, and none of a store that is damaged', async () => {
    await start();
    for (let i = 0; i < 11; i++) expect((await portunus('backup')).code).toBe(0);
    const before = readdirSync(data('backups'));
    expect(before).toHaveLength(10);
    await gateway!.stop('SIGKILL');
    damage('keyHashSecret');
    expect(await portunus('backup')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('["secrets"]'),
    });
    expect(readdirSync(data('backups'))).toEqual(before);
  }, 120_000);

  it('goes where it is told to, and is no backup if it is something else', async () => {
    await start();
    const target = join(project.folder, 'copy.mdb');
    expect((await portunus('backup', '--to', target, '--json')).code).toBe(0);
    const copy = readFileSync(target);
    expect(await portunus('backup', '--to', target)).toMatchObject({
      code: 3,
      stderr: `portunus backup: ${target} is there already, and nothing is overwritten. Name another file.\n`,
    });
    expect(readFileSync(target).equals(copy)).toBe(true);
    await gateway!.stop('SIGTERM');
    expect((await portunus('restore', '--from', target)).code).toBe(0);
    writeFileSync(target, 'not a store');
    const before = readFileSync(data('store.mdb'));
    expect(await portunus('restore', '--from', target)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('not made by Portunus'),
    });
    expect(readFileSync(data('store.mdb')).equals(before)).toBe(true);
  });
});

describe('a damaged store', () => {
  it('is found after a kill -9 before it is opened, left alone, and recovered from the newest sound backup', async () => {
    await start();
    await portunus('backup');
    await served(12);
    writeFileSync(data('backups', 'store-29991231T000000Z.mdb'), 'cut off');
    await gateway!.stop('SIGKILL');
    damage('keyHashSecret');
    const before = readFileSync(data('store.mdb'));
    const refused = await portunus('start');
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('--recover') });
    expect(readFileSync(data('store.mdb')).equals(before)).toBe(true);
    expect(await doctorOn('store')).toMatchObject({
      code: 1,
      state: 'wrong',
      says: expect.stringContaining('secrets'),
      remedy: expect.stringContaining('goes back to the newest backup'),
    });

    await start('--recover');
    expect(gateway!.output).toContain('Went back to');
    expect(await served(100)).toBe(50);
    const [aside] = readdirSync(data()).filter((name) => name.includes('replaced-'));
    expect(readFileSync(data(aside!)).equals(before)).toBe(true);
  });

  it('without a backup keeps the records that are sound', async () => {
    await start();
    expect(await served(12)).toBe(12);
    await gateway!.stop('SIGKILL');
    // The text of a file in the history.
    damage('permit  quota');
    expect(await portunus('start')).toMatchObject({ code: 3, stderr: expect.stringContaining('["text",') });
    await start('--recover');
    expect(gateway!.output).toContain('There is no sound backup: 1 damaged record was left out.');
    // Of the quota the open slice is lost, which is a tenth at most.
    const left = await served(100);
    expect(left).toBeLessThanOrEqual(50 - 12);
    expect(left).toBeGreaterThanOrEqual(50 - 12 - 5);
  });

  it('that is cut short or of another program is told by doctor, and changed by nobody', async () => {
    await start();
    await gateway!.stop('SIGTERM');
    const sound = readFileSync(data('store.mdb'));
    truncateSync(data('store.mdb'), 9_000);
    expect(await doctorOn('store')).toMatchObject({
      state: 'wrong',
      says: expect.stringContaining('shorter'),
    });
    writeFileSync(data('store.mdb'), Buffer.alloc(40_000, 'x'));
    expect(await doctorOn('store')).toMatchObject({
      state: 'wrong',
      says: expect.stringContaining('not made by'),
      remedy: expect.stringMatching(
        /^There is no backup\..*start .* --recover.*; else set `data:` to an empty folder\.$/,
      ),
    });
    expect(await portunus('start', '--recover')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no sound backup'),
    });
    expect(readFileSync(data('store.mdb')).equals(Buffer.alloc(40_000, 'x'))).toBe(true);
    writeFileSync(data('store.mdb'), sound.fill(0, 8_192));
    const backup = await portunus('backup');
    expect(backup.code).toBe(3);
    expect(backup.stderr).toMatch(/^portunus backup: The store can't be read: MDB_.*--recover/m);
  });
});

it('doctor says what is running, what is open to others, and that nothing is wrong when nothing is', async () => {
  expect((await portunus('doctor')).stdout).toContain('Nothing is wrong.');
  await start();
  const { code, stdout } = await portunus('doctor');
  expect(code).toBe(0);
  expect(stdout).toContain(`runs, process ${gateway!.child.pid}, without alerts`);
  expect(stdout).toMatch(/format \d+ since 20\d\d-\d\d-\d\d\./);
  expect(stdout).toContain('backup');
  chmodSync(data(), 0o755);
  expect(await doctorOn('permissions')).toMatchObject({ code: 1, state: 'wrong' });
});
