import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import type { SourceText } from '../../diagnostics/source.ts';
import { BundlePacker } from '../../gateway/packed-bundle.ts';
import type { Directory } from '../../model/world.ts';
import { buildProject } from '../../tools/build-project.ts';
import { ProjectMemory } from '../../tools/project-memory.ts';
import type { FormerLimits } from '../../tools/replaced-limits.ts';
import { fromForm, type ReadyForm } from './ready-form.ts';
import { type ReadyProject, readyProject } from './ready-project.ts';

/** Checks and compiles the texts of a project, one after the other; each time it makes anew only what changed. */
export interface ProjectBuilder {
  build(
    texts: readonly SourceText[],
    folder: string,
    wallMs: number,
    former?: FormerLimits,
  ): Promise<ReadyProject>;
  stop(): Promise<void>;
}

/** In the thread that asks, which does nothing else meanwhile. */
export class LocalBuilder implements ProjectBuilder {
  readonly #memory = new ProjectMemory();
  readonly #packer = new BundlePacker();

  async build(
    ...[texts, folder, wallMs, former]: Parameters<ProjectBuilder['build']>
  ): Promise<ReadyProject> {
    return readyProject(buildProject(texts, folder, wallMs, this.#memory, former), this.#packer);
  }

  async stop(): Promise<void> {}
}

/**
 * V8 gives a thread three times as much for objects that were just made. A build keeps most of what it makes, so that room is
 * memory for nothing: 35 MiB less are resident after three reloads of 100,000 routes.
 */
const YOUNG_MIB = 16;

/**
 * What the thread remembers of 100,000 routes is some 360 MiB, for nothing but the next edit. Who edits by hand or lets a pipeline
 * edit comes again within minutes; after more than that nobody waits for a quick one, and the next edit takes as long as the first.
 */
export const BUILDER_IDLE_MS = 5 * 60_000;

/**
 * In a thread of its own, which begins with a call and ends {@link BUILDER_IDLE_MS} after the last one. After a start from the cache
 * nothing of the project is known but its outcome: the control thread would be held up for seconds by the first reload of a large one.
 */
export class ThreadBuilder implements ProjectBuilder {
  readonly #entry: URL;
  #worker: Worker | null = null;
  #asked: { readonly resolve: (form: ReadyForm) => void; readonly reject: (error: Error) => void } | null =
    null;
  #directory: Directory | null;
  #idle: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `directory`: of the version that is there already. */
  constructor(entry: URL, directory: Directory) {
    this.#entry = entry;
    this.#directory = directory;
  }

  async build(...asked: Parameters<ProjectBuilder['build']>): Promise<ReadyProject> {
    const { built, diagnostics } = fromForm(await this.#ask(...asked).finally(() => this.#rest()), asked[0]);
    if (built === null) return { built, diagnostics };
    const directory = sameTenants(this.#directory, built.world.directory);
    this.#directory = directory;
    return { built: { ...built, world: { ...built.world, directory } }, diagnostics };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#idle);
    await this.#worker?.terminate();
  }

  async #ask(...[texts, folder, wallMs, former]: Parameters<ProjectBuilder['build']>): Promise<ReadyForm> {
    // Nobody would end its thread.
    if (this.#stopped) throw new Error('the thread that compiles was stopped');
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return await new Promise((resolve, reject) => {
      assert(this.#asked === null, 'one project is built after the other');
      this.#asked = { resolve, reject };
      const plain = texts.map(({ path, text }) => ({ path, text }));
      worker.postMessage({ texts: plain, folder, wallMs, former } satisfies ToBuildThread);
    });
  }

  #rest(): void {
    if (this.#stopped || this.#worker === null) return;
    const worker = this.#worker;
    this.#idle = setTimeout(() => {
      // First: its end is nothing that was lost, and a call meanwhile begins another one.
      if (this.#worker === worker) this.#worker = null;
      void worker.terminate();
    }, BUILDER_IDLE_MS).unref();
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, {
      name: 'portunus-build',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    worker.on('message', (form: FromBuildThread) => {
      if (this.#worker !== worker) return;
      this.#asked?.resolve(form);
      this.#asked = null;
    });
    // The next call begins another one.
    worker.on('error', (error) => this.#lost(worker, error));
    worker.on('exit', (code) =>
      this.#lost(worker, new Error(`the thread that compiles ended with code ${code}`)),
    );
    return worker;
  }

  #lost(worker: Worker, error: Error): void {
    // After an error it also ends: by then another one may have begun.
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#asked?.reject(error);
    this.#asked = null;
  }
}

export interface ToBuildThread {
  readonly texts: readonly { readonly path: string; readonly text: string }[];
  readonly folder: string;
  readonly wallMs: number;
  readonly former: FormerLimits | undefined;
}
export type FromBuildThread = ReadyForm;

/** Tenants that say what they said are the same objects, as those are that one thread reads: nothing is written anew for them. */
function sameTenants(before: Directory | null, after: Directory): Directory {
  if (before === null) return after;
  const tenants = [...after.tenants].map(([name, tenant]) => {
    const known = before.tenants.get(name);
    return [name, isDeepStrictEqual(known, tenant) ? known! : tenant] as const;
  });
  return { ...after, tenants: new Map(tenants) };
}
