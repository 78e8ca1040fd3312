/**
 * Lines of `routes/*.yaml` that stand for several routes: `openai: { ai: openai }` makes one for each operation of the dialect, named
 * `openai/chat` and so on. Names that people write have no slash, so no other route is named like that.
 */
import { type Dialect, dialectOf, OPERATION_TARGETS, type OperationName } from './pools.ts';

const OPERATION_NAMES = Object.keys(OPERATION_TARGETS) as readonly OperationName[];

export function operationsOf(dialect: Dialect): readonly OperationName[] {
  return OPERATION_NAMES.filter((operation) => dialectOf(operation) === dialect);
}

export function routeOfLine(line: string, operation: OperationName): string {
  return `${line}${operation.slice(operation.indexOf('/'))}`;
}

/** What the files call the route: its line, where it is one of several. Consumers are subscribed to that. */
export function writtenName(name: string): string {
  const slash = name.indexOf('/');
  return slash === -1 ? name : name.slice(0, slash);
}

/** The routes that a name in a policy stands for: one, all of a line, or none. */
export function routesNamed(
  routes: Pick<ReadonlyMap<string, unknown>, 'has'>,
  name: string,
): readonly string[] {
  if (routes.has(name)) return [name];
  const ofLine = OPERATION_NAMES.map((operation) => routeOfLine(name, operation));
  return [...new Set(ofLine)].filter((route) => routes.has(route));
}
