/** Lives of requests whose cost only the answer tells, in any order of what can happen to them. */
import type { CostSource } from '../model/world.ts';
import type { Simulation } from './exchange.cases.ts';

/** What each reserves, in nano-units. */
export const AT_MOST = 500_000_000;
/** What a service tells. */
const TOLD = 30_000_000;

/** In a header its answer tells with its head, in the body with its last byte. */
export type ToldIn = CostSource['kind'];

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
export function expectedCost(events: readonly RequestEvent[], toldIn: ToldIn = 'header'): number {
  let told: number | null = null;
  let begun = false;
  for (const event of events) {
    if (event === 'leave' || event === 'lost') return told ?? AT_MOST;
    if (event === 'unprocessed') return begun ? (told ?? AT_MOST) : 0;
    if ((event === 'head' || event === 'head-last') && !begun) {
      begun = true;
      if (event === 'head-last') return TOLD;
      if (toldIn === 'header') told = TOLD;
    }
    if (event === 'data-last' && begun) return TOLD;
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
  readonly #toldIn: ToldIn;
  readonly all: OpenRequest[] = [];
  /** Those that are not over. */
  waiting: OpenRequest[] = [];

  constructor(simulation: Simulation, toldIn: ToldIn = 'header') {
    this.#simulation = simulation;
    this.#toldIn = toldIn;
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
    const over = apply(one, ANSWERS[this.#toldIn]) || one.events.length === 0;
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

/** An answer that tells its cost: whole, and in pieces of which those in the middle may be any number. */
interface ToldAnswer {
  readonly fields: string[];
  readonly whole: string;
  readonly first: string;
  readonly middle: string;
  readonly last: string;
}

const ANSWERS: Readonly<Record<ToldIn, ToldAnswer>> = {
  header: { fields: ['x-cost', '0.03'], whole: 'x', first: 'x', middle: 'x', last: 'x' },
  body: {
    fields: ['content-type', 'application/json'],
    whole: '{"usage":{"cost":0.03}}',
    first: '{"usage":{ ',
    middle: ' ',
    last: '"cost":0.03}}',
  },
};

/** As service and client could do it: neither speaks after it has ended. Whether that was the end. */
function apply(one: OpenRequest, answer: ToldAnswer): boolean {
  const { client, begun } = one;
  const call = one.call!;
  const event = one.events.shift()!;
  one.seen.push(event);
  if (event === 'drain') client.drain();
  else if (event === 'leave') client.disconnect();
  else if (event === 'lost' || event === 'unprocessed')
    call.fail(event === 'unprocessed' && !begun ? 'unprocessed' : 'unknown');
  else if (event.startsWith('head') && !begun)
    call.head(event === 'head-last', event === 'head-last' ? answer.whole : answer.first, {
      fields: answer.fields,
    });
  else if (event.startsWith('data') && begun)
    call.data(event === 'data-last' ? answer.last : answer.middle, event === 'data-last');
  else return false;
  one.begun ||= event.startsWith('head');
  return ENDS.has(event);
}

const ENDS: ReadonlySet<RequestEvent> = new Set(['leave', 'lost', 'unprocessed', 'head-last', 'data-last']);
