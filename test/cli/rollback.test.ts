/** What the audit log knows of a roll-back before a file is touched, and what is answered after it. */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { err, ok } from '../../src/base/result.ts';
import type { LoadResult } from '../../src/cli/run/configuration.ts';
import { onceRecorded } from '../../src/cli/run/history-keeper.ts';
import { type RollbackParts, rollBack } from '../../src/cli/run/rollback.ts';
import { systemClock } from '../../src/cli/run/system-clock.ts';
import type { AuditActor, AuditEntry } from '../../src/pipeline/audit.ts';
import type { AuditLog } from '../../src/state/audit-chain.ts';
import { type ConfigurationHistory, digestOfFiles } from '../../src/state/configuration-history.ts';

const actor: AuditActor = { kind: 'token', id: 'abc', name: 'deploy' };
const NO_ROOM = {
  code: 'store_write_failed',
  message: 'No room.',
  place: 'p',
  remedy: 'Make some.',
} as const;
const NOW = [{ path: 'portunus.yaml', text: 'portunus: 1 # now\n' }];
const WANTED = [{ path: 'portunus.yaml', text: 'portunus: 1 # before\n' }];
const LIVE: LoadResult['outcome'] = { kind: 'live', epoch: 3, hash: 'a'.repeat(16), notes: [] };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portunus-rollback-'));
  await mkdir(join(folder, 'project'));
  await writeFile(join(folder, 'project', 'portunus.yaml'), NOW[0]!.text);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const lies = (): Promise<string> => readFile(join(folder, 'project', 'portunus.yaml'), 'utf8');

function result(outcome: LoadResult['outcome']): LoadResult {
  return { reason: 'rollback to 1', atMs: 1, tookMs: 1, outcome, diagnostics: [] };
}

function parts(change: AuditLog['change']): RollbackParts {
  return {
    folder: join(folder, 'project'),
    dataFolder: join(folder, 'data'),
    history: {
      files: () => ok(WANTED),
      versions: () => [],
    } as Partial<ConfigurationHistory> as ConfigurationHistory,
    audit: { change },
    keeper: { record: () => {} },
    configuration: {
      running: null,
      replace: async (_texts, write) => {
        const written = await write();
        return result(written.ok ? LIVE : { kind: 'refused', why: written.error });
      },
    },
    clock: systemClock(),
  };
}

it('is recorded, with who does it, before a file is touched', async () => {
  const seen: (readonly [AuditEntry, string])[] = [];
  const change: AuditLog['change'] = (entries) => {
    for (const entry of entries)
      seen.push([entry, readFileSync(join(folder, 'project', 'portunus.yaml'), 'utf8')]);
    return ok([]);
  };
  expect((await rollBack(1, actor, parts(change))).ok).toBe(true);
  const entry: AuditEntry = {
    actor,
    action: 'configuration.rollback-begun',
    target: 'files of version 1',
    before: { files: digestOfFiles(NOW) },
    after: { files: digestOfFiles(WANTED) },
  };
  expect(seen).toEqual([[entry, NOW[0]!.text]]);
  expect(await lies()).toBe(WANTED[0]!.text);
});

it('changes nothing where that can not be recorded', async () => {
  const refused = await rollBack(
    1,
    actor,
    parts(() => err(NO_ROOM)),
  );
  expect(refused.ok && refused.value.outcome).toMatchObject({
    kind: 'refused',
    why: expect.stringContaining("It can't be recorded, so nothing was changed. No room. Make some."),
  });
  expect(await lies()).toBe(NOW[0]!.text);
  expect(await readdir(join(folder, 'project'))).toEqual(['portunus.yaml']);
});

it('is said to be live but not recorded only where it is live', () => {
  const refused = result({ kind: 'refused', why: 'errors' });
  const unchanged = result({ ...LIVE, kind: 'unchanged' });
  expect(onceRecorded(result(LIVE), NO_ROOM)).toEqual(err(NO_ROOM));
  expect(onceRecorded(result(LIVE), null)).toEqual(ok(result(LIVE)));
  for (const other of [refused, unchanged]) expect(onceRecorded(other, NO_ROOM)).toEqual(ok(other));
});
