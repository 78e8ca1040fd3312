import type { TypedExpression } from '../../language/typed.ts';
import { clauseText } from '../clause-text.ts';

/** What a quantifier asks of each element. */
export interface ElementChecks {
  /** `request.body.items`; a list in its elements is `request.body.items.tags`. */
  readonly list: string;
  readonly checks: number;
}

/** By list, in order of their names; the same check of several rules counts once. */
export function elementChecks(asked: readonly TypedExpression[]): ElementChecks[] {
  const found = new Map<string, Set<string>>();
  for (const expression of asked) note(expression, null, found);
  return [...found]
    .map(([list, checks]) => ({ list, checks: checks.size }))
    .sort((a, b) => (a.list < b.list ? -1 : 1));
}

/** `list`: whose elements the expression is about; null outside of quantifiers. */
function note(expression: TypedExpression, list: string | null, found: Map<string, Set<string>>): void {
  switch (expression.kind) {
    case 'not':
      note(expression.operand, list, found);
      return;
    case 'and':
    case 'or':
      for (const operand of expression.operands) note(operand, list, found);
      return;
    default: {
      const checks = list === null ? null : (found.get(list) ?? new Set());
      if (list !== null && checks !== null) found.set(list, checks.add(clauseText(expression)));
      if (expression.kind !== 'quantified') return;
      note(expression.condition, expression.list.definition.path.replaceAll('[]', ''), found);
    }
  }
}
