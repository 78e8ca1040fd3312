/** What a run was worth, measured by the offline optimum of the same load and the same windows. */
import { type LoadedCall, sizeOf } from './load.ts';
import { type Job, type Optimum, offlineOptimum, type TrueWindow } from './optimum.ts';
import type { RunOutcome } from './outcome.ts';
import { keysOf, type Scenario, type ScenarioAccount, type ScenarioProvider } from './scenario.ts';

export interface Judgement {
  /** What was served, as a share of the optimum's. */
  readonly goodput: number;
  /** Refusals to callers of calls without which the optimum would be less. */
  readonly avoidable: number;
  /** Refusals to callers, in all. */
  readonly refused: number;
  /** Jain's index over what tenants with a backlog were given, by their shares, while all of them had calls that waited; NaN where fewer than two had one. */
  readonly jain: number;
  readonly throttledPer10000: number;
}

const SLOT_MS = 200;
/** A tenant has a backlog where at least this share of its calls was refused. */
const BACKLOG = 0.02;

export function jobOf(scenario: Scenario, call: LoadedCall): Job {
  // Where several providers serve, they count alike.
  const { tokensCounted } = scenario.providers[0]!;
  return {
    atMs: call.atMs,
    byMs: call.atMs + scenario.deadlineMs,
    size: sizeOf(call, scenario.scarce, tokensCounted),
  };
}

export function optimumOf(scenario: Scenario, load: readonly LoadedCall[]): Optimum {
  const windows = scenario.providers.flatMap((provider) =>
    provider.accounts.flatMap((account) => trueWindows(scenario, provider, account)),
  );
  const jobs = load.map((call) => jobOf(scenario, call));
  return offlineOptimum(windows, jobs, SLOT_MS);
}

function trueWindows(
  { scarce, changes }: Scenario,
  { name }: ScenarioProvider,
  account: ScenarioAccount,
): TrueWindow[] {
  const keys = keysOf(account);
  const away: { fromMs: number; untilMs: number }[] = [];
  const revoked = changes.flatMap((change) =>
    change.kind === 'revoked' && keys.includes(change.key) ? [change.atMs] : [],
  );
  if (revoked.length === keys.length)
    away.push({ fromMs: Math.max(...revoked), untilMs: Number.POSITIVE_INFINITY });
  for (const change of changes)
    if (change.kind === 'outage' && change.provider === name)
      away.push({ fromMs: change.atMs, untilMs: change.untilMs });
  return account.windows
    .filter(({ unit }) => unit === scarce)
    .map(({ kind, windowMs, amount }) => {
      const amounts = [{ fromMs: 0, amount }];
      for (const change of changes)
        if (change.kind === 'limits' && change.account === account.name)
          amounts.push({ fromMs: change.atMs, amount: amounts.at(-1)!.amount * change.factor });
      return { kind, windowMs, amounts, away };
    });
}

export function judge(
  scenario: Scenario,
  load: readonly LoadedCall[],
  optimum: Optimum,
  { calls, acceptedMs, providers }: RunOutcome,
): Judgement {
  const isServed = ({ id }: LoadedCall): boolean => calls[id]?.status === 200;
  const size = (call: LoadedCall): number => jobOf(scenario, call).size;
  const served = load.filter(isServed);
  const refused = load.filter((call) => !isServed(call));
  const upstream = providers.reduce((sum, counts) => sum + counts.calls, 0);
  const throttled = providers.reduce((sum, counts) => sum + counts.throttled, 0);
  return {
    goodput: served.reduce((sum, call) => sum + size(call), 0) / optimum.served,
    avoidable: refused.filter((call) => optimum.isNeeded(jobOf(scenario, call))).length,
    refused: refused.length,
    jain: fairness(scenario, load, (call) => (isServed(call) ? acceptedMs[call.id]! : null), size),
    throttledPer10000: (10_000 * throttled) / upstream,
  };
}

/** `acceptedMs`: null for a call that was refused; its caller would have had it served until its deadline. */
function fairness(
  { tenants, deadlineMs }: Scenario,
  load: readonly LoadedCall[],
  acceptedMs: (call: LoadedCall) => number | null,
  size: (call: LoadedCall) => number,
): number {
  const backlogged = tenants.flatMap(({ share }, tenant) => {
    const own = load.filter((call) => call.tenant === tenant);
    const refused = own.filter((call) => acceptedMs(call) === null).length;
    return refused > BACKLOG * own.length ? [{ own, share }] : [];
  });
  if (backlogged.length < 2) return Number.NaN;
  const waits = backlogged.map(({ own }) =>
    union(own.map((call) => ({ fromMs: call.atMs, untilMs: acceptedMs(call) ?? call.atMs + deadlineMs }))),
  );
  const haveAllBacklogs = (atMs: number): boolean =>
    waits.every((intervals) => intervals.some(({ fromMs, untilMs }) => fromMs <= atMs && atMs <= untilMs));
  return jain(
    backlogged.map(({ own, share }) => {
      const given = own.filter((call) => {
        const atMs = acceptedMs(call);
        return atMs !== null && atMs - call.atMs > WAITED_MS && haveAllBacklogs(atMs);
      });
      return given.reduce((sum, call) => sum + size(call), 0) / share;
    }),
  );
}
/** Longer than any way to a provider: who was taken later had to wait. */
const WAITED_MS = 150;

interface Interval {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Only what lasts: every call is on its way for a moment. */
function union(intervals: readonly Interval[]): Interval[] {
  const joined: { fromMs: number; untilMs: number }[] = [];
  for (const { fromMs, untilMs } of intervals) {
    if (untilMs - fromMs <= WAITED_MS) continue;
    const last = joined.at(-1);
    if (last !== undefined && fromMs <= last.untilMs) last.untilMs = Math.max(last.untilMs, untilMs);
    else joined.push({ fromMs, untilMs });
  }
  return joined;
}

/** Jain, Chiu, Hawe, 1984: 1 when all shares are equal. */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return (sum * sum) / (shares.length * squares);
}
