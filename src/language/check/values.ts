import { type Span, spanText } from '../../diagnostics/source.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import type { ValueType } from '../../model/types.ts';
import type { ArithmeticNode, ListNode, LiteralNode, OperandNode, SubjectNode, ValueNode } from '../ast.ts';
import { unknownDefine } from '../problems/names.ts';
import { badDivisor, notCalculable, unitNeeded } from '../problems/types.ts';
import { PATH_ROOTS } from '../tokens.ts';
import type { ArithmeticExpression, FactExpression, Operand } from '../typed.ts';
import type { CheckContext } from './context.ts';
import { isItem } from './elements.ts';
import { factText, type Known } from './known.ts';
import { naturalLiteral } from './literals.ts';
import { checkOperand } from './operands.ts';
import { inWords } from './type-names.ts';

/** Values: facts, and what is calculated from them. Null means that a problem was reported. */
export function checkSubject(context: CheckContext, known: Known, node: SubjectNode): Operand | null {
  return node.kind === 'operand' ? checkOperand(context, known, node) : checkArithmetic(context, known, node);
}

/** A lone word is a defined name, unless it begins facts; `it` may be an item of one. */
export function resolveValue(
  context: CheckContext,
  node: ValueNode,
): LiteralNode | ListNode | OperandNode | ArithmeticNode | null {
  if (node.kind !== 'operand') return node;
  if (context.item !== null && isItem(node)) return at(context.item.value, node.span);
  if (isFactPath(node)) return node;
  const { path, span } = node.path;
  const define = context.defines.get(path);
  if (define !== undefined) return define.value === null ? null : at(define.value, span);
  context.report(unknownDefine(span, path, nearest(path, [...context.defines.keys(), ...STATES])));
  return null;
}

/** Words that may follow `is` without being a value. */
const STATES = ['present', 'absent', 'subscribed'] as const;

/** A value as a message names it. */
export function valueText(operand: Operand): string {
  switch (operand.kind) {
    case 'fact':
      return writtenFact(operand);
    case 'otherwise':
      return writtenFact(operand.fact);
    case 'converted':
      return `${valueText(operand.number)} as ${operand.unit}`;
    case 'arithmetic':
      return 'the result';
    default:
      return 'this';
  }
}

/** The zone of a file is understood, so it is named only where it was written. */
function writtenFact(fact: FactExpression): string {
  const isUnsaid = fact.definition.parameter === 'zone' && !spanText(fact.span).includes('[');
  return isUnsaid ? fact.definition.path : factText(fact);
}

export function described(operand: Operand): string {
  return `${inWords(operand.type)} (${valueText(operand)})`;
}

function isFactPath({ path, otherwise, unit }: OperandNode): boolean {
  const isRoot = (PATH_ROOTS as readonly string[]).includes(path.path);
  const isMore = path.parameter !== null || otherwise !== null || unit !== null;
  return isRoot || isMore || path.path.includes('.');
}

/** A defined value seen from the place of its use: what does not fit there is the use. */
function at(value: LiteralNode | ListNode, span: Span): LiteralNode | ListNode {
  return value.kind === 'literal'
    ? { ...value, span }
    : { ...value, span, items: value.items.map((item) => ({ ...item, span })) };
}

export function checkArithmetic(
  context: CheckContext,
  known: Known,
  { operator, left: leftNode, right: rightNode, span }: ArithmeticNode,
): ArithmeticExpression | null {
  const left = checkTerm(context, known, leftNode);
  const right = checkTerm(context, known, rightNode);
  if (left === null || right === null) return null;
  if (operator === '/' && (right.kind !== 'literal' || right.type.kind !== 'number' || right.value === 0)) {
    context.report(badDivisor(right.span));
    return null;
  }
  const type = operator === '+' || operator === '-' ? ofSum(left, right) : ofProduct(left, right);
  if (type !== null) return { kind: 'arithmetic', operator, left, right, type, span };
  const bare = [left, right].find((one) => one.kind === 'literal' && one.type.kind === 'number');
  const other = left === bare ? right : left;
  if (bare !== undefined && isUnit(other.type))
    context.report(unitNeeded(bare.span, spelled(bare), other.type.kind));
  else context.report(notCalculable(span, operator, described(left), described(right)));
  return null;
}

function checkTerm(context: CheckContext, known: Known, node: ValueNode): Operand | null {
  const value = resolveValue(context, node);
  if (value === null) return null;
  if (value.kind === 'literal') return naturalLiteral(context, value);
  if (value.kind !== 'list') return checkSubject(context, known, value);
  context.report(notCalculable(value.span, '+', 'a list', 'anything'));
  return null;
}

const CALCULABLE: ReadonlySet<string> = new Set(['number', 'duration', 'size', 'percent', 'money']);

function ofSum(left: Operand, right: Operand): ValueType | null {
  return left.type.kind === right.type.kind && CALCULABLE.has(left.type.kind) ? left.type : null;
}

function ofProduct(left: Operand, right: Operand): ValueType | null {
  if (right.type.kind === 'number') return CALCULABLE.has(left.type.kind) ? left.type : null;
  return left.type.kind === 'number' && CALCULABLE.has(right.type.kind) ? right.type : null;
}

type UnitType = Extract<ValueType, { kind: string }> & {
  readonly kind: 'duration' | 'size' | 'percent' | 'money';
};

function isUnit(type: ValueType): type is UnitType {
  return type.kind !== 'number' && CALCULABLE.has(type.kind);
}

function spelled(operand: Operand): string {
  return operand.kind === 'literal' ? String(operand.value) : '';
}
