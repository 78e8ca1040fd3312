import { assert } from '../../base/assert.ts';
import type { Route } from '../../model/world.ts';
import type { DeprecateNode, PolicyNode, TextNode } from '../ast.ts';
import { noSuccessor, sunsetBeforeDeprecation } from '../problems/dates.ts';
import type { DeprecateRule, Successor, TextTemplate } from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { Known } from './known.ts';
import { checkName } from './names.ts';
import type { RuleHead } from './rules.ts';

/** What `{successor.url}` stands for in the texts of a policy. */
export type PolicySuccessor = Successor | 'none' | 'several' | 'unreadable';

/** The one successor that the rules of a policy name. */
export function successorOf(context: CheckContext, { rules }: PolicyNode, known: Known): PolicySuccessor {
  const nodes = rules.flatMap((rule) =>
    rule.kind === 'deprecate' && rule.successor ? [rule.successor] : [],
  );
  const [first] = nodes;
  if (first === undefined) return 'none';
  if (nodes.some(({ value }) => value !== first.value)) return 'several';
  return checkSuccessor({ ...context, report: () => {} }, first, known) ?? 'unreadable';
}

/** A deprecation. Null means that problems were reported. */
export function checkDeprecation(
  context: CheckContext,
  node: DeprecateNode,
  known: Known,
  head: RuleHead,
): Omit<DeprecateRule, 'key' | 'span'> | null {
  const { from, sunset } = node;
  const inOrder = from.value <= sunset.value;
  if (!inOrder) context.report(sunsetBeforeDeprecation(sunset.span, from.value, sunset.value));
  const successor = node.successor === null ? null : checkSuccessor(context, node.successor, known);
  if (!inOrder || (node.successor !== null && successor === null)) return null;
  const { zone } = context;
  return { kind: 'deprecate', ...head, fromDay: from.value, sunsetDay: sunset.value, zone, successor };
}

function checkSuccessor(context: CheckContext, { value, span }: TextNode, known: Known): Successor | null {
  if (!checkName(context, 'route', value, span)) return null;
  const route = context.project.world.routes.get(value);
  const why = route === undefined ? 'it stands for several routes' : unfit(route, known);
  if (why === null) return { route: value, url: urlOf(context, route!, known, span) };
  context.report(noSuccessor(span, value, why));
  return null;
}

function unfit(route: Route, known: Known): string | null {
  if (route.state === 'retired') return 'it is retired';
  return known.routes.includes(route) ? 'it is deprecated by the same rule' : null;
}

const PARAMETER = /^\{(.+?)(\.\.\.)?\}$/;

/**
 * The path of the successor, up to the first parameter that not all deprecated routes have. A route with hosts of its own is
 * named with the first of them, in the scheme of the request (RFC 3986, 4.2).
 */
function urlOf(context: CheckContext, route: Route, known: Known, span: TextNode['span']): TextTemplate {
  const host = route.match.hosts.find((name) => !name.startsWith('*'));
  const parts: TextTemplate['parts'][number][] = [];
  let text = host === undefined ? '' : `//${host}`;
  for (const segment of route.match.path.slice(1).split('/')) {
    const name = PARAMETER.exec(segment)?.[1];
    if (name === undefined) text += `/${segment}`;
    else if (known.routes.every(({ match }) => match.path.split('/').includes(segment))) {
      parts.push(`${text}/`, { kind: 'url-part', fact: parameterFact(context, name, span), span });
      text = '';
    } else break;
  }
  return { parts: text === '' && parts.length > 0 ? parts : [...parts, text === '' ? '/' : text] };
}

function parameterFact(context: CheckContext, parameter: string, span: TextNode['span']) {
  const definition = context.project.facts.get('request.parameter');
  assert(definition !== undefined, 'request.parameter is built in');
  return { kind: 'fact', definition, parameter, type: definition.type, span } as const;
}
