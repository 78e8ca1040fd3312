import type { CstNode } from 'chevrotain';
import { assert } from '../../base/assert.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { ListNode, LiteralNode, TextNode } from '../ast.ts';
import { saidTwice } from '../problems/reading.ts';
import { testOrder } from '../problems/tests.ts';
import type {
  AttributeNode,
  ExpectNode,
  ExpectPartNode,
  GivenNode,
  OutcomeNode,
  ReplyTextNode,
  RequestPartNode,
  RuleNameNode,
  StepNode,
  TestNode,
  TextMatchNode,
  UsedTokensNode,
  WatchedNode,
  WhichNode,
} from '../test-ast.ts';
import {
  buildDate,
  buildDuration,
  buildList,
  buildLiteral,
  buildMoney,
  buildNumber,
  buildPercent,
  buildSize,
  buildTime,
  numberToken,
} from './literals.ts';
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

/** A `test` block: CST to AST. Null when it could not be read as a whole, or its statements make no test. */
export function buildTest(
  reader: Reader,
  node: CstNode,
  isWhole: (node: CstNode) => boolean,
): TestNode | null {
  if (!isWhole(node)) return null;
  let problems = 0;
  const counting: Reader = {
    ...reader,
    report: (problem: Diagnostic) => {
      problems++;
      reader.report(problem);
    },
  };
  const name = tokenOf(childOf(node, 'TestName'), 'Text');
  const { given, steps } = buildStatements(counting, node, spanOf(reader, name));
  if (problems > 0) return null;
  return { name: buildText(reader, name), given, steps, span: nodeSpan(reader, node) };
}

type Statements = Pick<TestNode, 'given' | 'steps'>;

/** given, then when and its expects, and again. */
function buildStatements(reader: Reader, node: CstNode, at: StepNode['span']): Statements {
  const given: GivenNode[] = [];
  const steps: (Omit<StepNode, 'expects'> & { readonly expects: ExpectNode[] })[] = [];
  for (const statement of childrenOf(node, 'TestStatement')) {
    const span = nodeSpan(reader, statement);
    const [form] = Object.keys(statement.children);
    const child = childOf(statement, form!);
    const last = steps.at(-1);
    if (form === 'Given') {
      if (last !== undefined) reader.report(testOrder(span, 'given-late'));
      given.push(...childrenOf(child, 'GivenItem').map((item) => buildGiven(reader, item)));
    } else if (form === 'Sending') {
      if (last?.expects.length === 0) reader.report(testOrder(last.span, 'nothing-expected'));
      steps.push({ ...buildSending(reader, child), expects: [] });
    } else if (last === undefined) reader.report(testOrder(span, 'expect-early'));
    else last.expects.push(buildExpect(reader, child));
  }
  const last = steps.at(-1);
  const early = childrenOf(node, 'TestStatement').some((statement) => has(statement, 'Expect'));
  if (last === undefined && !early) reader.report(testOrder(at, 'nothing-sent'));
  else if (last?.expects.length === 0) reader.report(testOrder(last.span, 'nothing-expected'));
  return { given, steps };
}

function buildGiven(reader: Reader, node: CstNode): GivenNode {
  const span = nodeSpan(reader, node);
  const caller = childOrNull(node, 'GivenCaller');
  if (caller !== null) return buildCaller(reader, caller);
  const roles = childOrNull(node, 'GivenRoles');
  if (roles !== null) return { kind: 'roles', names: textsOf(reader, roles), span };
  const time = childOrNull(node, 'GivenTime');
  if (time !== null) return buildMoment(reader, time);
  const rule = childOrNull(node, 'GivenRule');
  if (rule !== null) return buildGivenRule(reader, rule);
  const model = childOrNull(node, 'GivenModel');
  if (model !== null) return buildReply(reader, model);
  if (has(node, 'down')) return { kind: 'down', target: buildText(reader, tokenOf(node, 'Text')), span };
  if (has(node, 'identity')) return { kind: 'no-identity', span };
  return { kind: 'request', parts: buildRequestParts(reader, childOf(node, 'RequestParts')), span };
}

function buildReply(reader: Reader, node: CstNode): GivenNode {
  const chunks = childOrNull(node, 'Chunks');
  const [model, whole] = textsOf(reader, node);
  assert(model !== undefined, 'the grammar demands a name');
  const text: ReplyTextNode | null =
    chunks !== null
      ? { kind: 'chunks', pieces: textsOf(reader, chunks) }
      : whole !== undefined
        ? { kind: 'whole', pieces: [whole] }
        : null;
  const used = childrenOf(node, 'UsedTokens').map((one) => buildUsedTokens(reader, one));
  return { kind: 'reply', model, text, used, span: nodeSpan(reader, node) };
}

function buildUsedTokens(reader: Reader, node: CstNode): UsedTokensNode {
  const kinds = ['input', 'output', 'cached', 'reasoning'] as const;
  const which = kinds.find((kind) => has(node, kind));
  assert(which !== undefined, 'the grammar demands a kind');
  return { which, count: buildNumber(reader, numberToken(node)), span: nodeSpan(reader, node) };
}

function buildCaller(reader: Reader, node: CstNode): GivenNode {
  const span = nodeSpan(reader, node);
  const token = tokenOrNull(node, 'Text');
  const name = token === null ? null : buildText(reader, token);
  if (has(node, 'credential')) {
    const age = childOrNull(node, 'Length');
    return { kind: 'credential', name, age: age === null ? null : buildDuration(reader, age), span };
  }
  const kind = has(node, 'tenant') ? 'tenant' : has(node, 'team') ? 'team' : 'consumer';
  assert(name !== null, 'the grammar demands a name');
  return {
    kind,
    name,
    attributes: childrenOf(node, 'Attribute').map((one) => buildAttribute(reader, one)),
    span,
  };
}

function buildAttribute(reader: Reader, node: CstNode): AttributeNode {
  const word = tokenOf(node, 'AnyWord');
  return { name: { value: word.image, span: spanOf(reader, word) }, value: buildValue(reader, node) };
}

function buildValue(reader: Reader, node: CstNode): LiteralNode | ListNode {
  const list = childOrNull(node, 'List');
  return list === null ? buildLiteral(reader, childOf(node, 'Literal')) : buildList(reader, list);
}

function buildMoment(reader: Reader, node: CstNode): GivenNode {
  const minute = tokenOrNull(node, 'TimeLiteral');
  const zone = tokenOrNull(node, 'ZoneName');
  return {
    kind: 'time',
    day: buildDate(reader, tokenOf(node, 'DateLiteral')),
    minute: minute === null ? null : buildTime(reader, minute),
    zone: zone === null ? null : { value: zone.image, span: spanOf(reader, zone) },
    span: nodeSpan(reader, node),
  };
}

function buildGivenRule(reader: Reader, node: CstNode): GivenNode {
  const span = nodeSpan(reader, node);
  const [first, second] = textsOf(reader, node);
  assert(first !== undefined, 'the grammar demands a name');
  if (second === undefined) {
    const mode = has(node, 'enforced') ? 'enforce' : has(node, 'shadow') ? 'shadow' : 'warn';
    return { kind: 'mode', policy: first, mode, span };
  }
  const percent = tokenOrNull(node, 'PercentLiteral');
  if (percent !== null)
    return { kind: 'share', rule: first, policy: second, percent: buildPercent(reader, percent), span };
  const used = childOf(node, 'Used');
  const money = childOrNull(used, 'Money');
  if (money === null)
    return {
      kind: 'used',
      rule: first,
      policy: second,
      amount: buildNumber(reader, numberToken(used)),
      currency: null,
      span,
    };
  const { value, currency, span: written } = buildMoney(reader, money);
  const amount = { value: Number(value), span: written };
  return { kind: 'used', rule: first, policy: second, amount, currency, span };
}

function buildRequestParts(reader: Reader, node: CstNode): readonly RequestPartNode[] {
  return childrenOf(node, 'RequestPart').map((part) => buildRequestPart(reader, part));
}

function buildRequestPart(reader: Reader, node: CstNode): RequestPartNode {
  const span = nodeSpan(reader, node);
  const [first, second] = textsOf(reader, node);
  const body = childOrNull(node, 'BodyPath');
  if (body !== null) {
    return {
      kind: 'body',
      path: buildBodyPath(reader, body),
      value: buildValue(reader, node),
      span,
    };
  }
  if (has(node, 'size'))
    return { kind: 'size', bytes: buildSize(reader, tokenOf(node, 'SizeLiteral')), span };
  if (has(node, 'status')) return { kind: 'status', status: buildNumber(reader, numberToken(node)), span };
  if (has(node, 'cost')) {
    const { value, currency, span: written } = buildMoney(reader, childOf(node, 'Money'));
    return { kind: 'cost', amount: { value: Number(value), span: written }, currency, span };
  }
  assert(first !== undefined, 'the grammar demands a text');
  if (has(node, 'model')) return { kind: 'model', name: first, span };
  if (second === undefined) return { kind: has(node, 'ip') ? 'ip' : 'host', value: first, span };
  return { kind: 'header', name: first, value: second, span };
}

/** `body.items[2].price` is `items`, 2, `price`. */
function buildBodyPath(reader: Reader, node: CstNode): (string | number)[] {
  const numbers = tokensOf(node, 'NumberLiteral').map((token) => ({
    at: token.startOffset,
    step: Number(token.image.replaceAll('_', '')),
  }));
  const names = childrenOf(node, 'MemberName').map((name) => ({
    at: name.location!.startOffset,
    step: buildMemberName(reader, name),
  }));
  return [...numbers, ...names].sort((a, b) => a.at - b.at).map(({ step }) => step);
}

function buildMemberName(reader: Reader, node: CstNode): string {
  const member = tokenOrNull(node, 'Member');
  return member === null ? buildText(reader, tokenOf(node, 'Text')).value : member.image.slice(1);
}

function buildSending(reader: Reader, node: CstNode): Omit<StepNode, 'expects'> {
  const count = tokenOrNull(node, 'NumberLiteral');
  const clauses = childrenOf(node, 'SendingClause');
  const method = tokenOf(node, 'Method');
  const target = tokenOf(node, 'UrlPath');
  const single = (name: string) =>
    onlyOne(
      reader,
      clauses.filter((clause) => has(clause, name)),
      name,
    );
  const within = single('within');
  const after = single('after');
  const consumer = single('consumer');
  return {
    count: count === null ? null : buildNumber(reader, count),
    method: { value: method.image, span: spanOf(reader, method) },
    target: { value: target.image, span: spanOf(reader, target) },
    withinMs: within === null ? null : buildDuration(reader, childOf(within, 'Length')),
    afterMs: after === null ? null : buildDuration(reader, childOf(after, 'Length')),
    pace: single('once') === null ? 'spread' : 'at-once',
    consumer: consumer === null ? null : buildText(reader, tokenOf(consumer, 'Text')),
    parts: clauses.flatMap((clause) =>
      has(clause, 'RequestParts') ? buildRequestParts(reader, childOf(clause, 'RequestParts')) : [],
    ),
    span: nodeSpan(reader, node),
  };
}

function buildExpect(reader: Reader, node: CstNode): ExpectNode {
  const clauses = childrenOf(node, 'ExpectClause');
  const single = (name: string) =>
    onlyOne(
      reader,
      clauses.filter((clause) => has(clause, name)),
      name,
    );
  const code = single('code');
  const because = single('because');
  const replies = [...childrenOf(node, 'Reply'), ...clauses.flatMap((one) => childrenOf(one, 'Reply'))];
  const reply = onlyOne(reader, replies, 'reply');
  const noCall = clauses.filter((clause) => has(clause, 'upstream'));
  const watched = [...childrenOf(node, 'Watched'), ...clauses.flatMap((one) => childrenOf(one, 'Watched'))];
  return {
    which: buildWhich(reader, childOrNull(node, 'Which')),
    outcome: buildOutcome(reader, node),
    watched: watched.map((one) => buildWatched(reader, one)),
    reply: reply === null ? null : buildMatch(reader, reply),
    code: code === null ? null : buildText(reader, tokenOf(code, 'Text')),
    because: because === null ? null : buildMatch(reader, because),
    parts: [
      ...clauses.flatMap((one) => childrenOf(one, 'ExpectPart')).map((one) => buildExpectPart(reader, one)),
      ...noCall.map((one): ExpectPartNode => ({ kind: 'no-call', span: nodeSpan(reader, one) })),
    ],
    span: nodeSpan(reader, node),
  };
}

function buildMatch(reader: Reader, node: CstNode): TextMatchNode {
  return {
    match: has(node, 'contains') ? 'contains' : 'is',
    text: buildText(reader, tokenOf(node, 'Text')),
  };
}

function buildWhich(reader: Reader, node: CstNode | null): WhichNode {
  if (node === null || has(node, 'all')) return { kind: 'all' };
  const count = tokenOrNull(node, 'NumberLiteral');
  if (!has(node, 'first') && !has(node, 'last')) {
    const most = tokenOrNull(node, 'NumberLiteral', 1) ?? tokenOf(node, 'NumberLiteral');
    return {
      kind: 'some',
      least: buildNumber(reader, tokenOf(node, 'NumberLiteral')),
      most: buildNumber(reader, most),
    };
  }
  return {
    kind: has(node, 'first') ? 'first' : 'last',
    count: count === null ? null : buildNumber(reader, count),
  };
}

function buildOutcome(reader: Reader, node: CstNode): OutcomeNode {
  if (has(node, 'permitted')) return { kind: 'permitted' };
  const refused = childOrNull(node, 'Refused');
  if (refused === null) return { kind: 'any' };
  const status = tokenOrNull(refused, 'NumberLiteral');
  const by = childOrNull(refused, 'RuleName');
  return {
    kind: 'refused',
    status: status === null ? null : buildNumber(reader, status),
    by: by === null ? null : buildRuleName(reader, by),
  };
}

function buildRuleName(reader: Reader, node: CstNode): RuleNameNode {
  const [policy, rule] = textsOf(reader, node);
  assert(policy !== undefined, 'the grammar demands a policy');
  return { policy, rule: rule ?? null };
}

function buildWatched(reader: Reader, node: CstNode): WatchedNode {
  return {
    mode: has(node, 'warned') ? 'warn' : has(node, 'alerted') ? 'alert' : 'shadow',
    by: buildRuleName(reader, childOf(node, 'RuleName')),
    span: nodeSpan(reader, node),
  };
}

function buildExpectPart(reader: Reader, node: CstNode): ExpectPartNode {
  const span = nodeSpan(reader, node);
  const length = childOrNull(node, 'Length');
  if (length !== null) {
    const ms = buildDuration(reader, length);
    if (has(node, 'timeout')) return { kind: 'timeout', ms, span };
    return {
      kind: 'retry-after',
      operator: has(node, '<=') ? 'le' : has(node, '>=') ? 'ge' : 'is',
      ms,
      span,
    };
  }
  if (has(node, 'upstream')) return { kind: 'no-call', span };
  const body = childOrNull(node, 'BodyPath');
  if (body !== null) {
    const path = buildBodyPath(reader, body);
    return { kind: 'body', path, value: buildLiteral(reader, childOf(node, 'Literal')), span };
  }
  const [name, value] = textsOf(reader, node);
  assert(name !== undefined, 'the grammar demands a name');
  if (has(node, 'model')) return { kind: 'model', name, span };
  if (has(node, 'pool')) return { kind: 'pool', name, span };
  const side = has(childOf(node, 'Side'), 'request') ? 'request' : 'response';
  return { kind: 'header', name, value: value ?? null, side, span };
}

function textsOf(reader: Reader, node: CstNode): TextNode[] {
  return tokensOf(node, 'Text').map((token) => buildText(reader, token));
}

function onlyOne(reader: Reader, nodes: readonly CstNode[], what: string): CstNode | null {
  const [first, ...others] = nodes;
  if (first === undefined) return null;
  for (const other of others)
    reader.report(saidTwice(nodeSpan(reader, other), what, nodeSpan(reader, first)));
  return first;
}
