/** Lives of requests whose cost only the answer tells, in any order of what can happen to them. */
import type { Simulation } from './exchange.cases.ts';

/** What each reserves, in nano-units. */
export const AT_MOST = 500_000_000;
/** What a service tells in `x-cost`. */
const TOLD = 30_000_000;

/** What can happen to a request in flight; most of it comes too late. */
export type RequestEvent =
  | 'head'
  | 'head-last'
  | 'data'
  | 'data-last'
  | 'unprocessed'
  | 'lost'
  | 'leave'
  | 'drain';

export const REQUEST_EVENTS: readonly RequestEvent[] = [
  ...(['head', 'head-last', 'data', 'data-last', 'unprocessed', 'lost'] as const),
  ...(['leave', 'drain'] as const),
];

/** The reference: what the events up to the end of a request make of its cost. */
export function expectedCost(events: readonly RequestEvent[]): number {
  let told: number | null = null;
  let begun = false;
  for (const event of events) {
    if (event === 'leave' || event === 'lost') return told ?? AT_MOST;
    if (event === 'unprocessed') return begun ? (told ?? AT_MOST) : 0;
    if ((event === 'head' || event === 'head-last') && !begun) {
      begun = true;
      told = TOLD;
      if (event === 'head-last') return told;
    }
    if (event === 'data-last' && begun) return told!;
  }
  return told ?? AT_MOST;
}

export interface OpenRequest {
  readonly path: string;
  readonly client: ReturnType<Simulation['request']>;
  /** Null where it was refused before any service got it. */
  readonly call: Simulation['calls'][number] | null;
  /** What is still to happen, and what has. */
  readonly events: RequestEvent[];
  readonly seen: RequestEvent[];
  begun: boolean;
}

/** Requests of one simulation, told apart by their paths. */
export class OpenRequests {
  readonly #simulation: Simulation;
  readonly all: OpenRequest[] = [];
  /** Those that are not over. */
  waiting: OpenRequest[] = [];

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  begin(events: readonly RequestEvent[]): OpenRequest {
    const { calls } = this.#simulation;
    const [path, before] = [`/${this.all.length}`, calls.length];
    const client = this.#simulation.request('GET', path);
    const call = calls.length === before ? null : calls.at(-1)!;
    const one: OpenRequest = { path, client, call, events: [...events], seen: [], begun: false };
    this.all.push(one);
    if (call !== null) this.waiting.push(one);
    return one;
  }

  /** The next event of one of those that are open; answers it where it is over. */
  step(pick: number): OpenRequest | null {
    if (this.waiting.length === 0) return null;
    const at = pick % this.waiting.length;
    const one = this.waiting[at]!;
    const over = apply(one) || one.events.length === 0;
    if (over) this.waiting.splice(at, 1);
    return over ? one : null;
  }

  /** Every deadline passes: all that are open end, as if their services were lost. Answers the statuses that clients saw. */
  timeOut(): readonly { readonly status: number }[] {
    const ended = this.waiting.splice(0);
    this.#simulation.nowMs += 3_600_000;
    this.#simulation.thread.sweep();
    for (const { seen } of ended) seen.push('lost');
    return ended.map(({ client }) => ({ status: client.status }));
  }
}

/** As service and client could do it: neither speaks after it has ended. Whether that was the end. */
function apply(one: OpenRequest): boolean {
  const { client, begun } = one;
  const call = one.call!;
  const event = one.events.shift()!;
  one.seen.push(event);
  if (event === 'drain') client.drain();
  else if (event === 'leave') client.disconnect();
  else if (event === 'lost' || event === 'unprocessed')
    call.fail(event === 'unprocessed' && !begun ? 'unprocessed' : 'unknown');
  else if (event.startsWith('head') && !begun)
    call.head(event === 'head-last', 'x', { fields: ['x-cost', '0.03'] });
  else if (event.startsWith('data') && begun) call.data('x', event === 'data-last');
  else return false;
  one.begun ||= event.startsWith('head');
  return ENDS.has(event);
}

const ENDS: ReadonlySet<RequestEvent> = new Set(['leave', 'lost', 'unprocessed', 'head-last', 'data-last']);
