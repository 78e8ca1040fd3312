import { spanText } from '../../diagnostics/source.ts';
import type { ConditionNode, PredicateNode, QuantifiedNode } from '../ast.ts';
import { notExhausted, poolFact, requestFact } from '../problems/pools.ts';
import { selectorInCondition } from '../problems/reading.ts';
import { neverMissing, onlyConsumers } from '../problems/types.ts';
import type { TypedExpression } from '../typed.ts';
import { checkCalendarTest } from './calendars.ts';
import { checkCompare, checkIn, checkRegexTest, checkTextTest } from './comparisons.ts';
import type { CheckContext } from './context.ts';
import { asksItem, isOfElement, itemLast } from './elements.ts';
import { factText, type Known } from './known.ts';
import { checkName } from './names.ts';
import { POOL_ROOTS, resolvePath } from './operands.ts';
import { askItems, checkList, definedItems } from './quantifiers.ts';
import { builtInFact, selectorAsFact, selectRoutes } from './selectors.ts';

/** Where a condition stands: only a scope takes selectors such as `routes tagged "x"`. */
export type ConditionPlace = 'scope' | 'rule';

/** A condition, resolved and typed. Null means that problems were reported. */
export function checkCondition(
  context: CheckContext,
  known: Known,
  node: ConditionNode,
  place: ConditionPlace,
): TypedExpression | null {
  switch (node.kind) {
    case 'constant':
      return ofElement(context, known, node, node);
    case 'not': {
      const operand = checkCondition(context, known, node.operand, place);
      return operand === null ? null : { kind: 'not', operand, span: node.span };
    }
    case 'and':
    case 'or':
      return checkChain(context, known, node, place);
    case 'selector':
      if (place === 'scope') return ofElement(context, known, node, selectRoutes(context, node));
      context.report(selectorInCondition(node.span, selectorAsFact(node)));
      return null;
    case 'calendar-test':
      return ofElement(context, known, node, checkCalendarTest(context, node));
    case 'quantified':
      return ofElement(context, known, node, checkQuantified(context, known, node, place));
    default: {
      const turned = itemLast(context, node);
      if (turned !== null) return checkCondition(context, known, turned, place);
      return ofElement(context, known, node, checkPredicate(context, known, node));
    }
  }
}

function ofElement(
  context: CheckContext,
  known: Known,
  node: ConditionNode,
  test: TypedExpression | null,
): TypedExpression | null {
  if (test === null) return null;
  return asksItem(context, node) && isOfElement(context, known, test) ? test : null;
}

function checkQuantified(
  context: CheckContext,
  known: Known,
  question: QuantifiedNode,
  place: ConditionPlace,
): TypedExpression | null {
  const { quantifier, list: listNode, condition: node, span } = question;
  if (context.defines.has(listNode.path)) {
    const items = definedItems(context, listNode);
    return items === null
      ? null
      : askItems(question, items, (value) =>
          checkCondition({ ...context, item: { list: listNode.path, value } }, known, node, place),
        );
  }
  const list = checkList(context, known, listNode);
  if (list === null) return null;
  const condition = checkCondition({ ...context, item: null }, known.within(list), node, place);
  return condition === null ? null : { kind: 'quantified', quantifier, list, condition, span };
}

/** Each operand is checked with what its predecessors left known: true ones for `and`, false ones for `or`. */
function checkChain(
  context: CheckContext,
  known: Known,
  node: Extract<ConditionNode, { kind: 'and' | 'or' }>,
  place: ConditionPlace,
): TypedExpression | null {
  let here = known;
  const operands: TypedExpression[] = [];
  for (const operand of node.operands) {
    const typed = checkCondition(context, here, operand, place);
    if (typed === null) here = here.afterMistake();
    else {
      operands.push(typed);
      here = here.after(typed, node.kind === 'and');
    }
  }
  return operands.length < node.operands.length ? null : { kind: node.kind, operands, span: node.span };
}

function checkPredicate(context: CheckContext, known: Known, node: PredicateNode): TypedExpression | null {
  switch (node.kind) {
    case 'compare':
      return checkCompare(context, known, node);
    case 'in':
      return checkIn(context, known, node);
    case 'text-test':
      return checkTextTest(context, known, node);
    case 'regex-test':
      return checkRegexTest(context, known, node);
    case 'present':
      return checkPresent(context, known, node);
    case 'exhausted':
      return checkExhausted(context, node);
    case 'has-role':
      if (!isConsumer(context, node, 'has roles')) return null;
      if (!checkName(context, 'role', node.role.value, node.role.span)) return null;
      return { kind: 'has-role', role: node.role.value, negated: node.negated, span: node.span };
    case 'subscribed':
      if (!isConsumer(context, node, 'is subscribed to routes')) return null;
      return { kind: 'subscribed', negated: node.negated, span: node.span };
  }
}

function checkPresent(
  context: CheckContext,
  known: Known,
  { left, negated, span }: Extract<PredicateNode, { kind: 'present' }>,
): TypedExpression | null {
  if (left.kind === 'arithmetic') {
    context.report(neverMissing(span, 'A result'));
    return null;
  }
  const fact = resolvePath(context, known, left.path);
  if (fact === null) return null;
  if (fact.definition.absence !== 'never' && left.otherwise === null && left.unit === null) {
    return { kind: 'present', fact, negated, span };
  }
  const text = left.otherwise === null ? factText(fact) : `${factText(fact)} otherwise …`;
  context.report(neverMissing(span, text));
  return null;
}

/** `pool exhausted within 10m`: something is foreseen, and comes that soon. */
function checkExhausted(
  context: CheckContext,
  { left, within, span }: Extract<PredicateNode, { kind: 'exhausted' }>,
): TypedExpression | null {
  const path = left.kind === 'operand' && left.otherwise === null && left.unit === null ? left.path : null;
  if (path === null || path.parameter !== null || !POOL_ROOTS.has(path.path)) {
    context.report(notExhausted(left.span, spanText(left.span)));
    return null;
  }
  if (context.pools !== 'known') {
    context.report(poolFact(left.span, context.pools.tooEarlyFor, path.path));
    return null;
  }
  const fact = builtInFact(context, `${path.path}.exhausted_in`, left.span);
  const { type } = fact;
  const right = { kind: 'literal', value: within.value, type, span: within.span } as const;
  return {
    kind: 'and',
    operands: [
      { kind: 'present', fact, negated: false, span },
      { kind: 'compare', operator: 'le', left: fact, right, span },
    ],
    span,
  };
}

function isConsumer(context: CheckContext, { left }: PredicateNode, what: string): boolean {
  if (context.pools === 'known') {
    context.report(requestFact(left.span, spanText(left.span)));
    return false;
  }
  if (left.kind === 'operand') {
    const { path, otherwise, unit } = left;
    if (path.path === 'consumer' && path.parameter === null && otherwise === null && unit === null)
      return true;
  }
  context.report(onlyConsumers(left.span, what, spanText(left.span)));
  return false;
}
