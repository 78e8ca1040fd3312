import { calculate } from '../model/arithmetic.ts';
import { elementPath } from '../model/facts.ts';
import { regexTest } from '../model/regex.ts';
import { sendsCalls } from '../model/route-calls.ts';
import { serviceFact } from '../model/route-service.ts';
import type { ScalarValue, Value } from '../model/types.ts';
import type { Route } from '../model/world.ts';
import type {
  FactExpression,
  LiteralExpression,
  Operand,
  QuantifiedExpression,
  ShareExpression,
  TextTest,
  TypedExpression,
} from './typed.ts';

export type StaticValue = true | false | 'unknown';

/**
 * What a condition is worth for a route before any request is seen: facts of the compile phase are known, and so is
 * the absence of identity where credentials are not looked at (`auth: none`) and its presence where they are
 * required. Three-valued logic (Kleene): an unknown part matters only where the known parts do not decide.
 */
export function staticValue(expression: TypedExpression, route: Route): StaticValue {
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'not':
      return negate(staticValue(expression.operand, route), true);
    case 'and':
      return combine(expression.operands, route, false);
    case 'or':
      return combine(expression.operands, route, true);
    case 'present':
      return negate(factPresence(expression.fact, route), expression.negated);
    case 'share':
      return shareStatic(expression, route);
    case 'has-role':
    case 'subscribed':
      return route.auth === 'none' ? expression.negated : 'unknown';
    case 'in-networks':
    case 'in-calendar':
      return 'unknown';
    case 'compare':
      return compareStatic(expression, route);
    case 'in':
      return inStatic(expression, route);
    case 'text-test': {
      const text = operandValue(expression.text, route);
      return text === undefined ? 'unknown' : testText(expression.test, String(text), expression.pattern);
    }
    case 'quantified':
      return quantifiedStatic(expression, route);
  }
}

/** Only the lists of routes are known before a request: each element is put in the place of `it`. */
function quantifiedStatic({ quantifier, list, condition }: QuantifiedExpression, route: Route): StaticValue {
  const items = staticFact(list, route);
  if (!Array.isArray(items)) return 'unknown';
  const values = items.map((item) => staticValue(withElement(condition, list, item), route));
  const decisive = quantifier !== 'every';
  const found = values.includes(decisive) ? decisive : values.includes('unknown') ? 'unknown' : !decisive;
  return negate(found, quantifier === 'none');
}

/** The condition with a value in the place of `it`. */
function withElement<Node>(node: Node, list: FactExpression, value: ScalarValue): Node {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map((each) => withElement(each, list, value)) as Node;
  if ('kind' in node && node.kind === 'fact') {
    const { definition, type, span } = node as unknown as FactExpression;
    if (definition.path !== elementPath(list.definition.path)) return node;
    return { kind: 'literal', value, type, span } satisfies LiteralExpression as Node;
  }
  const parts = Object.entries(node).map(([name, part]) => [
    name,
    name === 'span' ? part : withElement(part, list, value),
  ]);
  return Object.fromEntries(parts) as Node;
}

/** Value of a fact that the route alone decides: null when it is missing, undefined when only requests know it. */
export function staticFact(fact: FactExpression, route: Route): Value | null | undefined {
  const read = COMPILE_FACTS[fact.definition.path];
  if (read !== undefined) return read(route);
  return fact.definition.phase === 'identity' && route.auth === 'none' ? null : undefined;
}

/** One test of a text, as `contains`, `starts with`, `ends with`, `like` and `matches` mean it. */
export function testText(test: TextTest, text: string, pattern: string): boolean {
  switch (test) {
    case 'contains':
      return text.includes(pattern);
    case 'starts-with':
      return text.startsWith(pattern);
    case 'ends-with':
      return text.endsWith(pattern);
    case 'like':
      return matchesGlob(text, pattern);
    case 'matches':
      return regexTest(pattern)(text);
  }
}

/**
 * `*` any run, `?` any one character (a code point); everything else stands for itself. Linear in text × stars: on a
 * mismatch only the last star takes one more character.
 */
export function matchesGlob(text: string, glob: string): boolean {
  const characters = [...text];
  const pattern = [...glob];
  let at = 0;
  let star = -1;
  let retry = 0;
  let position = 0;
  while (position < characters.length) {
    if (pattern[at] === '*') {
      star = at++;
      retry = position;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === characters[position])) {
      at++;
      position++;
    } else if (star !== -1) {
      at = star + 1;
      position = ++retry;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

const COMPILE_FACTS: Readonly<Record<string, (route: Route) => Value | null>> = {
  route: (route) => route.name,
  'route.service': serviceFact,
  'route.tags': (route) => route.tags,
  'route.state': (route) => route.state,
  'route.requires_identity': (route) => route.auth === 'required',
  'route.version': (route) => route.version,
  'route.cost': (route) => route.cost?.atMost ?? null,
};

/** A value the route decides; null (missing) and undefined (not known yet) both mean that nothing can be said. */
function operandValue(operand: Operand, route: Route): Value | undefined {
  switch (operand.kind) {
    case 'literal':
      return operand.value;
    case 'list':
      return operand.items.map(({ value }) => value);
    case 'fact':
      return staticFact(operand, route) ?? undefined;
    case 'otherwise': {
      const value = staticFact(operand.fact, route);
      return value === null ? operand.fallback.value : value;
    }
    case 'converted': {
      const value = operandValue(operand.number, route);
      return typeof value === 'number' ? calculate('*', value, operand.factor) : undefined;
    }
    case 'arithmetic': {
      const left = operandValue(operand.left, route);
      const right = operandValue(operand.right, route);
      if (typeof left !== 'number' || typeof right !== 'number') return undefined;
      return calculate(operand.operator, left, right);
    }
  }
}

function factPresence(fact: FactExpression, route: Route): StaticValue {
  const value = staticFact(fact, route);
  if (value !== undefined) return value !== null;
  const { absence, path, phase } = fact.definition;
  if (phase === 'call') return callFactPresence(path, route);
  if (absence === 'never' || (absence === 'anonymous' && route.auth === 'required')) return true;
  if (path !== 'request.parameter') return 'unknown';
  return pathParameters(route).includes(fact.parameter ?? '');
}

/** On routes of calls only bounds need not be there. */
function callFactPresence(path: string, route: Route): StaticValue {
  if (!sendsCalls(route)) return false;
  return path === 'model' || path === 'request.model' ? true : 'unknown';
}

/** Names in the pattern of a route: `/orders/{id}/{rest...}` has `id` and `rest`. */
export function pathParameters(route: Route): readonly string[] {
  return Array.from(route.match.path.matchAll(/\{([^{}]*?)(?:\.\.\.)?\}/g), ([, name]) => name!);
}

function shareStatic({ percent, of }: ShareExpression, route: Route): StaticValue {
  if (percent <= 0 || percent >= 100) return percent >= 100;
  return of !== 'requests' && route.auth === 'none' ? false : 'unknown';
}

function compareStatic(
  { operator, left, right }: Extract<TypedExpression, { kind: 'compare' }>,
  route: Route,
): StaticValue {
  const a = operandValue(left, route);
  const b = operandValue(right, route);
  if (a === undefined || b === undefined) return 'unknown';
  return ORDER[operator](a as ScalarValue, b as ScalarValue);
}

const ORDER: Readonly<
  Record<'is' | 'is-not' | 'lt' | 'le' | 'gt' | 'ge', (a: ScalarValue, b: ScalarValue) => boolean>
> = {
  is: (a, b) => a === b,
  'is-not': (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

function inStatic(
  { element, list, negated }: Extract<TypedExpression, { kind: 'in' }>,
  route: Route,
): StaticValue {
  const value = operandValue(element, route);
  const values = operandValue(list, route);
  if (value === undefined || !Array.isArray(values)) return 'unknown';
  return values.includes(value as ScalarValue) !== negated;
}

function combine(operands: readonly TypedExpression[], route: Route, decisive: boolean): StaticValue {
  let result: StaticValue = !decisive;
  for (const operand of operands) {
    const value = staticValue(operand, route);
    if (value === decisive) return decisive;
    if (value === 'unknown') result = 'unknown';
  }
  return result;
}

function negate(value: StaticValue, negated: boolean): StaticValue {
  return value === 'unknown' || !negated ? value : !value;
}
