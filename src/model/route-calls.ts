import type { OperationName } from './pools.ts';
import type { Route } from './world.ts';

/** Operations that ask which models there are: the gateway answers them itself. */
const LIST_OPERATIONS = [
  'openai/models',
  'openai/model',
  'anthropic/models',
  'anthropic/model',
] as const satisfies readonly OperationName[];
export type ListOperation = (typeof LIST_OPERATIONS)[number];

/** An operation whose requests are calls to models. */
export type CallOperation = Exclude<OperationName, ListOperation>;

/** Of a route whose requests are calls to models, which are read before any rule about bodies is asked; null for others. */
export function callOperationOf({ ai }: Pick<Route, 'ai'>): CallOperation | null {
  return ai === null || isListOperation(ai) ? null : ai;
}

export function isListOperation(operation: OperationName): operation is ListOperation {
  return (LIST_OPERATIONS as readonly OperationName[]).includes(operation);
}

export function sendsCalls(route: Pick<Route, 'ai'>): boolean {
  return callOperationOf(route) !== null;
}
