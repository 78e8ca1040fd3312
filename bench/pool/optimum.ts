/**
 * What a scheduler that knows everything beforehand would get from providers: the denominator of goodput. Nothing here is of the
 * pools, and nothing of the simulator: only what windows give, and what jobs want.
 *
 * It is an upper bound, not a schedule: a job may be split over accounts and moments, an answer takes no time, both ends of a
 * job's time are rounded outwards to slots, and only one kind of limit is looked at, the one that is scarce. Of that relaxation it is
 * exact (a greatest flow), so no scheduler gets more.
 */
import { FlowNetwork } from './max-flow.ts';

/** One limit of an account, as it truly is. */
export interface TrueWindow {
  /** `bucket`: comes back evenly, full at first; `fixed`: comes back whole at each multiple of its length. */
  readonly kind: 'bucket' | 'fixed';
  readonly windowMs: number;
  /** From when on it gives how much; the first one from 0. A bucket that is lowered keeps no more than it then holds. */
  readonly amounts: readonly { readonly fromMs: number; readonly amount: number }[];
  /** When it takes no calls, whatever is left of it. */
  readonly away: readonly { readonly fromMs: number; readonly untilMs: number }[];
}

export interface Job {
  readonly atMs: number;
  /** It begins then at the latest. */
  readonly byMs: number;
  readonly size: number;
}

export interface Optimum {
  /** The greatest sum of sizes that can be served. */
  readonly served: number;
  /** Whether nobody could serve as much without the job: it is refused at a loss. */
  readonly isNeeded: (job: Job) => boolean;
}

const SOURCE = 0;
const SINK = 1;

export function offlineOptimum(
  windows: readonly TrueWindow[],
  jobs: readonly Job[],
  slotMs: number,
): Optimum {
  const endMs = jobs.reduce((latest, { byMs }) => Math.max(latest, byMs), 0);
  const slots = Math.floor(endMs / slotMs) + 1;
  const groups = groupsOf(windows, jobs, slotMs);
  const hubs = [...new Set(groups.map(({ fits }) => fits))];
  const supplyAt = (window: number, slot: number): number => 2 + window * slots + slot;
  const hubAt = (fits: string, slot: number): number =>
    2 + (windows.length + hubs.indexOf(fits)) * slots + slot;
  const groupAt = (group: number): number => 2 + (windows.length + hubs.length) * slots + group;
  const network = new FlowNetwork(groupAt(groups.length));
  windows.forEach((window, nth) => {
    supply(network, window, { slots, slotMs, at: (slot) => supplyAt(nth, slot) });
    for (const fits of hubs) {
      if (fits[nth] !== '1') continue;
      for (let slot = 0; slot < slots; slot++)
        if (!isAway(window, slot, slotMs))
          network.edge(supplyAt(nth, slot), hubAt(fits, slot), Number.MAX_SAFE_INTEGER);
    }
  });
  groups.forEach(({ fits, first, last, size }, nth) => {
    for (let slot = first; slot <= last; slot++) network.edge(hubAt(fits, slot), groupAt(nth), size);
    network.edge(groupAt(nth), SINK, size);
  });
  const served = network.maximise(SOURCE, SINK);
  // What a job was given could go to one that got too little: then that job is as good as this one.
  const reaches = network.reaching(SINK);
  const places = new Map(groups.map(({ key }, nth) => [key, nth]));
  return {
    served,
    isNeeded: (job) => {
      const place = places.get(keyOf(windows, job, slotMs));
      return place !== undefined && !reaches(groupAt(place));
    },
  };
}

/** Jobs that no scheduler can tell apart, but for their sizes. */
interface Group {
  readonly key: string;
  /** For each window 1, where it is ever large enough. */
  readonly fits: string;
  readonly first: number;
  readonly last: number;
  size: number;
}

function groupsOf(windows: readonly TrueWindow[], jobs: readonly Job[], slotMs: number): Group[] {
  const groups = new Map<string, Group>();
  for (const job of jobs) {
    const key = keyOf(windows, job, slotMs);
    const known = groups.get(key);
    if (known !== undefined) {
      known.size += job.size;
      continue;
    }
    const [fits, first, last] = key.split(' ') as [string, string, string];
    if (fits.includes('1'))
      groups.set(key, { key, fits, first: Number(first), last: Number(last), size: job.size });
  }
  return [...groups.values()];
}

function keyOf(windows: readonly TrueWindow[], { atMs, byMs, size }: Job, slotMs: number): string {
  const fits = windows.map(({ amounts }) => (amounts.some(({ amount }) => amount >= size) ? 1 : 0)).join('');
  return `${fits} ${Math.floor(atMs / slotMs)} ${Math.floor(byMs / slotMs)}`;
}

/** What a window gives in each slot, and what it keeps from one to the next. */
function supply(
  network: FlowNetwork,
  { kind, windowMs, amounts }: TrueWindow,
  { slots, slotMs, at }: { slots: number; slotMs: number; at: (slot: number) => number },
): void {
  // A change within a slot counts as if the greater amount held in all of it.
  const amountIn = (slot: number): number => {
    const untilMs = (slot + 1) * slotMs;
    const before = amounts.filter(({ fromMs }) => fromMs <= slot * slotMs).at(-1)!.amount;
    const within = amounts.filter(({ fromMs }) => fromMs > slot * slotMs && fromMs < untilMs);
    return within.reduce((most, { amount }) => Math.max(most, amount), before);
  };
  let given = 0;
  let whole = 0;
  for (let slot = 0; slot < slots; slot++) {
    const amount = amountIn(slot);
    const begins =
      Math.floor((slot * slotMs - 1) / windowMs) < Math.floor(((slot + 1) * slotMs - 1) / windowMs);
    if (kind === 'fixed') {
      if (begins) network.edge(SOURCE, at(slot), amount);
    } else {
      given += (slot === 0 ? amount : 0) + (amount * slotMs) / windowMs;
      network.edge(SOURCE, at(slot), Math.ceil(given) - whole);
      whole = Math.ceil(given);
    }
    if (slot + 1 === slots) continue;
    const endsWithIt =
      kind === 'fixed' &&
      Math.floor(((slot + 1) * slotMs - 1) / windowMs) < Math.floor(((slot + 2) * slotMs - 1) / windowMs) &&
      ((slot + 1) * slotMs) % windowMs === 0;
    if (!endsWithIt) network.edge(at(slot), at(slot + 1), Math.ceil(amountIn(slot + 1)));
  }
}

/** In the whole slot: a part of it counts as all. */
function isAway({ away }: TrueWindow, slot: number, slotMs: number): boolean {
  return away.some(({ fromMs, untilMs }) => fromMs <= slot * slotMs && (slot + 1) * slotMs <= untilMs);
}
