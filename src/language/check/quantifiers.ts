import { spanText } from '../../diagnostics/source.ts';
import type { PathNode } from '../ast.ts';
import { fixedList, listNeeded } from '../problems/quantifiers.ts';
import type { FactExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { Known } from './known.ts';
import { provePresent, resolvePath } from './operands.ts';
import { inWords } from './type-names.ts';

/** The list whose elements a quantifier asks about. Null means that a problem was reported. */
export function checkList(context: CheckContext, known: Known, path: PathNode): FactExpression | null {
  const text = spanText(path.span);
  if (context.defines.has(path.path)) {
    context.report(fixedList(path.span, text));
    return null;
  }
  const list = resolvePath(context, known, path);
  if (list === null || (list.type.kind === 'list' && !provePresent(context, known, list))) return null;
  if (list.type.kind === 'list') return list;
  context.report(listNeeded(path.span, inWords(list.type), text));
  return null;
}
