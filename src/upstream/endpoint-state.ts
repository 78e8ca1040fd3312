import {
  CELL,
  ENDPOINT_CELLS,
  type EndpointMemory,
  msBetween,
  REASONS,
  STATE,
  ticksOf,
} from './endpoint-memory.ts';

/** Where an endpoint is in its life: see the bits in `endpoint-memory.ts`. */
export type EndpointState =
  | { readonly kind: 'well' }
  | { readonly kind: 'unhealthy' }
  /** `forMs`: until a request is tried; 0 when the next one is. */
  | { readonly kind: 'ejected'; readonly why: string; readonly forMs: number }
  /** Back, with a part of its share. */
  | { readonly kind: 'warming' };

const WORDS: Readonly<Record<(typeof REASONS)[number], string>> = {
  refused: 'connections to it fail',
  broken: 'its exchanges break off',
  errors: 'too many of its answers are errors',
};

export function endpointState(
  memory: EndpointMemory,
  slot: number,
  slowStartMs: number,
  nowMs: number,
): EndpointState {
  const base = slot * ENDPOINT_CELLS;
  const state = Atomics.load(memory, base + CELL.state);
  if ((state & STATE.unhealthy) !== 0) return { kind: 'unhealthy' };
  if ((state & STATE.ejected) !== 0) {
    const forMs = Math.max(0, msBetween(ticksOf(nowMs), Atomics.load(memory, base + CELL.ejectedUntil)));
    return { kind: 'ejected', why: WORDS[REASONS[Atomics.load(memory, base + CELL.reason)]!], forMs };
  }
  const backMs = msBetween(Atomics.load(memory, base + CELL.backSince), ticksOf(nowMs));
  return (state & STATE.warming) !== 0 && backMs < slowStartMs ? { kind: 'warming' } : { kind: 'well' };
}
