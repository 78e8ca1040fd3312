import { spanText } from '../../diagnostics/source.ts';
import type { PathNode } from '../ast.ts';
import { fixedList, listNeeded } from '../problems/quantifiers.ts';
import type { FactExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { Known } from './known.ts';
import { checkOperand } from './operands.ts';
import { inWords } from './type-names.ts';

/** The list whose elements a quantifier asks about. Null means that a problem was reported. */
export function checkList(context: CheckContext, known: Known, path: PathNode): FactExpression | null {
  const text = spanText(path.span);
  if (context.defines.has(path.path)) {
    context.report(fixedList(path.span, text));
    return null;
  }
  const list = checkOperand(context, known, {
    kind: 'operand',
    path,
    otherwise: null,
    unit: null,
    span: path.span,
  });
  if (list === null) return null;
  if (list.kind === 'fact' && list.type.kind === 'list') return list;
  context.report(listNeeded(path.span, inWords(list.type), text));
  return null;
}
