/** Routes to models: what they may say, and those that one line for all operations of a dialect stands for. */
import { type Dialect, isDialect, OPERATION_TARGETS, type OperationName } from '../../model/pools.ts';
import { operationsOf, routeOfLine } from '../../model/route-lines.ts';
import type { Route, RouteMatch } from '../../model/world.ts';
import type { RouteDocument } from '../documents.ts';
import { below, type Here, keyAt, type Report, valueAt } from '../finding.ts';

/** Each below the path of the line, and for all else as the line says. */
export function routesOfLine(line: Route, dialect: Dialect): readonly Route[] {
  const { match } = line;
  const base = match.path.slice(0, match.path.lastIndexOf('/'));
  return operationsOf(dialect).map((operation) => {
    const { method, path } = OPERATION_TARGETS[operation];
    const name = routeOfLine(line.name, operation);
    const own = { ...match, methods: [method], path: `${base}${path}` };
    return { ...line, name, ai: operation, match: toldApart(own, operation) };
  });
}

/** By the fields that all requests of the operation have: another dialect may have one at the same path. */
export function toldApart(match: RouteMatch, operation: OperationName): RouteMatch {
  const written = new Set(match.headers.map(({ name }) => name));
  const own = OPERATION_TARGETS[operation].fields.filter((name) => !written.has(name));
  return own.length === 0
    ? match
    : { ...match, headers: [...match.headers, ...own.map((name) => ({ name, value: null }))] };
}

/** What only a service has a use for. */
const OF_SERVICES = ['upstreamPath', 'websocket', 'cost'] as const;

export function checkAiRoute(document: RouteDocument, here: Here, report: Report): void {
  for (const field of OF_SERVICES) {
    if (document[field] === undefined) continue;
    report({
      code: 'PT3309',
      message: `A route to models has no use for "${field}".`,
      target: keyAt(below(here, field)),
      help: 'Remove it: the provider says where its calls go, and the model what they cost.',
    });
  }
  if (document.repeatUnsafeMethods)
    report({
      code: 'PT3309',
      message:
        'A route to models has no use for "repeatUnsafeMethods": its calls are never repeated after they were sent.',
      target: keyAt(below(here, 'repeatUnsafeMethods')),
      help: 'Remove it: what a provider has worked on is paid for, though its answer was lost.',
    });
  if (document.request.schema === undefined) return;
  report({
    code: 'PT3309',
    message: 'A route to models has no use for a schema: its requests are those of the dialect.',
    target: keyAt(below(here, 'request', 'schema')),
    help: 'Remove it.',
  });
}

/** What its operations add to the path, or read off it. */
export function checkOperationPath(
  ai: OperationName | Dialect,
  { match }: RouteDocument,
  here: Here,
  report: Report,
): void {
  const isLine = isDialect(ai);
  if (isLine && match.methods !== undefined)
    report({
      code: 'PT3309',
      message: 'A route to all operations has no use for "methods": each of them has its own.',
      target: keyAt(below(here, 'match', 'methods')),
      help: 'Remove it.',
    });
  const wanted = isLine ? OF_LINES : OPERATION_TARGETS[ai].path.endsWith('}') ? OF_ONE_MODEL : null;
  if (wanted === null || wanted.ending.test(match.path)) return;
  report({
    code: 'PT3309',
    message: wanted.message,
    target: valueAt(below(here, 'match', 'path')),
    help: wanted.help,
  });
}

const OF_LINES = {
  ending: /\/\{[^{}]+\.\.\.\}$/,
  message: 'The path of a route to all operations ends in {name...}: they are below it.',
  help: 'Write path: "/v1/{operation...}".',
};
const OF_ONE_MODEL = {
  ending: /\/\{[^{}]+\}$/,
  message: 'The path of a route to one model ends in a parameter, which is its name.',
  help: 'Write path: "/v1/models/{model...}".',
};
