import { isDeepStrictEqual } from 'node:util';
import type { LoadReport } from '../../admin/actions.ts';
import type { Clock } from '../../base/ports.ts';
import type { Result } from '../../base/result.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { calledServices } from '../../model/called-services.ts';
import type { ServerSettings, Service } from '../../model/world.ts';
import type { AuditActor } from '../../pipeline/audit.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';
import type { CounterUsage } from '../../state/counter-registry.ts';
import {
  editedFiles,
  type FormerLimits,
  NO_FORMER_LIMITS,
  type ReplacedLimit,
} from '../../tools/replaced-limits.ts';
import { counterNotes, keyNotes } from './counter-notes.ts';
import type { ServiceFiles } from './endpoint-keeper.ts';
import type { ProjectBuilder } from './project-builder.ts';
import { type ProjectFiles, readProject } from './project-files.ts';
import { finishRewrite } from './project-rewrite.ts';
import type { ReadyBundle, ReadyProject, ReadyVersion, ServedWorld } from './ready-project.ts';
import { withCertificateFindings } from './tls-files.ts';

export type LoadReason = 'start' | 'file change' | 'SIGHUP' | 'admin API' | `rollback to ${number}`;

/** What made the gateway load, and who. */
export interface LoadCause {
  readonly reason: LoadReason;
  readonly actor: AuditActor;
}

/** What came of one attempt to load the project. */
export interface LoadResult {
  readonly reason: LoadReason;
  readonly atMs: number;
  readonly tookMs: number;
  readonly outcome: LoadOutcome;
  /** Errors and warnings of the check. */
  readonly diagnostics: readonly Diagnostic[];
}

type LoadOutcome = LoadReport['outcome'];

/** What differs from the version that runs; null where nothing does. */
export interface Change {
  readonly rules: ReadyBundle | null;
  /** Of the services of the version, whether or not they differ. */
  readonly files: ServiceFiles;
  /** With another directory, or another of what it is read by. */
  readonly world: ServedWorld | null;
  /** Limits that the rules hold as they were before an edit. */
  readonly replaced: readonly ReplacedLimit[];
}

/** A version that holds for all threads. */
export interface LiveVersion {
  readonly epoch: number;
  readonly ready: ReadyVersion;
  readonly files: ProjectFiles;
  readonly cause: LoadCause;
}

export interface ConfigurationTarget {
  /** All of it holds for all threads from now on, or nothing has changed: then one sentence says why. */
  readonly change: (epoch: number, change: Change) => Promise<string | null>;
  /** Reads the files beside the project that services need, and changes nothing. The error is one sentence. */
  readonly readFiles: (services: Iterable<Service>) => Result<ServiceFiles, string>;
  /** Told in the turn in which the version went live. */
  readonly live: (version: LiveVersion) => void;
  readonly watch: (folders: readonly string[]) => void;
  /** Whether a limit that an edit has replaced is in force no more. */
  readonly isOver: (replaced: ReplacedLimit) => boolean;
  /** The counters in use. */
  readonly counters: () => readonly CounterUsage[];
}

export interface ConfigurationOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Of the first version: the one it had when it ran before, or the next. */
  readonly firstEpoch: number;
  /** Knows the first version. */
  readonly builder: ProjectBuilder;
  readonly target: ConfigurationTarget;
  readonly onResult: (result: LoadResult) => void;
}

/**
 * A change, from files to the epoch that serves it: read → check and compile the whole folder → every data thread
 * prepares → one flip. One load at a time; requests that come meanwhile share the next one.
 */
export class Configuration {
  readonly #options: ConfigurationOptions;
  #running: Running | null = null;
  /** The world that the process started with: its settings are in force until it ends. */
  #settings: ServedWorld | null = null;
  #lastResult: LoadResult | null = null;
  #current: Promise<LoadResult> | null = null;
  #next: Promise<LoadResult> | null = null;
  #stopped = false;

  constructor(options: ConfigurationOptions) {
    this.#options = options;
  }

  get lastResult(): LoadResult | null {
    return this.#lastResult;
  }

  get running(): Running | null {
    return this.#running;
  }

  /** Loads the project as it is on disk at or after this call. Loads that are shared are the doing of who asked first. */
  load(cause: LoadCause): Promise<LoadResult> {
    if (this.#current === null) return this.#run(() => this.#report(cause, () => this.#attempt(cause)));
    this.#next ??= this.#current.then(() => {
      this.#next = null;
      return this.load(cause);
    });
    return this.#next;
  }

  /**
   * Goes to other texts: `write` puts them into the project folder once they are known to be right, and no load reads the folder
   * meanwhile.
   */
  async replace(
    texts: ProjectFiles['texts'],
    write: () => Promise<Result<void, string>>,
    cause: LoadCause,
  ): Promise<LoadResult> {
    // what waits for its turn reads the folder as it will be then
    while (this.#current !== null) await this.#current;
    return await this.#run(() => this.#report(cause, () => this.#replacement(texts, write, cause)));
  }

  /** Goes to no other version from now on: what is asked for, or waits, is answered so, and is told to nobody as refused. */
  stop(): void {
    this.#stopped = true;
  }

  #run(work: () => Promise<LoadResult>): Promise<LoadResult> {
    this.#current = work().finally(() => {
      this.#current = null;
    });
    return this.#current;
  }

  async #replacement(
    texts: ProjectFiles['texts'],
    write: () => Promise<Result<void, string>>,
    cause: LoadCause,
  ): Promise<Attempt> {
    const { built, diagnostics } = await this.#build(texts, this.#options.folder);
    if (built === null)
      return { outcome: { kind: 'refused', why: 'The configuration has errors.' }, diagnostics };
    const written = await write();
    if (!written.ok) return { outcome: { kind: 'refused', why: written.error }, diagnostics };
    // what is loaded is what lies there now, whoever wrote it
    return await this.#attempt(cause);
  }

  /**
   * The first version, read and checked by the caller because the settings of the process come from it. `former`: counters of the
   * version that ran last; null where its policies are those of now.
   */
  start(
    built: ReadyVersion,
    files: ProjectFiles,
    diagnostics: readonly Diagnostic[],
    former: readonly CounterSpec[] | null = null,
  ): Promise<LoadResult> {
    this.#options.target.watch(files.folders);
    const cause: LoadCause = { reason: 'start', actor: { kind: 'gateway', cause: 'start' } };
    return this.#report(cause, async () => ({
      outcome: await this.#change(built, files, cause, former),
      diagnostics,
    }));
  }

  async #report({ reason }: LoadCause, attempt: () => Promise<Attempt>): Promise<LoadResult> {
    const startedMs = this.#options.clock.monotonicMs();
    const { outcome, diagnostics } = this.#stopped
      ? STOPPING
      : await attempt().catch((error: unknown) => (this.#stopped ? STOPPING : defect(error)));
    const result: LoadResult = {
      reason,
      atMs: this.#options.clock.wallMs(),
      tookMs: this.#options.clock.monotonicMs() - startedMs,
      outcome,
      diagnostics,
    };
    if (this.#stopped && outcome.kind === 'refused') return result;
    this.#lastResult = result;
    this.#options.onResult(result);
    return result;
  }

  async #attempt(cause: LoadCause): Promise<Attempt> {
    const finished = await finishRewrite(this.#options.folder);
    if (!finished.ok) return { outcome: { kind: 'refused', why: finished.error }, diagnostics: [] };
    const files = await readProject(this.#options.folder);
    if (!files.ok) return { outcome: { kind: 'refused', why: files.error }, diagnostics: [] };
    this.#goOn();
    this.#options.target.watch(files.value.folders);
    const { texts, folder } = files.value;
    const { built, diagnostics } = await this.#build(texts, folder);
    if (built === null) {
      return { outcome: { kind: 'refused', why: 'The configuration has errors.' }, diagnostics };
    }
    return { outcome: await this.#change(built, files.value, cause), diagnostics };
  }

  async #build(texts: ProjectFiles['texts'], folder: string): Promise<ReadyProject> {
    const { builder, clock } = this.#options;
    const wallMs = clock.wallMs();
    const read = await builder.build(texts, folder, wallMs, this.#former(texts));
    this.#goOn();
    return withCertificateFindings(read, wallMs);
  }

  /** What may have to stay in force of the version that runs once there are other texts. */
  #former(texts: ProjectFiles['texts']): FormerLimits {
    const { running } = this;
    if (running === null) return NO_FORMER_LIMITS;
    const files = editedFiles(running.texts, texts);
    return { files, replaced: running.replaced.filter((each) => !this.#options.target.isOver(each)) };
  }

  /** Throws where {@link stop} came meanwhile: `#report` answers so. */
  #goOn(): void {
    if (this.#stopped) throw new Error('stopped');
  }

  async #change(
    ready: ReadyVersion,
    files: ProjectFiles,
    cause: LoadCause,
    former: readonly CounterSpec[] | null = this.#running?.bundle.counters ?? null,
  ): Promise<LoadOutcome> {
    const { world, bundle, replaced } = ready;
    const { texts } = files;
    const before = this.#running;
    this.#settings ??= world;
    const notes = restartNotes(this.#settings, world);
    const read = this.#options.target.readFiles(calledServices(world));
    if (!read.ok) return { kind: 'refused', why: read.error };
    // Other certificates make a version of their own: its connections are new ones.
    const sameRules = before?.bundle.hash === bundle.hash && before.filesDigest === read.value.digest;
    const sameDirectory = before !== null && readsDirectoryAlike(before.world, world);
    if (before !== null && sameRules && sameDirectory) {
      this.#running = { ...before, world, texts };
      notes.push(...keyNotes(this.#options.target.counters()));
      return { kind: 'unchanged', epoch: before.epoch, hash: bundle.hash, notes };
    }
    const epoch = before === null ? this.#options.firstEpoch : before.epoch + 1;
    const failure = await this.#options.target.change(epoch, {
      rules: sameRules ? null : bundle,
      files: read.value,
      world: sameDirectory ? null : world,
      replaced,
    });
    if (failure !== null) return { kind: 'refused', why: failure };
    this.#options.target.live({ epoch, ready, files, cause });
    this.#running = {
      epoch,
      world,
      bundle,
      filesDigest: read.value.digest,
      texts,
      replaced,
      sinceMs: this.#options.clock.wallMs(),
    };
    if (former !== null) notes.push(...counterNotes(former, bundle.counters));
    notes.push(...keyNotes(this.#options.target.counters()));
    return { kind: 'live', epoch, hash: bundle.hash, notes };
  }
}

/** Both have one directory, and what is made beside it at run time is read the same by them. */
function readsDirectoryAlike(one: ServedWorld, other: ServedWorld): boolean {
  return (
    one.currency === other.currency &&
    isDeepStrictEqual(one.rates, other.rates) &&
    isDeepStrictEqual(one.directory, other.directory) &&
    isDeepStrictEqual(one.attributes, other.attributes) &&
    // consumers subscribe to routes by their names
    isDeepStrictEqual(new Set(one.routes.keys()), new Set(other.routes.keys()))
  );
}

export interface Running {
  readonly epoch: number;
  readonly world: ServedWorld;
  readonly bundle: ReadyBundle;
  readonly filesDigest: string;
  readonly texts: ProjectFiles['texts'];
  readonly replaced: readonly ReplacedLimit[];
  readonly sinceMs: number;
}

/** Whatever an edit brings out in the gateway's own code, what runs goes on. */
function defect(error: unknown): Attempt {
  const why = `This is a defect of the gateway, please report it: ${(error as Error).stack ?? String(error)}.`;
  return { outcome: { kind: 'refused', why }, diagnostics: [] };
}

const STOPPING: Attempt = { outcome: { kind: 'refused', why: 'The gateway is stopping.' }, diagnostics: [] };

interface Attempt {
  readonly outcome: LoadOutcome;
  readonly diagnostics: readonly Diagnostic[];
}

/** Where the configuration calls them otherwise. */
const SETTING_NAMES: ReadonlyMap<string, string> = new Map([
  ['certificates', 'listen.tls'],
  ['adminCertificate', 'admin.tls'],
]);

/** Settings that are read once, at start: a changed one is named, never quietly ignored. */
function restartNotes(inForce: ServedWorld, after: ServedWorld): string[] {
  const names = Object.keys(after.server) as (keyof ServerSettings)[];
  const changed: string[] = names.filter(
    (name) => !isDeepStrictEqual(inForce.server[name], after.server[name]),
  );
  if (!isDeepStrictEqual(inForce.limits, after.limits)) changed.push('limits');
  return changed
    .map((name) => SETTING_NAMES.get(name) ?? name)
    .map((name) => `"${name}" changed in portunus.yaml: it takes effect at the next start.`);
}
