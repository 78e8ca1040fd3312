/** What data threads see of `alert when`, and what the control thread knows of such rules. */
import type { EnforcementMode } from '../model/world.ts';

/** The end of a request, as rules about responses see it. One per thread, filled anew for each. */
export interface Answer {
  status: number;
  /** From arrival to the end of the answer. */
  durationMs: number;
  /** Stable code of what the gateway answered, or of why an answer broke off; undefined where there is none. */
  code: string | undefined;
  /** What it used, each undefined where that is not known. */
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  cachedTokens: number | undefined;
  reasoningTokens: number | undefined;
  costNano: number | undefined;
  /** How far the request got: what was not known by then no rule is asked about. */
  known: Known;
}
export type Known = (typeof KNOWN)[keyof typeof KNOWN];
export const KNOWN = { request: 0, caller: 1, body: 2 } as const;

export const NOTHING_KNOWN_USED = {
  inputTokens: undefined,
  outputTokens: undefined,
  cachedTokens: undefined,
  reasoningTokens: undefined,
  costNano: undefined,
};

/** Takes what fits an alert rule; of one data thread. */
export interface AlertSink {
  /**
   * `key`: see {@link AlertSpec}. `describe` and `show` are asked where no other such request was told of yet: what `because` says,
   * and the key as people may see it (null: as it is).
   */
  matched(
    identity: string,
    key: readonly unknown[],
    describe: (() => string) | null,
    show: ShowKey | null,
  ): void;
}

export type ShowKey = (key: readonly unknown[]) => readonly unknown[] | null;

/** An alert rule, for whoever counts what fits it. */
export interface AlertSpec {
  /** Of policy and rule: stays the same whatever else the rule says. */
  readonly identity: string;
  readonly policy: string;
  /** Its name, or its canonical text. */
  readonly rule: string;
  readonly mode: EnforcementMode;
  readonly atLeast: { readonly requests: number; readonly windowMs: number } | null;
  /**
   * What the values of a key are of. A key is one of these spaces and its values: `each` those of `keys`, `otherwise` the value
   * of `otherwise`, `missing` none.
   */
  readonly keys: readonly string[];
  readonly otherwise: string | null;
  readonly maxKeys: number;
  readonly notify: string | null;
}

export function alertIdentity(policy: string, rule: string): string {
  return JSON.stringify([policy, rule]);
}
