import type { CstNode } from 'chevrotain';
import type { DatesNode } from '../ast.ts';
import { endsBeforeItBegins } from '../problems/rules.ts';
import { buildDate } from './literals.ts';
import { has, nodeSpan, type Reader, tokenOf } from './reader.ts';

/** `from D`, `from D until D`, `until D` and `after D`. */
export function buildDates(reader: Reader, node: CstNode): DatesNode {
  const span = nodeSpan(reader, node);
  const first = buildDate(reader, tokenOf(node, 'DateLiteral')).value;
  if (has(node, 'after')) return { firstDay: first + 1, lastDay: null, span };
  if (!has(node, 'from')) return { firstDay: null, lastDay: first, span };
  if (!has(node, 'until')) return { firstDay: first, lastDay: null, span };
  const last = buildDate(reader, tokenOf(node, 'DateLiteral', 1)).value;
  if (last < first) reader.report(endsBeforeItBegins(span));
  return { firstDay: first, lastDay: last, span };
}
