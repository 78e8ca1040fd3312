import { spanText } from '../../diagnostics/source.ts';
import { elementPath } from '../../model/facts.ts';
import { isBelow } from '../../model/member-path.ts';
import type { ConditionNode, OperandNode, PathNode, PredicateNode, SubjectNode, ValueNode } from '../ast.ts';
import {
  eachWithEach,
  factFirst,
  memberNeeded,
  memberOfValue,
  notOfElement,
  outsideQuantifier,
} from '../problems/quantifiers.ts';
import type { FactExpression, Operand, TypedExpression } from '../typed.ts';
import { resolveBodyFact } from './body-facts.ts';
import type { CheckContext } from './context.ts';
import { factText, type Known } from './known.ts';
import { inWords, literalInWords } from './type-names.ts';

/** `it`, the element that a quantifier asks about. */
const ELEMENT = 'it';

export function isElement({ path }: PathNode): boolean {
  return path === ELEMENT || isBelow(path, ELEMENT);
}

/** What `it` stands for here. Null means that a problem was reported. */
export function resolveElement(context: CheckContext, known: Known, node: PathNode): FactExpression | null {
  if (context.item !== null) {
    const { item } = context;
    context.report(
      node.path === ELEMENT && node.parameter === null
        ? factFirst(node.span, item.list)
        : memberOfValue(node.span, spanText(node.span), literalInWords(item.value.type)),
    );
    return null;
  }
  const { list } = known;
  if (list === null || list.type.kind !== 'list') {
    context.report(outsideQuantifier(node.span));
    return null;
  }
  const type = list.type.of;
  if (type.kind === 'object') return resolveMember(context, known, list, node);
  if (node.path !== ELEMENT || node.parameter !== null) {
    context.report(memberOfValue(node.span, spanText(node.span), inWords(type)));
    return null;
  }
  const { phase, label } = list.definition;
  const path = elementPath(list.definition.path);
  const summary = 'An element of a list.';
  const definition = { path, type, absence: 'never', phase, label, parameter: 'none', summary } as const;
  return { kind: 'fact', definition, parameter: null, type, span: node.span };
}

function resolveMember(
  context: CheckContext,
  known: Known,
  list: FactExpression,
  node: PathNode,
): FactExpression | null {
  const element = elementPath(list.definition.path);
  if (node.path !== ELEMENT)
    return resolveBodyFact(context, known, node, `${element}${node.path.slice(ELEMENT.length)}`);
  context.report(memberNeeded(node.span, factText(list)));
  return null;
}

/**
 * Every test in a quantifier is about the element: another would be asked again for each of them, and a reader could not
 * see whether it belongs to the question or stands beside it.
 */
export function isOfElement(context: CheckContext, { list }: Known, test: TypedExpression): boolean {
  if (list === null || mentions(test, elementPath(list.definition.path))) return true;
  context.report(notOfElement(test.span, spanText(test.span), factText(list)));
  return false;
}

/** The same where `it` is an item of a defined list, which typed conditions don't show any more: it has become a value. */
export function asksItem({ item, report }: CheckContext, node: ConditionNode): boolean {
  if (item === null || names(node)) return true;
  report(notOfElement(node.span, spanText(node.span), item.list));
  return false;
}

/** Whether `it` stands in a node, for the list that is asked here: in a question about another list it is of that one. */
function names(node: object): boolean {
  if ('kind' in node && node.kind === 'path') return isElement(node as PathNode);
  if ('kind' in node && node.kind === 'quantified') return false;
  return Object.entries(node).some(
    ([name, value]) => name !== 'span' && typeof value === 'object' && value !== null && names(value),
  );
}

/**
 * An item of a defined list is a fixed value, and a test begins with what it asks about: `it is request.host` asks the host.
 * Null where nothing is to be turned round.
 */
export function itemLast({ item }: CheckContext, test: PredicateNode): ConditionNode | null {
  if (item === null || (test.kind !== 'compare' && test.kind !== 'in')) return null;
  const { left, right, span } = test;
  if (!isItem(left) || (right.kind !== 'operand' && right.kind !== 'arithmetic') || isItem(right))
    return null;
  if (test.kind === 'compare')
    return { ...test, operator: MIRRORED[test.operator], left: right, right: left };
  const contains = { kind: 'text-test', test: 'contains', left: right, right: left, span } as const;
  return test.negated ? { kind: 'not', operand: contains, span } : contains;
}

const MIRRORED = { is: 'is', 'is-not': 'is-not', lt: 'gt', le: 'ge', gt: 'lt', ge: 'le' } as const;

/** `it` alone. */
export function isItem(node: SubjectNode | ValueNode): node is OperandNode {
  return (
    node.kind === 'operand' && node.path.path === ELEMENT && node.otherwise === null && node.unit === null
  );
}

/** Each element of one list of the body looked up in another would cost the product of both lengths. */
export function isLookUpOnce(context: CheckContext, { list: asked }: Known, list: Operand): boolean {
  if (asked?.definition.phase !== 'body' || list.kind !== 'fact') return true;
  const { phase, path } = list.definition;
  if (phase !== 'body' || path.startsWith(elementPath(asked.definition.path))) return true;
  context.report(eachWithEach(list.span, factText(asked), factText(list)));
  return false;
}

/** Whether a fact below `path` stands anywhere in a node of the typed tree. */
export function mentions(node: object, path: string): boolean {
  if ('kind' in node && node.kind === 'fact')
    return (node as FactExpression).definition.path.startsWith(path);
  return Object.entries(node).some(
    ([name, value]) =>
      name !== 'span' && typeof value === 'object' && value !== null && mentions(value, path),
  );
}
