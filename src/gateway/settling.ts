/** The end of a request in money and counters: what it cost, and what becomes of what was reserved for it. */
import { type CallActuals, NOTHING_USED } from '../model/model-call.ts';
import type { Route } from '../model/world.ts';
import { actualsOf } from '../pipeline/call-actuals.ts';
import type { RequestContext } from '../pipeline/context.ts';
import type { CounterBinding, Reservation } from '../pipeline/counters.ts';
import type { ModelRequest } from '../pipeline/model-request.ts';
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

/** What was reserved of money and tokens becomes what was used; slots of `at once` are freed. */
export function settle(
  context: RequestContext,
  binding: CounterBinding | null,
  cost: RequestCost | null,
  account: Account,
): void {
  const actuals =
    cost === null ? noteCall(context.shapedCall ?? context.call, account) : noteCost(cost, account);
  if (context.cached && context.call !== null) noteNothingUsed(account);
  const { reservation, observedReservations } = context;
  if (reservation !== null) endReservation(binding!, reservation, actuals);
  context.reservation = null;
  if (observedReservations === null) return;
  for (const observed of observedReservations) endReservation(binding!, observed, actuals);
  context.observedReservations = null;
}

/** A call that no key has room for leaves every counter as it was, those of policies that only watch too (language-rules #19). */
export function giveBack(context: RequestContext, binding: CounterBinding): void {
  const { reservation, observedReservations } = context;
  if (reservation !== null) binding.cancel(reservation);
  context.reservation = null;
  if (observedReservations === null) return;
  for (const observed of observedReservations) binding.cancel(observed);
  context.observedReservations = null;
}

function noteCost(cost: RequestCost, account: Account): CallActuals {
  account.costNano = cost.end();
  if (account.costNano > cost.atMost && account.fault === '') account.fault = ESTIMATE_LOW;
  return { ...NOTHING_USED, money: account.costNano };
}

/** Null where no call to a model was read: there was nothing to estimate. */
function noteCall(call: ModelRequest | null, account: Account): CallActuals | null {
  if (call === null) return null;
  const actuals = actualsOf(call.use);
  noteUse(call, account);
  for (const measure of MEASURES)
    if ((actuals[measure] ?? 0) > call.bounds[measure] && account.fault === '')
      account.fault = `estimate_low: the call used more than was reserved (${measure}: ${actuals[measure]} of ${call.bounds[measure]})`;
  return actuals;
}

const MEASURES = Object.keys(NOTHING_USED) as (keyof CallActuals)[];

function noteUse({ use, bounds, model, prompt }: ModelRequest, account: Account): void {
  account.model = model.name;
  account.target = use.pool;
  account.providerKey = use.key;
  if (use.charged === 'nothing') {
    account.costNano = 0;
    return;
  }
  const told = use.usage;
  const isTold = told !== null && use.doubt === '';
  account.tokensFrom = isTold ? 'provider' : prompt === 'counted' ? 'counted' : 'bound';
  if (account.fault === '') account.fault = use.doubt;
  account.inputTokens = told?.inputTokens ?? finite(bounds['input-tokens']);
  account.outputTokens = told?.outputTokens ?? finite(bounds['output-tokens']);
  account.cachedTokens = told?.cachedTokens ?? -1;
  account.reasoningTokens = told?.reasoningTokens ?? -1;
  account.costNano = told === null ? (use.costNano ?? finite(bounds.money)) : (use.costNano ?? -1);
}

/** The tokens were those of the request that the answer was made for. */
function noteNothingUsed(account: Account): void {
  account.inputTokens = account.outputTokens = account.costNano = 0;
}

function finite(bound: number): number {
  return Number.isFinite(bound) ? bound : -1;
}

function endReservation(
  binding: CounterBinding,
  reservation: Reservation,
  actuals: CallActuals | null,
): void {
  if (actuals !== null) binding.settleEstimates(reservation, actuals);
  binding.release(reservation);
}

/** Debt, which the budgets carry: `atMost` of the route is too little. */
const ESTIMATE_LOW = 'estimate_low: the request cost more than atMost of its route, which was reserved';
