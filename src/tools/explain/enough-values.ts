import { factText } from '../../language/check/known.ts';
import type { FactExpression, Operand, TypedExpression } from '../../language/typed.ts';
import type { Value } from '../../model/types.ts';
import { valueInWords } from '../values.ts';

/** A condition without parts, and how it turned out. */
export interface Turned {
  readonly clause: TypedExpression;
  readonly held: boolean;
}

/**
 * All values of a fact that leave each of these conditions as it turned out: `at most 10`, `other than "free"`. Null where
 * that is one value alone, or can't be said in few words.
 */
export function enoughValues(fact: FactExpression, turned: readonly Turned[]): string | null {
  const bounds = turned.map(({ clause, held }) => boundsOf(fact, clause, held));
  if (bounds.some((bound) => bound === null)) return null;
  return inWords(fact, (bounds as Bound[][]).flat());
}

interface Bound {
  readonly operator: Operator;
  readonly value: Value;
}
type Operator = Extract<TypedExpression, { kind: 'compare' }>['operator'];

/** What has to hold of the fact, which is there; null for conditions that are no comparison with a literal. */
function boundsOf(fact: FactExpression, clause: TypedExpression, held: boolean): Bound[] | null {
  if (clause.kind === 'compare') {
    const value = clause.right.kind === 'literal' ? inUnitOf(clause.left, fact, clause.right.value) : null;
    return value === null ? null : [{ operator: held ? clause.operator : OPPOSITE[clause.operator], value }];
  }
  if (clause.kind === 'present') return [];
  if (clause.kind === 'in' && clause.negated === held && clause.list.kind === 'list') {
    const values = clause.list.items.map((item) => inUnitOf(clause.element, fact, item.value));
    return values.some((value) => value === null)
      ? null
      : values.map((value) => ({ operator: 'is-not', value: value! }));
  }
  return null;
}

const OPPOSITE: Readonly<Record<Operator, Operator>> = {
  is: 'is-not',
  'is-not': 'is',
  lt: 'ge',
  le: 'gt',
  gt: 'le',
  ge: 'lt',
};

/** A fact that has a value never needs what stands behind `otherwise`. */
function inUnitOf(operand: Operand, fact: FactExpression, value: Value): Value | null {
  switch (operand.kind) {
    case 'fact':
      return factText(operand) === factText(fact) ? value : null;
    case 'otherwise':
      return inUnitOf(operand.fact, fact, value);
    case 'converted':
      return inUnitOf(operand.number, fact, Number(value) / operand.factor);
    default:
      return null;
  }
}

function inWords({ type }: FactExpression, bounds: readonly Bound[]): string | null {
  const of = (...operators: Operator[]) => bounds.filter(({ operator }) => operators.includes(operator));
  const shown = ({ value }: Bound): string => valueInWords(type, value);
  const excluded = [...new Set(of('is-not').map(shown))];
  if (of('is').length > 0 || excluded.length > EXCLUDED_SHOWN_MAX) return null;
  const least = of('gt', 'ge').sort((a, b) => Number(b.value) - Number(a.value) || strictFirst(a, b))[0];
  const most = of('lt', 'le').sort((a, b) => Number(a.value) - Number(b.value) || strictFirst(a, b))[0];
  const range = [
    ...(least === undefined ? [] : [`${least.operator === 'gt' ? 'more than' : 'at least'} ${shown(least)}`]),
    ...(most === undefined ? [] : [`${most.operator === 'lt' ? 'less than' : 'at most'} ${shown(most)}`]),
  ];
  const except = excluded.length === 0 ? [] : [`other than ${excluded.join(' and ')}`];
  return range.length + except.length === 0 ? null : [...range, ...except].join(' and ');
}

/** A list of more names is read in the policy. */
const EXCLUDED_SHOWN_MAX = 5;

function strictFirst(a: Bound, b: Bound): number {
  return (
    Number(b.operator === 'gt' || b.operator === 'lt') - Number(a.operator === 'gt' || a.operator === 'lt')
  );
}
