import { spanText } from '../diagnostics/source.ts';
import type { LiteralExpression, TypedExpression } from '../language/typed.ts';
import { valueInWords } from './values.ts';

/**
 * A condition as written, on one line. One about the items of a defined list stands there once and is asked for each of them:
 * the item is put in the place of `it`, so that people see which one is meant.
 */
export function clauseText(clause: TypedExpression): string {
  const text = spanText(clause.span).replace(/\s+/g, ' ');
  const item = itemIn(clause);
  return item === null ? text : text.replaceAll(ITEM_WORD, item);
}

const ITEM_WORD = /(?<![\w."])it(?![\w."])/g;

/** Items have become values, but each still knows that `it` was written there; patterns of text tests are mere texts. */
function itemIn(clause: TypedExpression): string | null {
  if (clause.kind === 'text-test' && clause.test !== 'matches') {
    const isAsked = clause.text.kind === 'fact' && spanText(clause.text.span) === 'it';
    return !isAsked && / it$/.test(spanText(clause.span)) ? JSON.stringify(clause.pattern) : null;
  }
  const literal = literalsIn(clause).find(({ span }) => spanText(span) === 'it');
  return literal === undefined ? null : valueInWords(literal.type, literal.value);
}

function literalsIn(node: object): LiteralExpression[] {
  if ('kind' in node && node.kind === 'literal') return [node as LiteralExpression];
  // what a quantifier asks of its elements has clauses of its own
  return Object.entries(node).flatMap(([name, value]) =>
    name === 'span' || name === 'condition' || typeof value !== 'object' || value === null
      ? []
      : literalsIn(value),
  );
}
