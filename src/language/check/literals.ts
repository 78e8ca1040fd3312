import { isIP } from 'node:net';
import { spanText } from '../../diagnostics/source.ts';
import { meant } from '../../diagnostics/suggest.ts';
import { inAccounting } from '../../model/money.ts';
import { networkText, parseNetwork } from '../../model/networks.ts';
import type { ValueType } from '../../model/types.ts';
import type { LiteralKind, LiteralNode } from '../ast.ts';
import { unknownName } from '../problems/names.ts';
import { shown } from '../problems/problem.ts';
import { badLiteral, otherCurrency, typeMismatch, unitMismatch, unitNeeded } from '../problems/types.ts';
import type { LiteralExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';
import { checkName } from './names.ts';
import { exampleOf, inWords, literalInWords } from './type-names.ts';

/** A literal at a place that wants `type`; `beside` is what it stands beside, as written. Null: reported. */
export function typeLiteral(
  context: CheckContext,
  node: LiteralNode,
  type: ValueType,
  beside: string,
): LiteralExpression | null {
  if (!fits(context, node, type, beside)) return null;
  const value =
    type.kind === 'network'
      ? networkOf(context, node)
      : node.type === 'money'
        ? accountingAmount(context, Number(node.value), node.currency, node.span)
        : node.value;
  return value === null ? null : { kind: 'literal', value, type, span: node.span };
}

/** A literal at a place that takes any type. Null: reported. */
export function naturalLiteral(context: CheckContext, node: LiteralNode): LiteralExpression | null {
  return typeLiteral(context, node, { kind: node.type }, 'this');
}

/** The unit that a number is read as. Reports what is not the accounting currency. */
export function isAccountingCurrency(
  context: CheckContext,
  currency: string,
  span: LiteralNode['span'],
): boolean {
  const { currency: accounting } = context.project.world;
  if (currency === accounting) return true;
  context.report(otherCurrency(span, currency, accounting, 'read'));
  return false;
}

/** An amount as it is written, in nano-units of the accounting currency; one without currency stays. Null: reported. */
export function accountingAmount(
  context: CheckContext,
  amount: number,
  currency: string | null,
  span: LiteralNode['span'],
): number | null {
  if (currency === null) return amount;
  const { world } = context.project;
  const converted = inAccounting(amount, currency, world);
  if (converted.ok) return converted.value;
  context.report(
    converted.error === 'no-rate'
      ? otherCurrency(span, currency, world.currency, 'written')
      : badLiteral(span, `${spanText(span)} is too much: amounts end at 9_000_000 ${world.currency}.`),
  );
  return null;
}

/** The form of literal each type is written in; the texts among them are checked further. */
const FORM: Readonly<Record<Exclude<ValueType['kind'], 'list' | 'object'>, LiteralKind>> = {
  text: 'text',
  enum: 'text',
  reference: 'text',
  ip: 'text',
  network: 'text',
  number: 'number',
  duration: 'duration',
  size: 'size',
  percent: 'percent',
  money: 'money',
  date: 'date',
  time: 'time',
  boolean: 'boolean',
};

const WITH_UNIT: ReadonlySet<string> = new Set([
  'number',
  'duration',
  'size',
  'percent',
  'money',
  'date',
  'time',
]);

function fits(context: CheckContext, node: LiteralNode, type: ValueType, beside: string): boolean {
  const form = type.kind === 'list' || type.kind === 'object' ? null : FORM[type.kind];
  if (form === node.type) return form !== 'text' || fitsText(context, node, type, beside);
  const { kind } = type;
  if (
    node.type === 'number' &&
    (kind === 'duration' || kind === 'size' || kind === 'percent' || kind === 'money')
  ) {
    context.report(unitNeeded(node.span, String(node.value), kind));
    return false;
  }
  const report = WITH_UNIT.has(kind) && WITH_UNIT.has(node.type) ? unitMismatch : typeMismatch;
  const left = `${inWords(type)} (${beside})`;
  context.report(
    report(
      node.span,
      left,
      `${literalInWords(node.type)} (${shown(spanText(node.span))})`,
      `Write ${exampleOf(type)}.`,
    ),
  );
  return false;
}

function fitsText(
  context: CheckContext,
  { value, span }: LiteralNode,
  type: ValueType,
  beside: string,
): boolean {
  const text = String(value);
  switch (type.kind) {
    case 'reference':
      return checkName(context, type.to, text, span);
    case 'enum':
      return fitsEnum(context, type.values, text, { span, beside });
    case 'ip':
      if (isIP(text) !== 0) return true;
      context.report(
        badLiteral(
          span,
          `"${text}" is not an address. Write one such as 10.0.0.1, or a network with \`in\`.`,
        ),
      );
      return false;
    default:
      return true;
  }
}

/** A network in CIDR notation, as all others write it. Null: reported. */
function networkOf(context: CheckContext, { value, span }: LiteralNode): string | null {
  const network = parseNetwork(String(value));
  if (network.ok) return networkText(network.value);
  context.report(badLiteral(span, network.error.why));
  return null;
}

function fitsEnum(
  context: CheckContext,
  values: readonly string[],
  text: string,
  { span, beside }: { readonly span: LiteralNode['span']; readonly beside: string },
): boolean {
  if (values.includes(text)) return true;
  const near = meant(text, values);
  const suggestion = near === null ? null : { name: near, place: null };
  context.report(unknownName(span, beside, text, suggestion, values));
  return false;
}
