/** How a load ended for its callers, whoever served it. */
import type { ProviderCounts } from './simulated-provider.ts';

export interface CallOutcome {
  /** Of the answer, or of the refusal that the gateway would answer. */
  readonly status: number;
  /** '' for an answer of the provider. */
  readonly code: string;
  readonly endedMs: number;
}

export interface RunOutcome {
  /** By the call's id. */
  readonly calls: readonly CallOutcome[];
  /** When a provider took it, by the call's id. */
  readonly acceptedMs: readonly number[];
  readonly providers: readonly ProviderCounts[];
}
