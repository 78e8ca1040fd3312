import type { CstNode } from 'chevrotain';
import { spanText } from '../../diagnostics/source.ts';
import type {
  ArithmeticNode,
  ConditionNode,
  ListNode,
  ModelSetNode,
  OperandNode,
  PathNode,
  PredicateNode,
  RouteSetNode,
  SelectorKind,
  SubjectNode,
  TextNode,
  ValueNode,
} from '../ast.ts';
import { mixedAndOr } from '../problems/reading.ts';
import { buildDuration, buildList, buildLiteral } from './literals.ts';
import { type PathStep, pathNode } from './paths.ts';
import {
  childOf,
  childOrNull,
  childrenOf,
  has,
  nodeSpan,
  type Reader,
  spanOf,
  tokenOf,
  tokenOrNull,
  tokensOf,
} from './reader.ts';
import { buildText } from './texts.ts';

/** Conditions: CST to AST. */
export function buildCondition(reader: Reader, node: CstNode): ConditionNode {
  const operands = childrenOf(node, 'Term').map((term) => buildTerm(reader, term));
  if (operands.length === 1) return operands[0]!;
  const span = nodeSpan(reader, node);
  if (has(node, 'and') && has(node, 'or')) reader.report(mixedAndOr(span, bothReadings(reader, node)));
  return { kind: has(node, 'and') ? 'and' : 'or', operands, span };
}

export function buildPath(reader: Reader, node: CstNode): PathNode {
  return pathNode(tokenOf(node, 'PathHead').image, stepsOf(reader, node), nodeSpan(reader, node));
}

/** Members and texts in brackets, in the order of the text. */
function stepsOf(reader: Reader, node: CstNode): PathStep[] {
  return [...tokensOf(node, 'Member'), ...tokensOf(node, 'Text')]
    .sort((a, b) => a.startOffset - b.startOffset)
    .map((token) => (token.image.startsWith('.') ? token.image.slice(1) : buildText(reader, token)));
}

function buildTerm(reader: Reader, node: CstNode): ConditionNode {
  const [name] = Object.keys(node.children) as [keyof typeof TERMS];
  return TERMS[name](reader, childOf(node, name));
}

const TERMS = {
  Negation: (reader: Reader, node: CstNode): ConditionNode => ({
    kind: 'not',
    operand: buildTerm(reader, childOf(node, 'Term')),
    span: nodeSpan(reader, node),
  }),
  Group: (reader: Reader, node: CstNode): ConditionNode => buildCondition(reader, childOf(node, 'Condition')),
  Constant: (reader: Reader, node: CstNode): ConditionNode => ({
    kind: 'constant',
    value: has(node, 'true'),
    span: nodeSpan(reader, node),
  }),
  Selector: buildSelector,
  CalendarTest: (reader: Reader, node: CstNode): ConditionNode => ({
    kind: 'calendar-test',
    test: has(node, 'during') ? 'during' : 'outside',
    calendar: buildText(reader, tokenOf(node, 'Text')),
    span: nodeSpan(reader, node),
  }),
  Quantified: (reader: Reader, node: CstNode): ConditionNode => ({
    kind: 'quantified',
    quantifier: has(node, 'any') ? 'any' : has(node, 'every') ? 'every' : 'none',
    list: buildPath(reader, childOf(node, 'Path')),
    condition: buildCondition(reader, childOf(node, 'Condition')),
    span: nodeSpan(reader, node),
  }),
  Predicate: buildPredicate,
};

function buildSelector(reader: Reader, node: CstNode): ConditionNode {
  const span = nodeSpan(reader, node);
  const select = (selector: SelectorKind, names: readonly TextNode[]): ConditionNode => ({
    kind: 'selector',
    selector,
    names,
    span,
  });
  if (has(node, 'every')) return select('every-route', []);
  const models = childOrNull(node, 'ModelSet');
  if (models !== null) return select('models-tagged', [buildText(reader, tokenOf(models, 'Text'))]);
  const set = childOrNull(node, 'RouteSet');
  if (set === null) {
    const texts = childOf(node, 'Texts').children.Text ?? [];
    const names = texts.flatMap((token) => ('image' in token ? [buildText(reader, token)] : []));
    return select(has(node, 'service') ? 'services' : has(node, 'model') ? 'models' : 'routes', names);
  }
  const { selector, names } = buildRouteSet(reader, set);
  return select(selector, names);
}

function buildRouteSet(reader: Reader, node: CstNode): RouteSetNode {
  const set = (selector: RouteSetNode['selector'], names: readonly TextNode[]): RouteSetNode => ({
    kind: 'route-set',
    selector,
    names,
    span: nodeSpan(reader, node),
  });
  if (has(node, 'tagged')) return set('tagged', [buildText(reader, tokenOf(node, 'Text'))]);
  if (has(node, 'identity')) return set('identity', []);
  const state = tokenOf(node, 'Name');
  return set('state', [{ value: state.image, span: spanOf(reader, state) }]);
}

const TESTS = {
  IsTest: buildIs,
  OrderTest: buildOrder,
  InTest: buildIn,
  TextTest: buildTextTest,
  RegexTest: buildRegexTest,
  RoleTest: buildRole,
  ExhaustedTest: buildExhausted,
};

function buildPredicate(reader: Reader, node: CstNode): PredicateNode {
  const left = buildSum(reader, childOf(node, 'Sum'));
  const name = Object.keys(node.children).find((child) => child in TESTS) as keyof typeof TESTS;
  return TESTS[name](reader, left, childOf(node, name), { span: nodeSpan(reader, node) });
}

type Build = (
  reader: Reader,
  left: SubjectNode,
  test: CstNode,
  at: Pick<PredicateNode, 'span'>,
) => PredicateNode;

function buildIs(...[reader, left, test, { span }]: Parameters<Build>): PredicateNode {
  const negated = has(test, 'not');
  if (has(test, 'present') || has(test, 'absent')) {
    return { kind: 'present', left, negated: has(test, 'absent'), span };
  }
  if (has(test, 'subscribed')) return { kind: 'subscribed', left, negated, span };
  const right = buildValue(reader, childOf(test, 'Value'));
  return { kind: 'compare', operator: negated ? 'is-not' : 'is', left, right, span };
}

const ORDERS = { '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' } as const;

function buildOrder(...[reader, left, test, { span }]: Parameters<Build>): PredicateNode {
  const sign = Object.keys(ORDERS).find((name) => has(test, name)) as keyof typeof ORDERS;
  return {
    kind: 'compare',
    operator: ORDERS[sign],
    left,
    right: buildValue(reader, childOf(test, 'Value')),
    span,
  };
}

function buildIn(...[reader, left, test, { span }]: Parameters<Build>): PredicateNode {
  return { kind: 'in', left, right: buildInRight(reader, test), negated: has(test, 'not'), span };
}

function buildInRight(reader: Reader, test: CstNode): ListNode | OperandNode | RouteSetNode | ModelSetNode {
  const list = childOrNull(test, 'List');
  if (list !== null) return buildList(reader, list);
  const models = childOrNull(test, 'ModelSet');
  if (models !== null)
    return {
      kind: 'model-set',
      tag: buildText(reader, tokenOf(models, 'Text')),
      span: nodeSpan(reader, models),
    };
  const set = childOrNull(test, 'RouteSet');
  return set === null ? buildOperand(reader, childOf(test, 'Operand')) : buildRouteSet(reader, set);
}

const TEXT_TESTS = { contains: 'contains', starts: 'starts-with', ends: 'ends-with', like: 'like' } as const;

function buildTextTest(...[reader, left, test, { span }]: Parameters<Build>): PredicateNode {
  const word = Object.keys(TEXT_TESTS).find((name) => has(test, name)) as keyof typeof TEXT_TESTS;
  return {
    kind: 'text-test',
    test: TEXT_TESTS[word],
    left,
    right: buildValue(reader, childOf(test, 'Value')),
    span,
  };
}

function buildRegexTest(...[reader, left, test, { span }]: Parameters<Build>): PredicateNode {
  const token = tokenOf(test, 'Regex');
  const regex = { value: token.image.slice(1, -1), span: spanOf(reader, token) };
  return { kind: 'regex-test', left, regex, span };
}

function buildRole(...[reader, left, test, { span }]: Parameters<Build>): PredicateNode {
  const role = buildText(reader, tokenOf(test, 'Text'));
  return { kind: 'has-role', left, role, negated: has(test, 'not'), span };
}

function buildExhausted(...[reader, left, test, { span }]: Parameters<Build>): PredicateNode {
  return { kind: 'exhausted', left, within: buildDuration(reader, childOf(test, 'Length')), span };
}

function buildSum(reader: Reader, node: CstNode): SubjectNode {
  const first = buildOperand(reader, childOf(node, 'Operand'));
  // what begins with an operand is an operand, or calculated from it
  return calculated(reader, first, childrenOf(node, 'Step')) as SubjectNode;
}

function buildValue(reader: Reader, node: CstNode): ValueNode {
  return calculated(reader, buildFactor(reader, childOf(node, 'Factor')), childrenOf(node, 'Step'));
}

function buildFactor(reader: Reader, node: CstNode): ValueNode {
  const literal = childOrNull(node, 'Literal');
  if (literal !== null) return buildLiteral(reader, literal);
  const operand = childOrNull(node, 'Operand');
  return operand === null ? buildValue(reader, childOf(node, 'Value')) : buildOperand(reader, operand);
}

/** Left to right, `*` and `/` before `+` and `-`. */
function calculated(reader: Reader, first: ValueNode, steps: readonly CstNode[]): ValueNode {
  const operators = ['+', '-', '*', '/'] as const;
  let sum: { readonly left: ValueNode; readonly operator: '+' | '-' } | null = null;
  let value = first;
  for (const step of steps) {
    const operator = operators.find((sign) => has(step, sign))!;
    const right = buildFactor(reader, childOf(step, 'Factor'));
    if (operator === '*' || operator === '/') value = joinedBy(operator, value, right);
    else {
      sum = { left: sum === null ? value : joinedBy(sum.operator, sum.left, value), operator };
      value = right;
    }
  }
  return sum === null ? value : joinedBy(sum.operator, sum.left, value);
}

function joinedBy(operator: ArithmeticNode['operator'], left: ValueNode, right: ValueNode): ArithmeticNode {
  const span = { source: left.span.source, start: left.span.start, end: right.span.end };
  return { kind: 'arithmetic', operator, left, right, span };
}

function buildOperand(reader: Reader, node: CstNode): OperandNode {
  const fallback = childOrNull(node, 'Literal');
  const unit = tokenOrNull(node, 'CurrencyCode') ?? tokenOrNull(node, 'Unit');
  return {
    kind: 'operand',
    path: buildPath(reader, childOf(node, 'Path')),
    otherwise: fallback === null ? null : buildLiteral(reader, fallback),
    unit: unit === null ? null : { value: unit.image, span: spanOf(reader, unit) },
    span: nodeSpan(reader, node),
  };
}

/** `a and b or c` as `(a and b) or c` and `a and (b or c)`. */
function bothReadings(reader: Reader, node: CstNode): readonly [string, string] {
  const terms = childrenOf(node, 'Term').map((term) => spanText(nodeSpan(reader, term)));
  const links = [...(node.children.and ?? []), ...(node.children.or ?? [])]
    .flatMap((token) => ('image' in token ? [token] : []))
    .sort((a, b) => a.startOffset - b.startOffset)
    .map(({ image }) => image);
  return [grouped(terms, links, 'and'), grouped(terms, links, 'or')];
}

function grouped(terms: readonly string[], links: readonly string[], inner: string): string {
  const groups: string[][] = [[terms[0]!]];
  links.forEach((link, index) => {
    if (link === inner) groups.at(-1)!.push(terms[index + 1]!);
    else groups.push([terms[index + 1]!]);
  });
  const texts = groups.map((group) => (group.length > 1 ? `(${group.join(` ${inner} `)})` : group[0]!));
  return texts.join(inner === 'and' ? ' or ' : ' and ');
}
