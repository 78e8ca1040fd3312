import { assert } from '../../base/assert.ts';
import { type Span, spanText } from '../../diagnostics/source.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import { SUPPORTED_METHODS } from '../../model/methods.ts';
import { compileRegex } from '../../model/regex.ts';
import type { ValueType } from '../../model/types.ts';
import type {
  ListNode,
  LiteralNode,
  ModelSetNode,
  OperandNode,
  PredicateNode,
  RouteSetNode,
  SubjectNode,
} from '../ast.ts';
import { unknownName } from '../problems/names.ts';
import { shown } from '../problems/problem.ts';
import {
  badRegex,
  fixedTextNeeded,
  notAList,
  notOrdered,
  notText,
  typeMismatch,
  unitMismatch,
} from '../problems/types.ts';
import type { ListExpression, LiteralExpression, Operand, TypedExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';
import { isItem, isLookUpOnce } from './elements.ts';
import { canHold } from './impossible-texts.ts';
import type { Known } from './known.ts';
import { typeLiteral } from './literals.ts';
import { checkOperand } from './operands.ts';
import { everyRoute, selectRoutes, taggedModels } from './selectors.ts';
import { canBeTarget } from './target-names.ts';
import { exampleOf, literalInWords, ORDERED, referenceTo, sameType } from './type-names.ts';
import { checkSubject, described, resolveValue, valueText } from './values.ts';

/** Comparisons: both sides of one type, units included. Null means that a problem was reported. */
export function checkCompare(
  context: CheckContext,
  known: Known,
  node: Extract<PredicateNode, { kind: 'compare' }>,
): TypedExpression | null {
  const left = checkSubject(context, known, node.left);
  const value = resolveValue(context, node.right);
  if (left === null || value === null) return null;
  if (!isComparable(context, node, left)) return null;
  const { operator, span } = node;
  if (value.kind === 'list') {
    context.report(typeMismatch(value.span, described(left), 'a list', 'Write `in`.'));
    return null;
  }
  const right =
    value.kind === 'literal' ? typeValue(context, value, left) : checkFactBeside(context, known, left, value);
  if (right === null || (right.kind === 'literal' && !canBeTarget(context, left, [right]))) return null;
  const routes = right.kind === 'literal' ? everyRoute(context, right) : [];
  if (routes.length > 1) {
    const list = {
      kind: 'list',
      items: routes,
      type: { kind: 'list', of: referenceTo('route') },
      span: value.span,
    } as const;
    return { kind: 'in', element: left, list, negated: operator === 'is-not', span };
  }
  return left.type.kind === 'ip'
    ? sameAddress(left, right, operator === 'is-not', span)
    : { kind: 'compare', operator, left, right, span };
}

/** `in` a list, a list attribute, a set of routes, or – for addresses – networks. */
export function checkIn(
  context: CheckContext,
  known: Known,
  { left: leftNode, right, negated, span }: Extract<PredicateNode, { kind: 'in' }>,
): TypedExpression | null {
  const element = checkSubject(context, known, leftNode);
  if (right.kind === 'route-set') return checkInRoutes(context, element, right, { negated, span });
  if (right.kind === 'model-set') return checkInModels(context, element, right, { negated, span });
  const found = right.kind === 'list' ? right : resolveValue(context, right);
  if (element === null || found === null) return null;
  const value =
    element.type.kind === 'ip' && right.kind === 'operand' && isItem(right) ? listOfOne(found) : found;
  if (value.kind === 'literal') {
    context.report(notAList(value.span, 'one value'));
    return null;
  }
  if (value.kind === 'arithmetic') {
    context.report(notAList(value.span, 'one value'));
    return null;
  }
  if (element.type.kind === 'list') {
    const list = valueText(element);
    const help = `Write ${list} contains "…", or any of ${list} has it in […].`;
    context.report(typeMismatch(element.span, described(element), 'one value', help));
    return null;
  }
  if (value.kind === 'operand') return checkInFact(context, known, element, value, { negated, span });
  if (element.type.kind === 'ip') {
    const networks = checkNetworks(context, element, value);
    return networks === null ? null : { kind: 'in-networks', address: element, networks, negated, span };
  }
  const written = value.items.flatMap((item) => typeValue(context, item, element) ?? []);
  if (written.length < value.items.length || !canBeTarget(context, element, written)) return null;
  const items = written.flatMap((item) => everyRoute(context, item));
  const type: ValueType = { kind: 'list', of: element.type };
  return { kind: 'in', element, list: { kind: 'list', items, type, span: value.span }, negated, span };
}

/** Whether the model is one of those with a tag. */
function checkInModels(
  context: CheckContext,
  element: Operand | null,
  set: ModelSetNode,
  { negated, span }: Pick<Extract<PredicateNode, { kind: 'in' }>, 'negated' | 'span'>,
): TypedExpression | null {
  const isIn = taggedModels(context, set);
  if (element === null || isIn === null) return null;
  if (isModel(element)) return { ...isIn, element, negated, span };
  context.report(
    typeMismatch(
      span,
      described(element),
      'a set of models',
      'Only `model` can be in it: write `model in models tagged …`.',
    ),
  );
  return null;
}

/** Whether the route is one of a set: the same as a condition over its facts, so that it is decided when compiling. */
function checkInRoutes(
  context: CheckContext,
  element: Operand | null,
  set: RouteSetNode,
  { negated, span }: Pick<Extract<PredicateNode, { kind: 'in' }>, 'negated' | 'span'>,
): TypedExpression | null {
  const isIn = selectRoutes(context, { ...set, kind: 'selector', span });
  if (element === null || isIn === null) return null;
  if (element.type.kind !== 'reference' || element.type.to !== 'route') {
    context.report(
      typeMismatch(
        span,
        described(element),
        'a set of routes',
        'Only `route` can be in it: write `route in routes …`.',
      ),
    );
    return null;
  }
  if (isIn.kind === 'in') return { ...isIn, negated };
  assert(isIn.kind === 'compare', 'a set of routes is one test of one fact');
  return { ...isIn, operator: negated ? 'is-not' : 'is' };
}

/** `contains`, `starts with`, `ends with`, `like` on texts and names; `contains` on lists. */
export function checkTextTest(
  context: CheckContext,
  known: Known,
  { test, left, right, span }: Extract<PredicateNode, { kind: 'text-test' }>,
): TypedExpression | null {
  const text = checkSubject(context, known, left);
  const value = resolveValue(context, right);
  if (text === null || value === null) return null;
  if (value.kind !== 'literal') {
    context.report(fixedTextNeeded(value.span, test.replace('-', ' ')));
    return null;
  }
  if (text.type.kind === 'list' && test === 'contains') {
    const element = typeLiteral(context, value, text.type.of, `an element of ${valueText(text)}`);
    if (element === null) return null;
    return element.type.kind === 'ip'
      ? { kind: 'in-networks', address: element, networks: text, negated: false, span }
      : { kind: 'in', element, list: text, negated: false, span };
  }
  if (text.type.kind !== 'text' && text.type.kind !== 'reference') {
    context.report(notText(span, test.replace('-', ' '), described(text), helpForText(text.type)));
    return null;
  }
  const pattern = typeLiteral(context, value, { kind: 'text' }, valueText(text));
  const asked = String(value.value);
  if (pattern === null || !canHold(context, text, test, { asked, span: value.span })) return null;
  return { kind: 'text-test', test, text, pattern: asked, span };
}

/** `matches` a regular expression, which must be one that takes linear time. */
export function checkRegexTest(
  context: CheckContext,
  known: Known,
  { left, regex, span }: Extract<PredicateNode, { kind: 'regex-test' }>,
): TypedExpression | null {
  const text = checkSubject(context, known, left);
  const compiled = compileRegex(regex.value, context.project.world.limits.regexInstructions);
  if (!compiled.ok) context.report(badRegex(regex.span, compiled.error.why, compiled.error.help));
  if (text === null || !compiled.ok) return null;
  if (text.type.kind === 'text' || text.type.kind === 'reference') {
    if (!canHold(context, text, 'matches', { asked: regex.value, span: regex.span })) return null;
    return { kind: 'text-test', test: 'matches', text, pattern: regex.value, span };
  }
  context.report(notText(span, 'matches', described(text), helpForText(text.type)));
  return null;
}

/** A literal beside a value. Methods are texts of which only some are ever served. */
function typeValue(context: CheckContext, node: LiteralNode, beside: Operand): LiteralExpression | null {
  const unit = beside.kind === 'fact' && beside.type.kind === 'number' ? unitFor(context, node) : null;
  if (unit !== null) {
    const text = valueText(beside);
    const help = `Write ${exampleOf(beside.type)}, or give the fact its unit: ${text} as ${unit}.`;
    const found = `${literalInWords(node.type)} (${shown(spanText(node.span))})`;
    context.report(unitMismatch(node.span, described(beside), found, help));
    return null;
  }
  const literal = typeLiteral(context, node, beside.type, valueText(beside));
  const isMethod = beside.kind === 'fact' && beside.definition.path === 'request.method';
  if (literal === null) return null;
  if (!isMethod) {
    if (beside.type.kind !== 'text') return literal;
    const asked = String(literal.value);
    return canHold(context, beside, 'is', { asked, span: node.span }) ? literal : null;
  }
  if (SUPPORTED_METHODS.has(String(literal.value))) return literal;
  const methods = [...SUPPORTED_METHODS];
  const near = nearest(String(literal.value), methods);
  const suggestion = near === null ? null : { name: near, place: null };
  context.report(unknownName(node.span, 'method', String(literal.value), suggestion, methods));
  return null;
}

/** What `as` makes of a number, so that it goes with the literal. */
function unitFor({ project }: CheckContext, { type }: LiteralNode): string | null {
  if (type === 'money') return project.world.currency;
  return type === 'duration' ? 'days' : null;
}

function isComparable(
  context: CheckContext,
  { operator, left: { span } }: Extract<PredicateNode, { kind: 'compare' }>,
  left: Operand,
): boolean {
  const equality = operator === 'is' || operator === 'is-not';
  if (!equality && !ORDERED.has(left.type.kind)) {
    context.report(notOrdered(span, valueText(left)));
    return false;
  }
  if (left.type.kind !== 'list') return true;
  context.report(typeMismatch(span, described(left), 'one value', `Write ${valueText(left)} contains ….`));
  return false;
}

function checkFactBeside(
  context: CheckContext,
  known: Known,
  left: Operand,
  node: SubjectNode,
): Operand | null {
  const right = checkSubject(context, known, node);
  if (right === null || sameType(left.type, right.type)) return right;
  const report = ORDERED.has(left.type.kind) && ORDERED.has(right.type.kind) ? unitMismatch : typeMismatch;
  const date = left.type.kind === 'date' ? dateMeant(node.span) : null;
  if (date !== null) {
    context.report(unitMismatch(node.span, described(left), described(right), `Write ${date}.`));
    return null;
  }
  const nameable = left.type.kind === 'reference' || right.type.kind === 'reference';
  const help = nameable
    ? 'Compare names with names: tenant.name, team.name, consumer.name.'
    : `Compare ${valueText(left)} with ${exampleOf(left.type)}, or ${valueText(right)} with ${exampleOf(right.type)}.`;
  context.report(report(node.span, described(left), described(right), help));
  return null;
}

/** `31/12/2026` is two divisions. Which number is the month is not always clear. */
function dateMeant({ source, start, end }: Span): string | null {
  const [, first = '', second = '', year] =
    /^(\d{1,2}) ?\/ ?(\d{1,2}) ?\/ ?(\d{4})$/.exec(source.text.slice(start, end)) ?? [];
  if (year === undefined) return null;
  const [month, day] = Number(first) > MONTHS ? [second, first] : [first, second];
  const isClear = Number(first) > MONTHS !== Number(second) > MONTHS;
  return isClear ? `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}` : 'dates like 2027-03-31';
}
const MONTHS = 12;

function checkInFact(
  context: CheckContext,
  known: Known,
  element: Operand,
  node: OperandNode,
  { negated, span }: { readonly negated: boolean; readonly span: Span },
): TypedExpression | null {
  const list = checkOperand(context, known, node);
  if (list === null) return null;
  if (element.type.kind === 'ip' && holdsNetworks(list.type)) {
    if (!isLookUpOnce(context, known, list)) return null;
    return { kind: 'in-networks', address: element, networks: list, negated, span };
  }
  if (list.type.kind !== 'list') {
    context.report(notAList(node.span, described(list)));
    return null;
  }
  if (sameType(element.type, list.type.of) || (isModel(element) && list.type.of.kind === 'text')) {
    return isLookUpOnce(context, known, list) ? { kind: 'in', element, list, negated, span } : null;
  }
  context.report(
    typeMismatch(
      span,
      described(element),
      `a list of another type (${valueText(list)})`,
      'Compare things of one type.',
    ),
  );
  return null;
}

/** Attributes name models as texts: `model not in tenant.models`. */
function isModel({ type }: Operand): boolean {
  return type.kind === 'reference' && type.to === 'model';
}

/** An address is a network of one, so a list of addresses does as well. */
function holdsNetworks(type: ValueType): boolean {
  return (
    type.kind === 'network' || (type.kind === 'list' && (type.of.kind === 'network' || type.of.kind === 'ip'))
  );
}

function checkNetworks(context: CheckContext, address: Operand, list: ListNode): ListExpression | null {
  const networks = list.items.flatMap(
    (item) => typeLiteral(context, item, NETWORK, valueText(address)) ?? [],
  );
  return networks.length < list.items.length ? null : networkList(networks, list.span);
}

/** An item of a defined list of networks is a network. */
function listOfOne(value: ListNode | LiteralNode | SubjectNode): ListNode | LiteralNode | SubjectNode {
  return value.kind === 'literal' ? { kind: 'list', items: [value], span: value.span } : value;
}

function networkList(items: readonly LiteralExpression[], span: Span): ListExpression {
  return { kind: 'list', items, type: { kind: 'list', of: NETWORK }, span };
}
const NETWORK = { kind: 'network' } as const;

/** Addresses have several spellings (`::1`, `0:0::1`), so equality is membership in a network of one address. */
function sameAddress(address: Operand, other: Operand, negated: boolean, span: Span): TypedExpression {
  const networks = other.kind === 'literal' ? networkList([other], other.span) : other;
  return { kind: 'in-networks', address, networks, negated, span };
}

function helpForText(type: ValueType): string {
  if (type.kind === 'list') return 'Write `contains`.';
  return type.kind === 'ip' ? 'Write `in` with a list of networks.' : 'Write `is` or `in`.';
}
