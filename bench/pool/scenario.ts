/** What happens in a scenario of `bench pool`: keys, callers, and what providers do meanwhile. Data alone. */

export type WindowUnit = 'requests' | 'tokens';

/** A limit as the provider enforces it, whatever it tells of it. */
export interface ProviderWindow {
  readonly unit: WindowUnit;
  readonly kind: 'bucket' | 'fixed';
  readonly amount: number;
  readonly windowMs: number;
}

export interface ScenarioAccount {
  readonly name: string;
  readonly windows: readonly ProviderWindow[];
  /** Of which the pool knows each by `<account>-<nth>`. */
  readonly keys: number;
  /** Whether the pool is told the limits beforehand. */
  readonly isDeclared: boolean;
}

export interface ScenarioProvider {
  readonly name: string;
  /** See `Provider.tokensCounted`. */
  readonly tokensCounted: 'reserved' | 'used';
  /** Whether its answers tell its limits. */
  readonly tellsLimits: boolean;
  readonly accounts: readonly ScenarioAccount[];
}

export interface ScenarioTenant {
  readonly name: string;
  /** What it is given beside others of what is short. */
  readonly share: number;
  readonly calls: readonly Arrivals[];
}

/** Calls at random moments between two. */
export interface Arrivals {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly perSecond: number;
  /** Sizes are drawn evenly between. */
  readonly promptTokens: readonly [least: number, most: number];
  readonly maxTokens: readonly [least: number, most: number];
}

export type Change =
  | { readonly kind: 'limits'; readonly atMs: number; readonly account: string; readonly factor: number }
  | { readonly kind: 'revoked'; readonly atMs: number; readonly key: string }
  | { readonly kind: 'outage'; readonly atMs: number; readonly untilMs: number; readonly provider: string };

export interface Scenario {
  readonly name: string;
  readonly shows: string;
  /** Least goodput, as a share of the optimum's. */
  readonly goal: number;
  /** What keys have least of, and goodput is counted in. */
  readonly scarce: WindowUnit;
  readonly deadlineMs: number;
  /** One pool each, in the order in which calls try them. */
  readonly providers: readonly ScenarioProvider[];
  readonly tenants: readonly ScenarioTenant[];
  readonly changes: readonly Change[];
}

/** The keys of an account, as scenarios, secrets and fields name them. */
export function keysOf({ name, keys }: ScenarioAccount): readonly string[] {
  return Array.from({ length: keys }, (_, nth) => `${name}-${nth + 1}`);
}
