/**
 * Every configuration that ran, newest last, bounded. Texts are kept once by their content, so an edit of one file out of many
 * costs one text.
 */
import { createHash } from 'node:crypto';
import { assert } from '../base/assert.ts';
import { ok, type Result } from '../base/result.ts';
import type { AuditActor, AuditEntry } from '../pipeline/audit.ts';
import type { AuditLog } from './audit-chain.ts';
import type { StoreProblem } from './store-problem.ts';
import type { StoreTables } from './store-tables.ts';

export interface ConfigurationHistory {
  /** Oldest first, without texts. */
  versions(): readonly ConfigurationVersion[];
  /**
   * Keeps a version, whose epoch is above all kept ones, and its audit records in one transaction; the oldest beyond
   * `versionsMax` go. Durable when it returns.
   */
  add(
    version: ConfigurationVersion,
    files: readonly ConfigurationFile[],
    kept: { readonly versionsMax: number; readonly audit: readonly AuditEntry[] },
  ): Result<void, StoreProblem>;
  /** The files of a version, or null when it is not kept. */
  files(epoch: number): Result<readonly ConfigurationFile[] | null, StoreProblem>;
}

export interface ConfigurationVersion {
  readonly epoch: number;
  /** `RuleBundle.hash`. */
  readonly hash: string;
  /** {@link digestOfFiles}: whether two versions are the same, file by file. */
  readonly digest: string;
  readonly timeMs: number;
  /** `start`, `file change` … */
  readonly reason: string;
  readonly actor: AuditActor;
}

export interface ConfigurationFile {
  /** Relative to the project folder. */
  readonly path: string;
  readonly text: string;
}

const VERSIONS = 'version';
const TEXTS = 'text';

interface VersionRecord extends ConfigurationVersion {
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export function createConfigurationHistory(
  tables: StoreTables,
  audit: AuditLog,
): Result<ConfigurationHistory, StoreProblem> {
  const stored = tables.list<VersionRecord>(VERSIONS);
  if (!stored.ok) return stored;
  let kept: readonly VersionRecord[] = stored.value.map(complete);
  return ok({
    versions: () => kept.map(({ files: _files, ...version }) => version),
    add(version, files, { versionsMax, audit: entries }) {
      const record: VersionRecord = {
        ...version,
        files: files.map(({ path, text }) => ({ path, text: textName(text) })),
      };
      assert(version.epoch > (kept.at(-1)?.epoch ?? -1), 'epochs of kept versions ascend');
      const later = [...kept, record].slice(-versionsMax);
      const before = textNames(kept);
      const after = textNames(later);
      const written = audit.change(entries, (change) => {
        for (const gone of kept) if (!later.includes(gone)) change.remove([VERSIONS, gone.epoch]);
        for (const name of before) if (!after.has(name)) change.remove([TEXTS, name]);
        for (const { text } of files)
          if (!before.has(textName(text))) change.put([TEXTS, textName(text)], text);
        change.put([VERSIONS, version.epoch], record);
      });
      if (!written.ok) return written;
      kept = later;
      return ok(undefined);
    },
    files(epoch) {
      const version = kept.find((record) => record.epoch === epoch);
      if (version === undefined) return ok(null);
      const files: ConfigurationFile[] = [];
      for (const { path, text: name } of version.files) {
        const text = tables.get<string>([TEXTS, name]);
        if (!text.ok) return text;
        if (text.value === null) return tables.damaged(`the text of ${path} in version ${epoch} is missing`);
        files.push({ path, text: text.value });
      }
      return ok(files);
    },
  });
}

/** Of all paths and texts, in whatever order they come. */
export function digestOfFiles(files: readonly ConfigurationFile[]): string {
  return digestOfNames(files.map(({ path, text }) => ({ path, text: textName(text) })));
}

function digestOfNames(files: VersionRecord['files']): string {
  const lines = files.map(({ path, text }) => JSON.stringify([path, text])).sort();
  return createHash('sha256').update(lines.join('\n'), 'utf8').digest('hex');
}

/** Records of before versions had a digest and an actor. */
function complete(record: VersionRecord): VersionRecord {
  if ((record as Partial<VersionRecord>).digest !== undefined) return record;
  const actor: AuditActor = { kind: 'gateway', cause: 'not recorded' };
  return { ...record, digest: digestOfNames(record.files), reason: 'not recorded', actor };
}

function textName(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function textNames(versions: readonly VersionRecord[]): Set<string> {
  return new Set(versions.flatMap((version) => version.files.map((file) => file.text)));
}
