import { unreachable } from '../base/assert.ts';
import { writtenPath } from '../model/facts.ts';
import { dateText } from '../model/local-time.ts';
import { TOKEN_MEASURES } from '../model/model-call.ts';
import { moneyText } from '../model/money.ts';
import type { ValueType } from '../model/types.ts';
import type {
  AlertRule,
  ArithmeticExpression,
  CheckedRule,
  CounterKey,
  FactExpression,
  Fallback,
  LimitRule,
  LimitWindow,
  LiteralExpression,
  Operand,
  PoolRule,
  Reply,
  TemplateHole,
  TextTemplate,
  TypedExpression,
} from './typed.ts';

/**
 * The canonical text of a rule without name: the same for every spelling of the same meaning (blanks, comments,
 * selectors, defined names), so that it tells rules apart and orders them. It reads as a rule of the language.
 */
export function canonicalRule(rule: DistributiveOmit<CheckedRule, 'key' | 'span'>): string {
  const when = whenText(rule.when);
  switch (rule.kind) {
    case 'permit':
      return `permit${when}`;
    case 'forbid':
      return `forbid${when}${replyText(rule.reply)}`;
    case 'require':
      return `require ${canonicalCondition(rule.condition)}${when}${replyText(rule.reply)}`;
    case 'warn':
      return `warn${when}${replyText({ status: null, ...rule.reply })}`;
    case 'limit':
    case 'quota':
    case 'budget':
      return `${rule.kind} ${windowText(rule)}${keyText(rule.per)}${when}${limitTail(rule)}`;
    case 'set-header':
      return `set header ${quoted(rule.header)} to ${templateText(rule.value)} in ${rule.side}${when}`;
    case 'remove-header':
      return `remove header ${quoted(rule.header)} in ${rule.side}${when}`;
    case 'cap':
      return `cap ${factText(rule.member)} at ${literalText(rule.value)}${when}`;
    case 'default':
      return `default ${factText(rule.member)} to ${literalText(rule.value)}${when}`;
    case 'timeout':
      return `timeout ${rule.totalMs}ms${when}`;
    case 'cache':
      return `cache ${rule.forMs}ms${when}`;
    case 'filter': {
      const { as, when, condition } = rule.written;
      const what = condition === null ? '' : ` ${canonicalCondition(condition)}`;
      return `${as}${what}${whenText(when)}${replyText(rule.reply)}`;
    }
    case 'route-to':
      return `route to pool ${rule.pools.map(quoted).join(' then ')}${when}`;
    case 'mask': {
      const asked = [...rule.kinds, ...rule.patterns.map((pattern) => `pattern /${pattern}/`)];
      return `mask ${asked.join(', ')} in ${rule.sides.join(' and ')} with ${quoted(rule.text)}${when}`;
    }
    case 'deprecate': {
      const successor = rule.successor === null ? '' : ` successor route ${quoted(rule.successor.route)}`;
      return `deprecate from ${dateText(rule.fromDay)} sunset ${dateText(rule.sunsetDay)}${successor}${when}`;
    }
    case 'alert':
      return `alert${alertText(rule)}`;
    default:
      return unreachable(rule);
  }
}

/** The same of a rule about pools. */
export function canonicalPoolRule(rule: DistributiveOmit<PoolRule, 'key' | 'span'>): string {
  const notify = rule.notify === null ? '' : `  notify ${quoted(rule.notify)}`;
  if (rule.kind === 'rotation') {
    const overlap = rule.overlapMs === null ? '' : `  overlap ${rule.overlapMs}ms`;
    const every = `rotate keys of pool ${quoted(rule.pool)} every ${rule.everyMs}ms`;
    return `${every}${overlap}${whenText(rule.when)}${notify}`;
  }
  const because = rule.because === null ? '' : `  because ${templateText(rule.because)}`;
  return `alert${whenText(rule.when).slice(1)}${because}${notify}`;
}

type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never;

function alertText({
  when,
  atLeast,
  per,
  because,
  maxKeys,
  notify,
}: Omit<AlertRule, 'key' | 'span'>): string {
  return [
    whenText(when).slice(1),
    atLeast === null ? '' : `  for at least ${atLeast.requests} requests in any ${atLeast.windowMs}ms`,
    per.kind === 'total' ? '' : keyText(per),
    because === null ? '' : `  because ${templateText(because)}`,
    maxKeys === null ? '' : `  max keys ${maxKeys}`,
    notify === null ? '' : `  notify ${quoted(notify)}`,
  ].join('');
}

/** A share is a clause of its own, behind all other conditions. */
function whenText(when: TypedExpression | null): string {
  if (when === null) return '';
  const operands = when.kind === 'and' ? when.operands : [when];
  const share = operands.at(-1);
  if (share?.kind !== 'share') return `  when ${canonicalCondition(when)}`;
  const others = operands.slice(0, -1);
  const [only] = others;
  if (only === undefined) return `  ${canonicalCondition(share)}`;
  const rest = others.length === 1 ? only : ({ kind: 'and', operands: others, span: when.span } as const);
  return `  ${canonicalCondition(share)}  when ${canonicalCondition(rest)}`;
}

/** A condition as text, fully parenthesised where `and` and `or` meet. */
export function canonicalCondition(node: TypedExpression): string {
  switch (node.kind) {
    case 'constant':
      return String(node.value);
    case 'not':
      return `not (${canonicalCondition(node.operand)})`;
    case 'and':
    case 'or':
      return node.operands.map((operand) => nested(operand)).join(` ${node.kind} `);
    case 'compare':
      return `${operandText(node.left)} ${COMPARISONS[node.operator]} ${operandText(node.right)}`;
    case 'in':
      return `${operandText(node.element)} ${node.negated ? 'not in' : 'in'} ${operandText(node.list)}`;
    case 'in-networks':
      return `${operandText(node.address)} ${NETWORK_TESTS[node.networks.type.kind === 'ip' ? 'is' : 'in'][Number(node.negated)]} ${operandText(node.networks)}`;
    case 'text-test':
      return node.test === 'matches'
        ? `${operandText(node.text)} matches /${node.pattern}/`
        : `${operandText(node.text)} ${node.test.replace('-', ' ')} ${quoted(node.pattern)}`;
    case 'present':
      return `${factText(node.fact)} is ${node.negated ? 'absent' : 'present'}`;
    case 'in-calendar':
      return `${node.negated ? 'outside' : 'during'} ${quoted(node.calendar.name)}`;
    case 'quantified':
      return `${QUANTIFIERS[node.quantifier]} of ${factText(node.list)} has (${canonicalCondition(node.condition)})`;
    case 'share':
      return `${node.percent}% of ${node.of}`;
    case 'has-role':
      return `consumer ${node.negated ? 'does not have' : 'has'} role ${quoted(node.role)}`;
    case 'subscribed':
      return `consumer is ${node.negated ? 'not ' : ''}subscribed to route`;
  }
}

/**
 * Identity of a limit's counter (language-rules #27): policy, rule name, measure, kind and length of the window, and
 * key. Amount, burst, condition and reply are not part of it, so editing them keeps what was counted.
 */
export function counterIdentity(
  policy: string,
  rule: Pick<LimitRule, 'name' | 'measure' | 'window' | 'per'>,
): string {
  return JSON.stringify([
    policy,
    rule.name,
    rule.measure.kind,
    ...windowIdentity(rule.window),
    rule.per.kind === 'total' ? [] : rule.per.keys.map(factText),
    rule.per.kind === 'total' || rule.per.otherwise === null ? null : factText(rule.per.otherwise),
  ]);
}

/** Of the counter of what a limit allows more to calls that fall back, beside that of the limit itself. */
export function allowanceIdentity(identity: string): string {
  const parts = JSON.parse(identity) as readonly unknown[];
  return JSON.stringify([...parts.slice(0, WINDOW_PLACE), FALLBACK, ...parts.slice(WINDOW_PLACE)]);
}

export function isAllowance(identity: string): boolean {
  return (JSON.parse(identity) as readonly unknown[])[WINDOW_PLACE] === FALLBACK;
}

/** Where an identity says what kind of window it is of. */
const WINDOW_PLACE = 3;
/** No kind of window. */
const FALLBACK = 'fallback';

/** A counter's identity in words: `plans/trial-pace for each consumer`. */
export function counterLabel(identity: string): string {
  const parts = JSON.parse(identity) as readonly unknown[];
  const [policy, rule, measure] = parts as readonly [string, string | null, string];
  const keys = counterKeys(identity);
  const otherwise = parts.at(-1) as string | null;
  const per = keys.length === 0 ? 'in total' : `for each ${keys.join(' and ')}`;
  const name = `${policy}/${rule ?? measure}${isAllowance(identity) ? ' (fallback)' : ''}`;
  return `${name} ${per}${otherwise === null ? '' : ` otherwise ${otherwise}`}`;
}

/** The facts that tell its keys apart; none for one counter of all. */
export function counterKeys(identity: string): readonly string[] {
  return (JSON.parse(identity) as readonly unknown[]).at(-2) as readonly string[];
}

/** The fact that stands for a key that is missing, or null. */
export function counterOtherwise(identity: string): string | null {
  return (JSON.parse(identity) as readonly unknown[]).at(-1) as string | null;
}

/** What the counter of an identity counts. */
export function counterMeasure(identity: string): LimitRule['measure']['kind'] {
  const [, , measure] = JSON.parse(identity) as readonly unknown[];
  return MEASURES.has(measure) ? (measure as LimitRule['measure']['kind']) : 'requests';
}

const MEASURES: ReadonlySet<unknown> = new Set(['money', ...TOKEN_MEASURES]);

/** What an amount is of, as limits write it: `requests`, `input tokens`. */
export function unitsOf(measure: Exclude<LimitRule['measure']['kind'], 'money'>): string {
  return measure.replace('-', ' ');
}

const QUANTIFIERS = { any: 'any', every: 'every', none: 'no one' } as const;
const NETWORK_TESTS = { is: ['is', 'is not'], in: ['in', 'not in'] } as const;
const COMPARISONS = { is: 'is', 'is-not': 'is not', lt: '<', le: '<=', gt: '>', ge: '>=' } as const;

/** What would take an `and` or `or` behind it for its own. */
const TAKES_MORE: ReadonlySet<string> = new Set(['and', 'or', 'quantified']);

function nested(node: TypedExpression): string {
  const text = canonicalCondition(node);
  return TAKES_MORE.has(node.kind) ? `(${text})` : text;
}

function operandText(operand: Operand): string {
  switch (operand.kind) {
    case 'fact':
      return factText(operand);
    case 'literal':
      return literalText(operand);
    case 'list':
      return `[${operand.items.map(literalText).join(', ')}]`;
    case 'otherwise':
      return `${factText(operand.fact)} otherwise ${literalText(operand.fallback)}`;
    case 'converted':
      return `${operandText(operand.number)} as ${operand.unit}`;
    case 'arithmetic':
      return arithmeticText(operand);
  }
}

/** With the parentheses that the grammar needs to read it again. */
function arithmeticText({ operator, left, right }: ArithmeticExpression): string {
  const binds = (one: string): boolean => one === '*' || one === '/';
  const leftText = operandText(left);
  const isLooser = left.kind === 'arithmetic' && binds(operator) && !binds(left.operator);
  const rightText = operandText(right);
  return [
    isLooser ? `(${leftText})` : leftText,
    operator,
    right.kind === 'arithmetic' ? `(${rightText})` : rightText,
  ].join(' ');
}

function factText({ definition, parameter }: FactExpression): string {
  const path = writtenPath(definition.path);
  return parameter === null ? path : `${path}[${quoted(parameter)}]`;
}

function literalText({ value, type }: LiteralExpression): string {
  if (typeof value === 'string') return quoted(value);
  return type.kind === 'money'
    ? `${Number(value) / NANO} of money`
    : `${value}${UNIT_SUFFIXES[type.kind] ?? ''}`;
}

const NANO = 1_000_000_000;

const UNIT_SUFFIXES: Partial<Record<ValueType['kind'], string>> = {
  duration: 'ms',
  size: 'B',
  percent: '%',
  date: ' days',
  time: ' min',
};

function windowIdentity(window: LimitWindow): readonly (string | number)[] {
  switch (window.kind) {
    case 'window':
      return ['window', window.windowMs];
    case 'pace':
      return ['pace', window.periodMs];
    case 'concurrency':
      return ['concurrency'];
    case 'calendar':
      return ['calendar', window.period, window.zone];
  }
}

/** How a window is written in policies, in milliseconds throughout. */
export function windowText({ window, measure }: Pick<LimitRule, 'window' | 'measure'>): string {
  const amount =
    measure.kind === 'money'
      ? `${moneyText(window.amount, undefined)} ${measure.currency}`
      : `${window.amount} ${unitsOf(measure.kind)}`;
  switch (window.kind) {
    case 'window':
      return `at most ${amount} in any ${window.windowMs}ms`;
    case 'pace':
      return `${amount} per ${window.periodMs}ms, burst ${window.burst}`;
    case 'concurrency':
      return `at most ${amount} at once`;
    case 'calendar':
      return `${amount} per ${window.period} in ${window.zone}`;
  }
}

function keyText(key: CounterKey): string {
  if (key.kind === 'total') return '  in total';
  const otherwise = key.otherwise === null ? '' : ` otherwise ${factText(key.otherwise)}`;
  return `  for each ${key.keys.map(factText).join(' and ')}${otherwise}`;
}

function limitTail({
  kind,
  measure,
  queueMs,
  fallback,
  reply,
  maxKeys,
  onFailure,
  alertAt,
  notify,
  formerIdentity,
}: Omit<LimitRule, 'key' | 'span'>): string {
  const instead = fallback === null ? '' : ` ${fallbackText(fallback, measure)}`;
  const text = `${instead}${queueMs === null ? '' : ` queue up to ${queueMs}ms`}${replyText(reply)}`;
  const exceeded = text === '' ? '' : `  when ${kind === 'budget' ? 'exhausted' : 'exceeded'}${text}`;
  const keys = maxKeys === null ? '' : `  max keys ${maxKeys}`;
  const was = formerIdentity === null ? '' : `  was ${quoted(formerName(formerIdentity))}`;
  const alerts =
    alertAt.length === 0
      ? ''
      : `  alert at ${alertAt.map((share) => `${share}%`).join(', ')}${notify === null ? '' : ` notify ${quoted(notify)}`}`;
  return `${exceeded}${alerts}${keys}${onFailure === 'allow' ? '  on failure allow' : ''}${was}`;
}

/** `fall back to model "a", "b" for at most 5 USD more`. */
function fallbackText({ models, counted }: Fallback, measure: LimitRule['measure']): string {
  const to = `fall back to model ${models.map(quoted).join(', ')}`;
  if (counted.kind === 'nowhere') return `${to} for any amount`;
  if (counted.kind === 'again' || measure.kind !== 'money') return to;
  return `${to} for at most ${moneyText(counted.amount, undefined)} ${measure.currency} more`;
}

function formerName(identity: string): string {
  return String((JSON.parse(identity) as readonly unknown[])[1]);
}

function replyText({ status, code, because }: Reply): string {
  return [
    status === null ? '' : `  status ${status}`,
    code === null ? '' : `  code ${quoted(code)}`,
    because === null ? '' : `  because ${templateText(because)}`,
  ].join('');
}

function templateText({ parts }: TextTemplate): string {
  const inner = parts.map((part) =>
    typeof part === 'string' ? quoted(part).slice(1, -1).replaceAll('{', '\\{') : `{${holeText(part)}}`,
  );
  return `"${inner.join('')}"`;
}

function holeText(hole: TemplateHole): string {
  if (hole.kind === 'limit-fact') return `limit.${hole.fact}`;
  if (hole.kind === 'calendar-fact') return `calendar.${hole.fact}`;
  return factText(hole.kind === 'fact' ? hole : hole.fact)
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"');
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
