/**
 * What the `crash` bench counts: each kind of counter has a route of its own, so that the service itself can tell what was let
 * through. Rules bear the number of their group of kills: a new group begins with counters that were never used.
 */
export interface CountedRoute {
  readonly name: string;
  readonly counts: 'requests' | 'money';
  /** Requests, or nano-units of money. */
  readonly amount: number;
  /** The most that one request takes. */
  readonly atMost: number;
  readonly keyed: 'for each consumer' | 'in total';
}

export const CONSUMERS = ['c0', 'c1', 'c2', 'c3'] as const;

/** In nano-units. */
const DOLLAR = 1_000_000_000;

/**
 * Amounts that are reached some kills after the first: a machine with two cores lets one to four thousand requests a second
 * through with load and service beside it, and a life between two kills is a second or less.
 */
export const COUNTED_ROUTES = [
  { name: 'each', counts: 'requests', amount: 300, atMost: 1, keyed: 'for each consumer' },
  { name: 'total', counts: 'requests', amount: 1_200, atMost: 1, keyed: 'in total' },
  { name: 'flat', counts: 'money', amount: 1.2 * DOLLAR, atMost: DOLLAR / 1_000, keyed: 'in total' },
  { name: 'told', counts: 'money', amount: 1 * DOLLAR, atMost: DOLLAR / 200, keyed: 'for each consumer' },
  { name: 'held', counts: 'money', amount: 5 * DOLLAR, atMost: DOLLAR / 100, keyed: 'in total' },
] as const satisfies readonly CountedRoute[];

/**
 * A rate window, for each consumer: the same in all groups, because it is never at its end. So long that lives before and after a
 * kill and a start fall into one, so small that it is reached within one of them.
 */
export const WINDOW_ROUTE = { name: 'window', amount: 150, windowMs: 10_000 } as const;

/** When its client sent a request, by {@link machineMs}: a window says what it lets through, not what comes to the service when. */
export const SENT_HEADER = 'x-sent';

/** A clock that all processes of the machine share. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A route that nothing is counted on: keys are tried with it. */
export const FREE_PATH = '/free';

export function pathOf({ name }: Pick<CountedRoute, 'name'>, group: number, consumer: string): string {
  return `/${name}/${group}/${consumer}`;
}

export function policyOf({ name }: CountedRoute, group: number): string {
  return `${name}-${group}`;
}

/** How many counters the rule of a route has. */
export function keysOf({ keyed }: CountedRoute): number {
  return keyed === 'in total' ? 1 : CONSUMERS.length;
}

/** The whole of what may be let through. */
export function wholeAmount(route: CountedRoute): number {
  return route.amount * keysOf(route);
}
