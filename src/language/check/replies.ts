import type { ReplyNode } from '../ast.ts';
import { badCode, statusOutOfRange } from '../problems/rules.ts';
import type { Reply } from '../typed.ts';
import type { CheckContext } from './context.ts';
import { checkTemplate, type TextPlace } from './templates.ts';

/** What a refusal says: status, code and reason. Null means that problems were reported. */
export function checkReply(context: CheckContext, node: ReplyNode, place: TextPlace): Reply | null {
  const { status, code } = node;
  const statusFits = status === null || isStatus(status.value);
  if (!statusFits) context.report(statusOutOfRange(status.span, status.value));
  const codeFits = code === null || CODE.test(code.value);
  if (!codeFits) context.report(badCode(code.span, code.value));
  const because = node.because === null ? null : checkTemplate(context, node.because, place);
  if (!statusFits || !codeFits || (node.because !== null && because === null)) return null;
  return { status: status?.value ?? null, code: code?.value ?? null, because };
}

function isStatus(value: number): boolean {
  return Number.isInteger(value) && value >= STATUS_MIN && value <= STATUS_MAX;
}

const STATUS_MIN = 400;
const STATUS_MAX = 599;
const CODE = /^[a-z][a-z0-9_]{0,63}$/;
