import { Worker } from 'node:worker_threads';
import { err, ok, type Result } from '../base/result.ts';
import type { LeaseAsk } from '../pipeline/counters.ts';
import type { DirectorySnapshot } from '../pipeline/identity.ts';
import type { ResolvedEndpoint } from '../pipeline/upstream.ts';
import type { SendMatches } from './alert-matches.ts';
import {
  type DataThreadStart,
  EPOCH_CELLS,
  type FromDataThread,
  type PreparedRules,
  type ToDataThread,
} from './messages.ts';
import type { PromptToCount } from './prompt-counts.ts';
import type { ServedCertificate } from './server.ts';
import type { NamedCrossing } from './threshold-crossings.ts';

export interface DataThreadsOptions {
  /** Module that each worker runs. */
  readonly entry: URL;
  readonly starts: readonly DataThreadStart[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A data thread ended though nobody asked it to: the gateway can't keep its promises and has to stop. */
  readonly onLost: (thread: number, threadId: number, why: string) => void;
  readonly onRulesRetired: (epoch: number) => void;
  /** To be followed by {@link DataThreads.tellGrants}. */
  readonly onLeasesAsked: (asks: readonly LeaseAsk[]) => void;
  readonly onThresholdsCrossed: (crossings: readonly NamedCrossing[], lost: number) => void;
  readonly onAlertsMatched: SendMatches;
  readonly onCountAsked: (prompt: PromptToCount) => Promise<number | null>;
  readonly onRecountAsked: () => void;
  readonly onIssuerTold: (thread: number, issuer: string, why: string | null) => void;
}

/** What a change brings; null stays as it is. */
export interface PreparedChange {
  readonly rules: PreparedRules | null;
  readonly directory: DirectorySnapshot | null;
}

type Phase<Kind extends FromDataThread['kind']> = Extract<FromDataThread, { kind: Kind }>;

/**
 * The control thread's side of the data threads: starts them, hands them new versions in two phases, ends them.
 * A version is prepared by every thread before one store flips the epoch for all of them (runtime.md §4).
 */
export class DataThreads {
  readonly #workers: Worker[] = [];
  readonly #waiting = new Set<Waiter>();
  readonly #epochs: Int32Array;
  readonly #options: DataThreadsOptions;
  #stopping = false;

  constructor(options: DataThreadsOptions) {
    this.#options = options;
    this.#epochs = new Int32Array(options.starts[0]!.epochs);
  }

  get count(): number {
    return this.#options.starts.length;
  }

  async start(): Promise<Result<void, string>> {
    const started = this.#collect('started', 'started');
    for (const start of this.#options.starts) this.#spawn(start);
    return await started;
  }

  /** All threads prepare; if one can't, none commits and the change is forgotten everywhere. `epoch`: of the rules. */
  async change(epoch: number, { rules, directory }: PreparedChange): Promise<Result<void, string>> {
    const prepared: Promise<Result<void, string>>[] = [];
    if (directory !== null) {
      // No thread can fail to prepare one: the second kind is never met.
      prepared.push(this.#collect('directory-prepared', 'directory-prepared', directory.epoch));
      this.#broadcast({ kind: 'prepare-directory', directory });
    }
    if (rules !== null) {
      prepared.push(this.#collect('prepared', 'prepare-failed', epoch));
      this.#broadcast({ kind: 'prepare-rules', epoch, rules });
    }
    const failed = (await Promise.all(prepared)).find((result) => !result.ok);
    if (failed !== undefined) {
      this.#broadcast({
        kind: 'discard',
        rules: rules === null ? null : epoch,
        directory: directory === null ? null : directory.epoch,
      });
      return failed;
    }
    // The directory first: new rules may speak of consumers that the old one doesn't have.
    if (directory !== null) Atomics.store(this.#epochs, EPOCH_CELLS.directory, directory.epoch);
    if (rules !== null) Atomics.store(this.#epochs, EPOCH_CELLS.rules, epoch);
    return ok(undefined);
  }

  tellGrants(): void {
    this.#broadcast({ kind: 'grants-arrived' });
  }

  tellKeys(keys: unknown): void {
    this.#broadcast({ kind: 'keys-renewed', keys });
  }

  tellAddresses(changes: readonly ResolvedEndpoint[]): void {
    if (changes.length > 0) this.#broadcast({ kind: 'endpoints-resolved', changes });
  }

  /** Again when certificates have changed. */
  async listen(certificates: readonly ServedCertificate[] | null): Promise<Result<void, string>> {
    const listening = this.#collect('listening', 'listen-failed');
    this.#broadcast({ kind: 'listen', certificates });
    return await listening;
  }

  /** Resolves with the number of requests that did not finish in time. */
  async drain(withinMs: number): Promise<number> {
    let unfinished = 0;
    const drained = this.#collect('drained', 'drained', undefined, (message) => {
      unfinished += message.unfinished;
    });
    this.#broadcast({ kind: 'drain', withinMs });
    await drained;
    return unfinished;
  }

  /** Ends the workers. Call `drain` first: a worker that ends with an open listen socket takes the process with it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #spawn(start: DataThreadStart): void {
    const worker = new Worker(this.#options.entry, {
      workerData: start,
      env: this.#options.environment as NodeJS.ProcessEnv,
      name: `portunus-data-${start.thread}`,
    });
    worker.on('message', (message: FromDataThread) => this.#receive(start.thread, message));
    // A worker that has ended says -1.
    const { threadId } = worker;
    worker.on('error', (error) => this.#lost(start.thread, threadId, error.stack ?? error.message));
    worker.on('exit', (code) => this.#lost(start.thread, threadId, `it ended with code ${code}`));
    this.#workers.push(worker);
  }

  #lost(thread: number, threadId: number, why: string): void {
    for (const waiter of this.#waiting) waiter.fail(thread, why);
    if (!this.#stopping) this.#options.onLost(thread, threadId, why);
  }

  #receive(thread: number, message: FromDataThread): void {
    if (message.kind === 'rules-retired') this.#options.onRulesRetired(message.epoch);
    if (message.kind === 'leases-asked') this.#options.onLeasesAsked(message.asks);
    if (message.kind === 'thresholds-crossed')
      this.#options.onThresholdsCrossed(message.crossings, message.lost);
    if (message.kind === 'alerts-matched') this.#options.onAlertsMatched(message.matches, message.atMs);
    if (message.kind === 'issuer-told') this.#options.onIssuerTold(thread, message.issuer, message.why);
    if (message.kind === 'recount-asked') this.#options.onRecountAsked();
    if (message.kind === 'count-asked') void this.#count(thread, message.prompt);
    for (const waiter of this.#waiting) waiter.receive(thread, message);
  }

  async #count(thread: number, prompt: PromptToCount): Promise<void> {
    const tokens = await this.#options.onCountAsked(prompt);
    const place = this.#options.starts.findIndex((start) => start.thread === thread);
    this.#workers[place]!.postMessage({
      kind: 'prompt-counted',
      id: prompt.id,
      tokens,
    } satisfies ToDataThread);
  }

  #broadcast(message: ToDataThread): void {
    for (const worker of this.#workers) worker.postMessage(message);
  }

  /** Waits until every thread has answered `yes`, or one `no`. */
  #collect<Yes extends FromDataThread['kind'], No extends FromDataThread['kind']>(
    yes: Yes,
    no: No,
    epoch?: number,
    onYes?: (message: Phase<Yes>) => void,
  ): Promise<Result<void, string>> {
    return new Promise((resolve) => {
      const missing = new Set(this.#options.starts.map((start) => start.thread));
      let failure: string | null = null;
      const settle = (thread: number): void => {
        if (!missing.delete(thread) || missing.size > 0) return;
        this.#waiting.delete(waiter);
        resolve(failure === null ? ok(undefined) : err(failure));
      };
      const waiter: Waiter = {
        receive: (thread, message) => {
          if (epoch !== undefined && 'epoch' in message && message.epoch !== epoch) return;
          if (message.kind === yes) onYes?.(message as Phase<Yes>);
          else if (message.kind === no && 'why' in message)
            failure ??= `data thread ${thread}: ${message.why}`;
          else return;
          settle(thread);
        },
        fail: (thread, why) => {
          failure ??= `data thread ${thread}: ${why}`;
          settle(thread);
        },
      };
      this.#waiting.add(waiter);
    });
  }
}

interface Waiter {
  readonly receive: (thread: number, message: FromDataThread) => void;
  readonly fail: (thread: number, why: string) => void;
}
