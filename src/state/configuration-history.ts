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
  // Lists of files stay in the store: two hundred versions of ten thousand files would fill the memory.
  let kept: readonly ConfigurationVersion[] = stored.value.map(withoutFiles);
  const uses = new TextUses();
  for (const { files } of stored.value) uses.take(uses.after(files, []));
  return ok({
    versions: () => kept,
    add(version, files, { versionsMax, audit: entries }) {
      assert(version.epoch > (kept.at(-1)?.epoch ?? -1), 'epochs of kept versions ascend');
      const going = kept.slice(0, Math.max(0, kept.length + 1 - versionsMax));
      const gone = recordsOf(tables, going);
      if (!gone.ok) return gone;
      const named = files.map(({ path, text }) => ({ path, text: textName(text) }));
      const after = uses.after(
        named,
        gone.value.flatMap((record) => record.files),
      );
      const written = audit.change(entries, (change) => {
        for (const { epoch } of going) change.remove([VERSIONS, epoch]);
        for (const [name, count] of after) if (count === 0) change.remove([TEXTS, name]);
        for (const [index, { text }] of files.entries()) {
          const name = named[index]!.text;
          if (!uses.has(name) && after.get(name) !== 0) change.put([TEXTS, name], text);
        }
        change.put([VERSIONS, version.epoch], { ...version, files: named } satisfies VersionRecord);
      });
      if (!written.ok) return written;
      uses.take(after);
      kept = [...kept.slice(going.length), version];
      return ok(undefined);
    },
    files(epoch) {
      const version = tables.get<VersionRecord>([VERSIONS, epoch]);
      if (!version.ok) return version;
      if (version.value === null) return ok(null);
      const files: ConfigurationFile[] = [];
      for (const { path, text: name } of version.value.files) {
        const text = tables.get<string>([TEXTS, name]);
        if (!text.ok) return text;
        if (text.value === null) return tables.damaged(`the text of ${path} in version ${epoch} is missing`);
        files.push({ path, text: text.value });
      }
      return ok(files);
    },
  });
}

/** How many files of kept versions have each text. */
class TextUses {
  readonly #counts = new Map<string, number>();

  has(name: string): boolean {
    return this.#counts.has(name);
  }

  /** The counts that differ once a version has come and others are gone. */
  after(come: VersionRecord['files'], gone: VersionRecord['files']): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    const add = (name: string, by: number) =>
      counts.set(name, (counts.get(name) ?? this.#counts.get(name) ?? 0) + by);
    for (const { text } of come) add(text, 1);
    for (const { text } of gone) add(text, -1);
    return counts;
  }

  take(counts: ReadonlyMap<string, number>): void {
    for (const [name, count] of counts) {
      if (count === 0) this.#counts.delete(name);
      else this.#counts.set(name, count);
    }
  }
}

function recordsOf(
  tables: StoreTables,
  versions: readonly ConfigurationVersion[],
): Result<readonly VersionRecord[], StoreProblem> {
  const records: VersionRecord[] = [];
  for (const { epoch } of versions) {
    const record = tables.get<VersionRecord>([VERSIONS, epoch]);
    if (!record.ok) return record;
    if (record.value !== null) records.push(record.value);
  }
  return ok(records);
}

/** Of all paths and texts, in whatever order they come. */
export function digestOfFiles(files: readonly ConfigurationFile[]): string {
  return digestOfNames(files.map(({ path, text }) => ({ path, text: textName(text) })));
}

function digestOfNames(files: VersionRecord['files']): string {
  const lines = files.map(({ path, text }) => JSON.stringify([path, text])).sort();
  return createHash('sha256').update(lines.join('\n'), 'utf8').digest('hex');
}

/** Records of earlier stores have neither digest nor actor. */
function withoutFiles({ files, ...version }: VersionRecord): ConfigurationVersion {
  const { digest } = version as Partial<ConfigurationVersion>;
  if (digest !== undefined) return version;
  const actor: AuditActor = { kind: 'gateway', cause: 'not recorded' };
  return { ...version, digest: digestOfNames(files), reason: 'not recorded', actor };
}

function textName(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
