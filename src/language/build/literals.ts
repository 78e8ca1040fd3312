import type { CstNode, IToken } from 'chevrotain';
import {
  type LiteralResult,
  parseDate,
  parseDuration,
  parseMoney,
  parseNumber,
  parsePercent,
  parseSize,
  parseTime,
} from '../../model/literals.ts';
import type { ListNode, LiteralKind, LiteralNode, NumberNode } from '../ast.ts';
import { badLiteral, unitNeeded } from '../problems/types.ts';
import {
  childOrNull,
  childrenOf,
  has,
  nodeSpan,
  type Reader,
  spanOf,
  tokenOf,
  tokenOrNull,
} from './reader.ts';
import { buildText } from './texts.ts';

/** Literals to values, by the one grammar of literals in `model/literals`. */

const PARSERS = {
  DateLiteral: ['date', parseDate],
  TimeLiteral: ['time', parseTime],
  SizeLiteral: ['size', parseSize],
  PercentLiteral: ['percent', parsePercent],
} as const satisfies Record<string, readonly [LiteralKind, (text: string) => LiteralResult]>;

export function buildLiteral(reader: Reader, node: CstNode): LiteralNode {
  const text = tokenOrNull(node, 'Text');
  if (text !== null) return { kind: 'literal', type: 'text', currency: null, ...buildText(reader, text) };
  const constant = childOrNull(node, 'Constant');
  if (constant !== null) {
    const span = nodeSpan(reader, node);
    return { kind: 'literal', type: 'boolean', value: has(constant, 'true'), currency: null, span };
  }
  const quantity = childOrNull(node, 'Quantity');
  const money = quantity === null ? null : childOrNull(quantity, 'Money');
  if (money !== null) return buildMoney(reader, money);
  const length = quantity === null ? null : childOrNull(quantity, 'Length');
  return length === null ? buildUnits(reader, quantity ?? node) : buildLength(reader, length);
}

/** Trailing comma allowed; at least one item, by the grammar. */
export function buildList(reader: Reader, node: CstNode): ListNode {
  const items = childrenOf(node, 'Literal').map((item) => buildLiteral(reader, item));
  return { kind: 'list', items, span: nodeSpan(reader, node) };
}

/** A length of time in milliseconds; a number without unit is PT1204. */
export function buildDuration(reader: Reader, node: CstNode): NumberNode {
  const literal = buildLength(reader, node);
  if (literal.type === 'number') reader.report(unitNeeded(literal.span, String(literal.value), 'duration'));
  return { value: literal.value as number, span: literal.span };
}

export function buildNumber(reader: Reader, token: IToken): NumberNode {
  return { value: read(reader, parseNumber(token.image), token), span: spanOf(reader, token) };
}

/** Days since 1970-01-01. */
export function buildDate(reader: Reader, token: IToken): NumberNode {
  return { value: read(reader, parseDate(token.image), token), span: spanOf(reader, token) };
}

/** Minutes since midnight. */
export function buildTime(reader: Reader, token: IToken): NumberNode {
  return { value: read(reader, parseTime(token.image), token), span: spanOf(reader, token) };
}

/** Bytes. */
export function buildSize(reader: Reader, token: IToken): NumberNode {
  return { value: read(reader, parseSize(token.image), token), span: spanOf(reader, token) };
}

/** 15% is 15. */
export function buildPercent(reader: Reader, token: IToken): NumberNode {
  return { value: read(reader, parsePercent(token.image), token), span: spanOf(reader, token) };
}

export function numberToken(node: CstNode): IToken {
  return tokenOf(node, 'NumberLiteral');
}

export function buildMoney(reader: Reader, node: CstNode): LiteralNode {
  const token = tokenOrNull(node, 'MoneyLiteral') ?? numberToken(node);
  const code = tokenOrNull(node, 'CurrencyCode');
  const money = parseMoney(code === null ? token.image : `${token.image} ${code.image}`);
  const span = nodeSpan(reader, node);
  if (money.ok)
    return { kind: 'literal', type: 'money', value: money.value.nano, currency: money.value.currency, span };
  reader.report(badLiteral(span, money.error.why));
  return { kind: 'literal', type: 'money', value: 1, currency: null, span };
}

function buildUnits(reader: Reader, node: CstNode): LiteralNode {
  const [name, [type, parse]] = Object.entries(PARSERS).find(([token]) => has(node, token))!;
  const token = tokenOf(node, name);
  return {
    kind: 'literal',
    type,
    value: read(reader, parse(token.image), token),
    currency: null,
    span: spanOf(reader, token),
  };
}

function buildLength(reader: Reader, node: CstNode): LiteralNode {
  const glued = tokenOrNull(node, 'DurationLiteral');
  const token = glued ?? numberToken(node);
  const unit = tokenOrNull(node, 'Unit');
  const span = nodeSpan(reader, node);
  if (glued === null && unit === null) {
    return {
      kind: 'literal',
      type: 'number',
      value: read(reader, parseNumber(token.image), token),
      currency: null,
      span,
    };
  }
  const text = unit === null ? token.image : `${token.image} ${unit.image}`;
  return {
    kind: 'literal',
    type: 'duration',
    value: read(reader, parseDuration(text), token),
    currency: null,
    span,
  };
}

function read(reader: Reader, result: LiteralResult, token: IToken): number {
  if (result.ok) return result.value;
  reader.report(badLiteral(spanOf(reader, token), result.error.why));
  return 1;
}
