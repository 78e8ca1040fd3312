/** The end of a request in money and counters: what it cost, and what becomes of what was reserved for it. */
import type { Route } from '../model/world.ts';
import type { RequestContext } from '../pipeline/context.ts';
import type { CounterBinding, Reservation } from '../pipeline/counters.ts';
import type { ResponseHead } from '../pipeline/upstream.ts';
import type { Account } from './access-record.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import { ResponseCost } from './response-cost.ts';

/** What one request costs: as its service tells, or all that was reserved. Nothing, so far as is known that no service got it. */
export class RequestCost {
  readonly atMost: number;
  /** Null where the price says all. */
  readonly #told: ResponseCost | null;
  #charge: 'nothing' | 'in-full' = 'nothing';

  constructor(
    { atMost, told, currency }: NonNullable<Route['cost']>,
    { buffered, limits }: Pick<ExchangeThread, 'buffered' | 'limits'>,
  ) {
    this.atMost = atMost;
    this.#told = told === null ? null : new ResponseCost(told, currency, buffered, limits.responseCostBytes);
  }

  dispatched(): void {
    this.#charge = 'in-full';
  }

  /** The service is known not to have worked on it. */
  spare(): void {
    this.#charge = 'nothing';
  }

  /** The service refused before it did anything (language-rules #30). */
  answered(status: number): void {
    if (status === 401 || status === 429) this.spare();
  }

  head(head: ResponseHead): void {
    this.answered(head.status);
    this.#told?.head(head);
  }

  data(chunk: Uint8Array, last: boolean): void {
    this.#told?.data(chunk, last);
  }

  /** In nano-units. Holds nothing any more. */
  end(): number {
    const told = this.#told?.end() ?? null;
    return this.#charge === 'nothing' ? 0 : (told ?? this.atMost);
  }
}

/** What was reserved of money becomes what it cost; slots of `at once` are freed. */
export function settle(
  context: RequestContext,
  binding: CounterBinding | null,
  cost: RequestCost | null,
  account: Account,
): void {
  if (cost !== null) {
    account.costNano = cost.end();
    if (account.costNano > cost.atMost && account.fault === '') account.fault = ESTIMATE_LOW;
  }
  const { reservation, observedReservations } = context;
  if (reservation !== null) endReservation(binding!, reservation, account.costNano);
  context.reservation = null;
  if (observedReservations === null) return;
  for (const observed of observedReservations) endReservation(binding!, observed, account.costNano);
  context.observedReservations = null;
}

function endReservation(binding: CounterBinding, reservation: Reservation, costNano: number): void {
  if (costNano !== -1) binding.settleEstimates(reservation, costNano);
  binding.release(reservation);
}

/** Debt, which the budgets carry: `atMost` of the route is too little. */
const ESTIMATE_LOW = 'estimate_low: the request cost more than atMost of its route, which was reserved';
