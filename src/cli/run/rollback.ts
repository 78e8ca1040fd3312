import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { SourceText } from '../../diagnostics/source.ts';
import type { AuditActor, AuditEntry } from '../../pipeline/audit.ts';
import type { AuditLog } from '../../state/audit-chain.ts';
import {
  type ConfigurationFile,
  type ConfigurationHistory,
  digestOfFiles,
} from '../../state/configuration-history.ts';
import type { StoreProblem } from '../../state/store-problem.ts';
import { syncPath } from '../../state/synced-path.ts';
import type { Configuration, LoadResult } from './configuration.ts';
import type { HistoryKeeper } from './history-keeper.ts';
import { readProject } from './project-files.ts';
import { rewriteProject } from './project-rewrite.ts';

export interface RollbackParts {
  readonly folder: string;
  readonly dataFolder: string;
  readonly history: ConfigurationHistory;
  readonly audit: Pick<AuditLog, 'change'>;
  readonly keeper: Pick<HistoryKeeper, 'record'>;
  readonly configuration: Pick<Configuration, 'replace' | 'running'>;
  readonly clock: Clock;
}

/** States of the project folder that were replaced; of more, the oldest go. */
export const REPLACED_KEPT = 20;
const REPLACED_FOLDER = 'replaced-files';

/**
 * Goes back to a version: its files take the place of those in the project folder, as a new version. So files and gateway say the same
 * afterwards, and the next edit starts from what runs. What lay there is kept, if no version has it.
 */
export async function rollBack(
  version: number,
  actor: AuditActor,
  parts: RollbackParts,
): Promise<Result<LoadResult, StoreProblem | 'unknown'>> {
  const files = parts.history.files(version);
  if (!files.ok) return files;
  const wanted = files.value;
  if (wanted === null) return err('unknown');
  const target = `files of version ${version}`;
  let saved: Result<string | null, string> | null = null;
  const write = async (): Promise<Result<void, string>> => {
    saved = await replace(wanted, { actor, target }, parts);
    return saved.ok ? ok(undefined) : saved;
  };
  const texts = wanted.map(({ path, text }) => new SourceText(path, text));
  const before = parts.configuration.running?.epoch ?? null;
  const result = await parts.configuration.replace(texts, write, { reason: `rollback to ${version}`, actor });
  const wrote = saved as Result<string | null, string> | null;
  if (wrote?.ok && result.outcome.kind !== 'live') {
    // The load of a live version is recorded by itself; the files were changed all the same.
    const after = { version: before, files: digestOfFiles(wanted), outcome: result.outcome.kind };
    parts.keeper.record(`the roll-back to version ${version}`, {
      actor,
      action: 'configuration.rollback',
      target,
      before: { version: before },
      after,
    });
  }
  return ok(wrote?.ok && wrote.value !== null ? withNote(result, wrote.value) : result);
}

/** Answers where the files that lay there are kept now, or null where a version has them. */
async function replace(
  wanted: readonly ConfigurationFile[],
  doing: Pick<AuditEntry, 'actor' | 'target'>,
  { folder, dataFolder, history, audit, clock }: RollbackParts,
): Promise<Result<string | null, string>> {
  const present = await readProject(folder);
  if (!present.ok) return present;
  const saved = saveUnlessKept(present.value.texts, history, dataFolder, clock.wallMs());
  if (!saved.ok) return saved;
  // Recorded first: what is begun may be finished by a later start, which does not know whose doing it was.
  const begin = (): Result<void, string> => {
    const [before, after] = [present.value.texts, wanted].map((files) => ({ files: digestOfFiles(files) }));
    const begun = audit.change(
      [{ ...doing, action: 'configuration.rollback-begun', before, after }],
      () => {},
    );
    return begun.ok ? ok(undefined) : err(notBegun(begun.error));
  };
  const written = await rewriteProject(folder, present.value.texts, wanted, begin);
  return written.ok ? saved : written;
}

function notBegun({ message, remedy }: StoreProblem): string {
  return `It can't be recorded, so nothing was changed. ${message} ${remedy}`;
}

function saveUnlessKept(
  files: readonly ConfigurationFile[],
  history: ConfigurationHistory,
  dataFolder: string,
  wallMs: number,
): Result<string | null, string> {
  const digest = digestOfFiles(files);
  if (history.versions().some((kept) => kept.digest === digest)) return ok(null);
  const all = join(dataFolder, REPLACED_FOLDER);
  const folder = join(all, new Date(wallMs).toISOString().replaceAll(/[-:]/g, ''));
  try {
    for (const { path, text } of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, path), text, { mode: 0o600, flush: true });
    }
    for (const kept of foldersOf(files)) syncPath(join(folder, kept));
    for (const made of [folder, all, dataFolder]) syncPath(made);
    for (const old of readdirSync(all).sort().slice(0, -REPLACED_KEPT))
      rmSync(join(all, old), { recursive: true, force: true });
    return ok(folder);
  } catch (thrown) {
    return err(`The present files could not be saved first: ${(thrown as Error).message}.`);
  }
}

/** Of the paths, each folder that lies within the saved one. */
function foldersOf(files: readonly ConfigurationFile[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const { path } of files) for (let at = dirname(path); at !== '.'; at = dirname(at)) folders.add(at);
  return folders;
}

function withNote(result: LoadResult, folder: string): LoadResult {
  const { outcome } = result;
  const note = `The files that lay there are no version that ran: they are kept in ${folder}.`;
  if (outcome.kind === 'refused')
    return { ...result, outcome: { ...outcome, why: `${outcome.why} ${note}` } };
  return { ...result, outcome: { ...outcome, notes: [note, ...outcome.notes] } };
}
