import type { OperationName } from './pools.ts';
import type { Route } from './world.ts';

/** An operation whose requests are calls to models: all but the question which models there are. */
export type CallOperation = Exclude<OperationName, 'openai/models'>;

/** Of a route whose requests are calls to models, which are read before any rule about bodies is asked; null for others. */
export function callOperationOf({ ai }: Pick<Route, 'ai'>): CallOperation | null {
  return ai === null || ai === 'openai/models' ? null : ai;
}

export function sendsCalls(route: Pick<Route, 'ai'>): boolean {
  return callOperationOf(route) !== null;
}
