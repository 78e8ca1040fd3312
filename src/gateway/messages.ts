import type { LimitValues } from '../base/limits.ts';
import type { ServerSettings } from '../model/world.ts';
import type { LeaseAsk } from '../pipeline/counters.ts';
import type { DirectorySnapshot } from '../pipeline/identity.ts';
import type { ResolvedEndpoint } from '../pipeline/upstream.ts';
import type { AddressConnectionsMemory } from './address-connections.ts';
import type { AlertMatch } from './alert-matches.ts';
import type { PackedBundle } from './packed-bundle.ts';
import type { PromptToCount } from './prompt-counts.ts';
import type { ServedCertificate } from './server.ts';
import type { NamedCrossing } from './threshold-crossings.ts';

/**
 * Everything that the control thread and a data thread say to each other. What they share beside it is memory:
 * the epochs ({@link EPOCH_CELLS}), the counters and the record rings.
 */
export type ToDataThread =
  /** Build the pipelines of a rule set beside the running one; answer `prepared` or `prepare-failed`. */
  | { readonly kind: 'prepare-rules'; readonly epoch: number; readonly rules: PreparedRules }
  /** Epochs of the directory are its own: it changes without rules, and rules without it. */
  | { readonly kind: 'prepare-directory'; readonly directory: DirectorySnapshot }
  /** Forget what was prepared for these epochs: it will not be used. */
  | { readonly kind: 'discard'; readonly rules: number | null; readonly directory: number | null }
  /** Names of endpoints have other addresses. */
  | { readonly kind: 'endpoints-resolved'; readonly changes: readonly ResolvedEndpoint[] }
  /** Requests that wait for leases may take anew. */
  | { readonly kind: 'grants-arrived' }
  /** Answers `count-asked`; null: it can't be counted. */
  | { readonly kind: 'prompt-counted'; readonly id: number; readonly tokens: number | null }
  /** Keys of pools that have another secret from now on (opaque here: `pools/` makes and reads it). */
  | { readonly kind: 'keys-renewed'; readonly keys: unknown }
  /**
   * Open the listen socket, with certificates where TLS is spoken; answer `listening` or `listen-failed`. Again when certificates
   * have changed: the socket of before stays when it fails.
   */
  | { readonly kind: 'listen'; readonly certificates: readonly ServedCertificate[] | null }
  /** Stop accepting, finish what is in flight (at most `withinMs`), answer `drained`. */
  | { readonly kind: 'drain'; readonly withinMs: number };

export type FromDataThread =
  | { readonly kind: 'started' }
  | { readonly kind: 'prepared'; readonly epoch: number }
  | { readonly kind: 'prepare-failed'; readonly epoch: number; readonly why: string }
  | { readonly kind: 'directory-prepared'; readonly epoch: number }
  /** Quotas are to be leased before requests can go on; answered by `grants-arrived`. */
  | { readonly kind: 'leases-asked'; readonly asks: readonly LeaseAsk[] }
  /** `lost`: further ones of that turn that there was no room for. */
  | {
      readonly kind: 'thresholds-crossed';
      readonly crossings: readonly NamedCrossing[];
      readonly lost: number;
    }
  | {
      readonly kind: 'alerts-matched';
      readonly matches: readonly AlertMatch[];
      /** By the monotonic clock, which all threads share. */
      readonly atMs: number;
    }
  /** Limits have no room for the bytes of a prompt: it is to be counted. */
  | { readonly kind: 'count-asked'; readonly prompt: PromptToCount }
  /** Of the addresses that have connections: see `address-connections`. */
  | { readonly kind: 'recount-asked' }
  /** Why the keys of a token issuer can't be had, or null once they can. */
  | { readonly kind: 'issuer-told'; readonly issuer: string; readonly why: string | null }
  | { readonly kind: 'listening' }
  | { readonly kind: 'listen-failed'; readonly why: string }
  /** The last request of an old version has ended. */
  | { readonly kind: 'rules-retired'; readonly epoch: number }
  | { readonly kind: 'drained'; readonly unfinished: number };

/** A rule set with the shared memory of its counters (opaque here: `state/` makes and reads it). */
export interface PreparedRules {
  readonly bundle: PackedBundle;
  readonly counterMemory: unknown;
  /** Of all endpoints, in the order of services and endpoints, the slots in {@link DataThreadStart.endpoints}. */
  readonly endpointSlots: Int32Array;
  /** Places and secrets of the keys of pools (opaque here: `pools/` makes and reads it). */
  readonly pools: unknown;
}

/** `workerData` of a data thread. */
export interface DataThreadStart {
  readonly thread: number;
  readonly server: ServerSettings;
  readonly limits: LimitValues;
  /** Int32 cells, see {@link EPOCH_CELLS}. */
  readonly epochs: SharedArrayBuffer;
  /** Record ring of this thread (opaque here: `observe/` makes and reads it). */
  readonly recordRing: SharedArrayBuffer;
  readonly addressConnections: AddressConnectionsMemory;
  /** Health of endpoints (opaque here: `upstream/` makes and reads it). */
  readonly endpoints: SharedArrayBuffer;
  /** Where it writes down what it takes from rate windows (opaque here: `state/` makes and reads it). */
  readonly takeJournal: unknown;
  /** Limits and states of provider keys (opaque here: `pools/` makes and reads it). */
  readonly poolMemory: unknown;
  /** What this thread says of itself, see `pipeline/thread-gauges`. */
  readonly gauges: SharedArrayBuffer;
  /** PEM of those who may vouch for certificates of clients; null: only fingerprints count. */
  readonly clientAuthorities: string | null;
  /** Signatures of requests that were used (opaque here: `state/` makes and reads it). */
  readonly seenSignatures: SharedArrayBuffer;
  /** Of the process, by the wall clock. */
  readonly startedMs: number;
  /** Secret of the key hashes of counters, 8 bytes. */
  readonly keyHashSecret: Uint8Array;
}

/**
 * Cells of the epoch memory. Both epochs are flipped by the control thread with one `Atomics.store` after every
 * thread has prepared; a data thread reads them at the start of each request.
 */
export const EPOCH_CELLS = { rules: 0, directory: 1, count: 2 } as const;
