import { assert } from '../../base/assert.ts';
import type { DatesNode } from '../ast.ts';
import type { LiteralExpression, TypedExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';

/**
 * The dates on which something is in force, as a condition over the local date: `from D until E` is
 * `request.date >= D and request.date <= E` in the zone of the file. Null: always.
 */
export function inForce(context: CheckContext, dates: DatesNode | null): TypedExpression | null {
  if (dates === null) return null;
  const { firstDay, lastDay, span } = dates;
  const bounds = [
    ...(firstDay === null ? [] : [compareDate(context, 'ge', firstDay, span)]),
    ...(lastDay === null ? [] : [compareDate(context, 'le', lastDay, span)]),
  ];
  return bounds.length === 1 ? bounds[0]! : { kind: 'and', operands: bounds, span };
}

/** Both conditions; null is one that always holds. */
export function both(a: TypedExpression | null, b: TypedExpression | null): TypedExpression | null {
  if (a === null || b === null) return a ?? b;
  const operands = [a, b].flatMap((each) => (each.kind === 'and' ? each.operands : [each]));
  return { kind: 'and', operands, span: b.span };
}

function compareDate(
  context: CheckContext,
  operator: 'ge' | 'le',
  day: number,
  span: DatesNode['span'],
): TypedExpression {
  const definition = context.project.facts.get('request.date');
  assert(definition !== undefined, 'request.date is built in');
  const { type } = definition;
  const right: LiteralExpression = { kind: 'literal', value: day, type, span };
  const left = { kind: 'fact', definition, parameter: context.zone, type, span } as const;
  return { kind: 'compare', operator, left, right, span };
}
