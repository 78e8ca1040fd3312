import { spanText } from '../../diagnostics/source.ts';
import type { LiteralNode, PathNode, QuantifiedNode } from '../ast.ts';
import { listNeeded } from '../problems/quantifiers.ts';
import type { FactExpression, TypedExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { Known } from './known.ts';
import { provePresent, resolvePath } from './operands.ts';
import { inWords } from './type-names.ts';

/** The list whose elements a quantifier asks about. Null means that a problem was reported. */
export function checkList(context: CheckContext, known: Known, path: PathNode): FactExpression | null {
  const list = resolvePath(context, known, path);
  if (list === null || (list.type.kind === 'list' && !provePresent(context, known, list))) return null;
  if (list.type.kind === 'list') return list;
  context.report(listNeeded(path.span, inWords(list.type), spanText(path.span)));
  return null;
}

/** The items of a defined list; null where the path is no defined name, or its value was reported as none. */
export function definedItems(context: CheckContext, { path, span }: PathNode): readonly LiteralNode[] | null {
  const value = context.defines.get(path)?.value ?? null;
  if (value === null) return null;
  if (value.kind === 'list') return value.items;
  context.report(listNeeded(span, 'one value', path));
  return null;
}

/**
 * The question about a list that is fixed is the same as one about each of its items, written out: so it is compiled as if
 * it had been, and costs as much. `conditionOf`: of one item; null when a problem was reported.
 */
export function askItems(
  { quantifier, span }: QuantifiedNode,
  items: readonly LiteralNode[],
  conditionOf: (item: LiteralNode) => TypedExpression | null,
): TypedExpression | null {
  const operands: TypedExpression[] = [];
  for (const item of items) {
    const condition = conditionOf(item);
    // what is wrong with one is mostly wrong with all
    if (condition === null) return null;
    operands.push(condition);
  }
  if (quantifier === 'every') return joined('and', operands, span);
  const any = joined('or', operands, span);
  return quantifier === 'any' ? any : { kind: 'not', operand: any, span };
}

function joined(
  kind: 'and' | 'or',
  operands: readonly TypedExpression[],
  span: QuantifiedNode['span'],
): TypedExpression {
  return operands.length === 1 ? operands[0]! : { kind, operands, span };
}
