import { statfs } from 'node:fs/promises';
import type { Clock } from '../../base/ports.ts';
import type { Result } from '../../base/result.ts';
import { loadSettings } from '../../config/load.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { SourceText } from '../../diagnostics/source.ts';
import type { Directory } from '../../model/world.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';
import { digestOfFiles } from '../../state/configuration-history.ts';
import { machineBoot } from '../../state/rates/machine-boot.ts';
import type { Store } from '../../state/store.ts';
import type { StoreProblem } from '../../state/store-problem.ts';
import { editedFiles, type FormerLimits, type PolicyText } from '../../tools/replaced-limits.ts';
import { PACKAGE_FOLDER } from '../package-folder.ts';
import type { LiveVersion } from './configuration.ts';
import { LocalBuilder, type ProjectBuilder, ThreadBuilder } from './project-builder.ts';
import type { ProjectFiles } from './project-files.ts';
import { formOf, fromForm } from './ready-form.ts';
import type { ReadyProject, ReadyVersion, ServedWorld } from './ready-project.ts';
import { type KeptLimit, keptReplaced, stillInForce } from './replaced-keeper.ts';
import {
  type CacheInputs,
  cacheInputs,
  programName,
  START_CACHE_FILE,
  StartCache,
  seemsCached,
} from './start-cache.ts';
import { withCertificateFindings } from './tls-files.ts';

/** A project that a gateway can start with, or what keeps it from that. */
export type PreparedProject =
  | { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly kind: 'ready';
      readonly project: ReadyProject;
      readonly built: ReadyVersion;
      readonly madeBy: 'this start' | 'an earlier start';
      readonly diagnostics: readonly Diagnostic[];
      readonly builder: ProjectBuilder;
      readonly store: Result<Store, StoreProblem>;
      readonly keeper: VersionKeeper;
      readonly replaced: readonly KeptLimit[];
      /** Of the version before, where its policies were edited while nothing ran; else null. */
      readonly formerCounters: readonly CounterSpec[] | null;
    };

type OpenStore = (dataFolder: string) => Result<Store, StoreProblem>;

/** From what an earlier start has kept of these very files, or else by checking and compiling them. */
export async function prepareProject(
  files: ProjectFiles,
  clock: Clock,
  open: OpenStore,
): Promise<PreparedProject> {
  const { texts, folder } = files;
  const program = programName();
  const settings = loadSettings(texts, { projectFolder: folder });
  const replaced = settings === null ? [] : keptReplaced(settings.server.dataFolder, clock, machineBoot());
  const limits = replaced.map(({ limit }) => limit);
  const inputs = program === null ? null : cacheInputs(texts, folder, program, limits);
  const opened = inputs === null || settings === null ? null : openedForCache(settings, inputs, open);
  const wallMs = clock.wallMs();
  const cached =
    inputs !== null && opened?.ok === true
      ? readCache(files, inputs, cacheOf(opened.value, settings!), wallMs)
      : null;
  const builder = cached === null ? new LocalBuilder() : new ThreadBuilder(BUILD_THREAD, cached.directory);
  const former = { files: [], replaced: stillInForce(replaced, clock) };
  const read = cached?.project ?? (await builder.build(texts, folder, wallMs, former));
  const asWritten = withCertificateFindings(read, wallMs);
  if (asWritten.built === null) {
    if (opened?.ok === true) await opened.value.close();
    return { kind: 'refused', diagnostics: asWritten.diagnostics };
  }
  const store = opened ?? open(asWritten.built.world.server.dataFolder);
  const edited = store.ok ? policiesBefore(store.value, texts) : null;
  const after =
    edited === null
      ? { built: asWritten.built, formerCounters: null }
      : await builtAfter(edited, files, {
          builder,
          wallMs,
          replaced: former.replaced,
          asWritten: asWritten.built,
        });
  const { built, formerCounters } = after;
  const { diagnostics } = asWritten;
  const project: ReadyProject = { built, diagnostics };
  const cache = store.ok ? cacheOf(store.value, built.world) : null;
  const keeper = new VersionKeeper(cache, program, (line) => process.stderr.write(line));
  if (cached !== null) keeper.holds(inputs!);
  const madeBy = cached === null ? 'this start' : 'an earlier start';
  return {
    kind: 'ready',
    project,
    built,
    madeBy,
    diagnostics,
    builder,
    store,
    keeper,
    replaced,
    formerCounters,
  };
}

interface PoliciesBefore {
  /** All files of the version before. */
  readonly texts: readonly SourceText[];
  /** Its policy files that are others now, or gone. */
  readonly edited: readonly PolicyText[];
}

/** What a reload would have known of the version that ran last; null where its policies are those of now. */
function policiesBefore({ history }: Store, texts: readonly SourceText[]): PoliciesBefore | null {
  const last = history.versions().at(-1);
  if (last === undefined || last.digest === digestOfFiles(texts)) return null;
  const files = history.files(last.epoch);
  // A damaged history is told by "portunus doctor".
  if (!files.ok || files.value === null) return null;
  const edited = editedFiles(files.value, texts);
  return edited.length === 0
    ? null
    : { edited, texts: files.value.map(({ path, text }) => new SourceText(path, text)) };
}

/** Edited while nothing ran, limits stay in force and quotas go on as with a reload (language-rules #27). */
async function builtAfter(
  { texts: before, edited }: PoliciesBefore,
  { texts, folder }: ProjectFiles,
  {
    builder,
    wallMs,
    replaced,
    asWritten,
  }: {
    readonly builder: ProjectBuilder;
    readonly wallMs: number;
    readonly replaced: FormerLimits['replaced'];
    readonly asWritten: ReadyVersion;
  },
): Promise<Pick<Extract<PreparedProject, { kind: 'ready' }>, 'built' | 'formerCounters'>> {
  const former = await builder.build(before, folder, wallMs, { files: [], replaced });
  const { built } = await builder.build(texts, folder, wallMs, { files: edited, replaced });
  return { built: built ?? asWritten, formerCounters: former.built?.bundle.counters ?? null };
}

const BUILD_THREAD = new URL('dist/src/cli/run/build-thread.js', PACKAGE_FOLDER);

/** Null where nothing is kept of these files: then the store is opened when they are known to be right. */
function openedForCache(
  { server: { dataFolder }, limits }: Pick<ServedWorld, 'server' | 'limits'>,
  inputs: CacheInputs,
  open: OpenStore,
): Result<Store, StoreProblem> | null {
  if (limits.compiledCacheBytes === 0) return null;
  return seemsCached(dataFolder, inputs) ? open(dataFolder) : null;
}

function readCache(
  { texts }: ProjectFiles,
  inputs: CacheInputs,
  cache: StartCache,
  wallMs: number,
): { readonly project: ReadyProject; readonly directory: Directory } | null {
  const reading = cache.read(inputs, wallMs);
  if (reading.kind === 'unusable')
    process.stderr.write(`${START_CACHE_FILE} is not used: ${reading.why}. The project is compiled anew.\n`);
  if (reading.kind !== 'found') return null;
  const project = fromForm(reading.form, texts);
  return project.built === null ? null : { project, directory: project.built.world.directory };
}

function cacheOf({ secrets }: Store, { server, limits }: Pick<ServedWorld, 'server' | 'limits'>): StartCache {
  const { dataFolder } = server;
  return new StartCache({
    dataFolder,
    secret: secrets.pepper,
    bytesMax: limits.compiledCacheBytes,
    freeBytes: async () => {
      const disk = await statfs(dataFolder).catch(() => null);
      return disk === null ? null : disk.bavail * disk.bsize;
    },
  });
}

/** Keeps what went live for the next start, once this one is done. */
export class VersionKeeper {
  readonly #cache: StartCache | null;
  readonly #program: string | null;
  /** What the file is made of. */
  #held: Buffer | null = null;
  /** What went live before the start was done; null afterwards. */
  #waiting: LiveVersion[] | null = [];
  readonly #say: (line: string) => void;
  /** What was said last; '' where all went well since. */
  #said = '';

  constructor(cache: StartCache | null, program: string | null, say: (line: string) => void) {
    this.#cache = cache;
    this.#program = program;
    this.#say = say;
  }

  /** These were read from the file. */
  holds({ digest }: CacheInputs): void {
    this.#held = digest;
  }

  /** From now on there is time for it. */
  begin(): void {
    const last = this.#waiting?.at(-1);
    this.#waiting = null;
    void this.#clear();
    if (last !== undefined) this.keep(last);
  }

  keep(version: LiveVersion): void {
    if (this.#waiting === null) void this.#keep(version);
    else this.#waiting = [version];
  }

  async stop(): Promise<void> {
    await this.#cache?.stop();
  }

  async #keep({ ready, files: { texts, folder } }: LiveVersion): Promise<void> {
    const [cache, program] = [this.#cache, this.#program];
    if (cache === null || program === null) return;
    const inputs = cache.keeps ? cacheInputs(texts, folder, program, ready.replaced) : null;
    if (inputs !== null && this.#held?.equals(inputs.digest) === true) return;
    this.#held = inputs?.digest ?? null;
    if (inputs === null) return this.#tellRemoved(await cache.drop());
    const kept = await cache.keep(inputs, () => formOf({ built: ready, diagnostics: ready.findings }, texts));
    this.#tell(kept.ok ? '' : `The next start will compile the project anew: ${kept.error}.\n`);
  }

  async #clear(): Promise<void> {
    if (this.#cache !== null) this.#tellRemoved(await this.#cache.clear());
  }

  #tellRemoved(removed: Result<void, string>): void {
    this.#tell(removed.ok ? '' : `What was kept for the next start can't be removed: ${removed.error}.\n`);
  }

  /** What goes on is told once. */
  #tell(line: string): void {
    if (line !== '' && line !== this.#said) this.#say(line);
    this.#said = line;
  }
}
