/** What a run of the `crash` bench has found, and the figures that it makes. */
import { atLeast, atMost, type Bar, type Figure } from '../bench.ts';
import { CONSUMERS, COUNTED_ROUTES, type CountedRoute, WINDOW_ROUTE, wholeAmount } from './counters.ts';
import type { Loss } from './losses.ts';

/** How one route stood after its group, when all of its counters had been driven to their end. */
export interface GroupEnd {
  readonly route: CountedRoute;
  /** What the service charged beyond amounts, over all counters. */
  readonly over: number;
  /** What of the amounts it never got to charge. */
  readonly under: number;
  /** What the kills of the group may have lost, and what is left of a budget because no request fits. */
  readonly allowed: number;
}

export interface ChangesTold {
  readonly acknowledged: number;
  readonly unanswered: { readonly done: number; readonly notDone: number };
}

export class CrashFindings {
  kills = 0;
  killsInStart = 0;
  /** Of these, some counter had come to its end. */
  killsAtAnEnd = 0;
  killsWithReservations = 0;
  /** After the load had come to rest. */
  killsAtRest = 0;
  requests = 0;
  /** The most that came in any window. */
  windowPeak = 0;
  audits = 0;
  /** From the start of a process to its first answer. */
  readonly startsMs: number[] = [];
  readonly losses: Loss[] = [];
  readonly ends: GroupEnd[] = [];
  /** Changes that were acknowledged and are not there, keys that count for what they are not. */
  readonly lost: string[] = [];
  readonly unrecorded: string[] = [];
  readonly invalidAudits: string[] = [];
  readonly otherMistakes: string[] = [];
  /** Answers of a gateway that has as much in flight as it may have, as on a machine that is busy: refused, never let through. */
  shed = 0;

  get mistakes(): readonly string[] {
    return [...this.lost, ...this.unrecorded, ...this.invalidAudits, ...this.otherMistakes];
  }

  figures({ acknowledged, unanswered }: ChangesTold, killsMin: number): readonly Figure[] {
    const count = (name: string, value: number, bar: Bar | null = null): Figure => ({
      name,
      unit: '',
      values: [value],
      bar,
    });
    const money = this.ends.filter(({ route }) => route.counts === 'money');
    const requests = this.ends.filter(({ route }) => route.counts === 'requests');
    const sum = (ends: readonly GroupEnd[]): number => ends.reduce((all, { over }) => all + over, 0);
    return [
      count('kills', this.kills, atLeast(killsMin)),
      count('kills while starting', this.killsInStart),
      count('kills with a counter at its end', this.killsAtAnEnd, atLeast(1)),
      count('kills at rest', this.killsAtRest, atLeast(1)),
      count('kills with open reservations', this.killsWithReservations, atLeast(1)),
      { name: 'start after a kill', unit: 'ms', values: this.startsMs, bar: null },
      count('requests that the service got', this.requests),
      count('quotas driven to their end', requests.length, atLeast(1)),
      count('budgets driven to their end', money.length, atLeast(1)),
      count('overshoot of quotas, requests', sum(requests), atMost(0)),
      count('overshoot of budgets, nano-USD', sum(money), atMost(0)),
      count(
        `most let through in any ${WINDOW_ROUTE.windowMs / 1_000} s, of at most ${WINDOW_ROUTE.amount}`,
        this.windowPeak,
        atMost(WINDOW_ROUTE.amount),
      ),
      { ...this.#undershoot(), bar: null },
      count(
        'groups that lost more than allowed',
        this.ends.filter(({ under, allowed }) => under > allowed).length,
        atMost(0),
      ),
      count(
        'counters of kills at rest that lost more than status printed',
        this.losses.filter(({ isExact, lost, allowed }) => isExact && lost > allowed).length,
        atMost(0),
      ),
      this.#ofPrinted('lost by kills at rest, quotas', 'requests'),
      this.#ofPrinted('lost by kills at rest, budgets', 'money'),
      count(
        'counters of kills under load that lost more than printed and one slice',
        this.losses.filter(({ isExact, lost, allowed }) => !isExact && lost > allowed).length,
        atMost(0),
      ),
      this.#withinPrinted(),
      ...COUNTED_ROUTES.map((route) => this.#beyondPrinted(route)),
      count('changes acknowledged', acknowledged, atLeast(1)),
      count('unanswered changes, found done', unanswered.done),
      count('unanswered changes, found not done', unanswered.notDone),
      count('acknowledged changes lost', this.lost.length, atMost(0)),
      count('changes and audit records without each other', this.unrecorded.length, atMost(0)),
      count('audit logs verified', this.audits, atLeast(1)),
      count('audit logs not valid', this.invalidAudits.length, atMost(0)),
      count('requests shed because of overload', this.shed),
      count('other mistakes', this.otherMistakes.length, atMost(0)),
    ];
  }

  #undershoot(): Omit<Figure, 'bar'> {
    const shares = this.ends.map(({ route, under }) => (100 * under) / wholeAmount(route));
    return { name: 'never charged of an amount, by group', unit: '%', values: shares };
  }

  /** Of the counters of kills before which status was printed at all: what was printed last bounds what was lost, as it stood. */
  #withinPrinted(): Figure {
    const told = this.losses.filter(({ isExact, printed }) => !isExact && printed !== null);
    const within = told.filter(({ lost, printed }) => lost <= printed!);
    const values = told.length === 0 ? [] : [(100 * within.length) / told.length];
    return {
      name: 'counters of kills under load that lost no more than status printed',
      unit: '%',
      values,
      bar: null,
    };
  }

  /** All of it of a quota; of a budget less, because a request that was reserved for may have been charged already. */
  #ofPrinted(name: string, counts: CountedRoute['counts']): Figure {
    const told = this.losses.filter(
      ({ isExact, route, printed }) => isExact && route.counts === counts && printed! > 0,
    );
    return {
      name,
      unit: '% of what was printed',
      values: told.map(({ lost, printed }) => (100 * lost) / printed!),
      bar: null,
    };
  }

  /** By kill: what was lost beyond what was printed last, because a slice was granted or money reserved since. */
  #beyondPrinted(route: CountedRoute): Figure {
    const told = this.losses.filter(
      ({ isExact, route: { name }, printed }) => !isExact && name === route.name && printed !== null,
    );
    return {
      name: `${route.name}: lost by a kill under load beyond what status printed`,
      unit: '% of the amount',
      values: told.map(({ lost, printed }) => (100 * Math.max(0, lost - printed!)) / wholeAmount(route)),
      bar: null,
    };
  }
}

/** `charged` of one counter, by consumer; of one counter for all, of all consumers together. */
export function groupEnd(
  route: CountedRoute,
  charged: (consumers: readonly string[]) => number,
  lossesAllowed: number,
): GroupEnd {
  const counters = route.keyed === 'in total' ? [CONSUMERS] : CONSUMERS.map((consumer) => [consumer]);
  let [over, under] = [0, 0];
  for (const consumers of counters) {
    const left = route.amount - charged(consumers);
    over += Math.max(0, -left);
    under += Math.max(0, left);
  }
  const unfit = route.counts === 'money' ? counters.length * route.atMost : 0;
  return { route, over, under, allowed: lossesAllowed + unfit };
}
