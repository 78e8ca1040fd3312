/** Random typed policies as an author would write them, so that parser, checker and formatter are met by them too. */
import { windowText } from '../../src/language/canonical.ts';
import { formOf } from '../../src/language/check/impossible-texts.ts';
import type {
  CheckedCalendar,
  CheckedPolicies,
  CheckedPolicy,
  CheckedRule,
  CounterKey,
  FactExpression,
  LimitRule,
  LiteralExpression,
  Notice,
  Operand,
  Reply,
  TemplateHole,
  TextTemplate,
  TypedExpression,
} from '../../src/language/typed.ts';
import { writtenPath } from '../../src/model/facts.ts';
import { dateText, WEEKDAYS } from '../../src/model/local-time.ts';
import { moneyText } from '../../src/model/money.ts';
import { regexFits } from '../../src/model/regex.ts';
import { canBe } from '../../src/model/text-forms.ts';
import type { ValueType } from '../../src/model/types.ts';

/** What the language has no words for: the generator draws trees that no text makes, such as numbers below zero. */
class Unwritable extends Error {}

export interface PolicyTexts {
  /** Calendars and holidays, which all files know. */
  readonly declarations: string;
  /** By policy: head and rules. */
  readonly policies: readonly { readonly head: string; readonly rules: readonly string[] }[];
}

/** Without the policies and rules for which there is no text, and without second copies: equal rules are one. */
export function writable({ policies }: CheckedPolicies): CheckedPolicies {
  const kept = policies
    .filter(({ scope }) => scope === null || isWritable(() => conditionText(scope)))
    .map((policy) => ({
      ...policy,
      rules: once(policy.rules.filter((rule) => isWritable(() => ruleText(rule)))),
    }));
  return { policies: kept };
}

function once(rules: readonly CheckedRule[]): readonly CheckedRule[] {
  return [...new Map(rules.map((rule) => [ruleText(rule), rule])).values()];
}

function isWritable(write: () => string): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (error instanceof Unwritable) return false;
    throw error;
  }
}

/** Of policies that are {@link writable}. */
export function textsOf({ policies }: CheckedPolicies): PolicyTexts {
  const calendars = new Map<string, CheckedCalendar>();
  const texts = policies.map((policy) => policyText(policy, calendars));
  return { declarations: [...calendars.values()].map(calendarText).join('\n'), policies: texts };
}

function policyText({ name, scope, rules }: CheckedPolicy, calendars: Map<string, CheckedCalendar>) {
  for (const rule of rules) collect(rule, calendars);
  collect(scope, calendars);
  const applies = scope === null ? '' : ` applies to ${conditionText(scope)}`;
  return { head: `policy ${quoted(name)}${applies}`, rules: rules.map(ruleText) };
}

function collect(node: unknown, calendars: Map<string, CheckedCalendar>): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'span' || key === 'type' || key === 'definition') continue;
    if (key !== 'calendar') collect(value, calendars);
    else
      calendars.set((value as CheckedCalendar).name, calendars.get((value as CheckedCalendar).name) ?? value);
  }
}

function calendarText({ name, zone, ranges, holidays }: CheckedCalendar): string {
  const hours = ranges.map(
    ({ weekday, startMinute, endMinute }) =>
      `${WEEKDAYS[weekday]} ${time(startMinute)}..${endMinute > 1_440 ? time(endMinute - 1_440) : time(endMinute)}`,
  );
  const calendar = `calendar ${quoted(name)} in ${zone} ${hours.join(', ')}`;
  if (holidays.length === 0) return calendar;
  const days = `holidays ${quoted(name)} ${holidays.map(dateText).join(', ')}`;
  return `${calendar} except holidays ${quoted(name)}\n${days}`;
}

function ruleText(rule: CheckedRule): string {
  const name = rule.name === null ? '' : ` ${quoted(rule.name)}`;
  const when = rule.when === null ? '' : ` when ${conditionText(rule.when)}`;
  switch (rule.kind) {
    case 'permit':
      return `permit${name}${when}`;
    case 'forbid':
      return `forbid${name}${when}${replyText(rule.reply)}`;
    case 'require':
      return `require${name} ${conditionText(rule.condition)}${when}${replyText(rule.reply)}`;
    case 'warn':
      return `warn${name}${when}${noticeText(rule.reply)}`;
    case 'limit':
    case 'quota':
    case 'budget': {
      const queue = rule.queueMs === null ? '' : ` queue up to ${rule.queueMs}ms`;
      const reply = `${fallbackText(rule)}${queue}${replyText(rule.reply)}`;
      return [
        `${rule.kind}${name} ${windowText(rule)} ${keyText(rule.per)}${when}`,
        reply === '' ? '' : ` when ${rule.kind === 'budget' ? 'exhausted' : 'exceeded'}${reply}`,
        rule.maxKeys === null ? '' : ` max keys ${rule.maxKeys}`,
        ` on failure ${rule.onFailure}`,
      ].join('');
    }
    case 'set-header':
      return `set header ${quoted(rule.header)} to ${templateText(rule.value)} in ${rule.side}${when}`;
    case 'remove-header':
      return `remove header ${quoted(rule.header)} in ${rule.side}${when}`;
    case 'cap':
      return `cap ${factText(rule.member)} at ${literalText(rule.value, rule.member.type)}${when}`;
    case 'default':
      return `default ${factText(rule.member)} to ${literalText(rule.value, rule.member.type)}${when}`;
    case 'filter':
      // Its pools are of no project: the checker refuses it.
      return `forbid${name} when target.pool is "first"`;
    case 'route-to':
      return `route to pool ${rule.pools.map(quoted).join(' then ')}${when}`;
    case 'cache':
      return `cache ${rule.forMs}ms${when}`;
    case 'timeout':
      return `timeout ${rule.totalMs}ms${when}`;
    case 'mask': {
      const asked = [...rule.kinds, ...rule.patterns.map((pattern) => `pattern /${pattern}/`)];
      return `mask ${asked.join(', ')} in ${rule.sides.join(' and ')} with ${quoted(rule.text)}${when}`;
    }
    case 'alert': {
      const often =
        rule.atLeast === null
          ? ''
          : ` for at least ${rule.atLeast.requests} requests in any ${rule.atLeast.windowMs}ms`;
      const because = rule.because === null ? '' : ` because ${templateText(rule.because)}`;
      return `alert${name}${when}${often} ${keyText(rule.per)}${because}`;
    }
    default:
      // a deprecation writes the URL of its successor itself
      throw new Unwritable();
  }
}

function fallbackText({ fallback }: LimitRule): string {
  if (fallback === null) return '';
  const { models, counted } = fallback;
  const more =
    counted.kind === 'allowance'
      ? ` for at most ${moneyText(counted.amount, undefined)} USD more`
      : counted.kind === 'nowhere'
        ? ' for any amount'
        : '';
  return ` fall back to model ${models.map(quoted).join(', ')}${more}`;
}

function keyText(key: CounterKey): string {
  if (key.kind === 'total') return 'in total';
  const otherwise = key.otherwise === null ? '' : ` otherwise ${factText(key.otherwise)}`;
  return `for each ${key.keys.map(factText).join(' and ')}${otherwise}`;
}

function replyText({ status, ...notice }: Reply): string {
  return `${status === null ? '' : ` status ${status}`}${noticeText(notice)}`;
}

function noticeText({ code, because }: Notice): string {
  return `${code === null ? '' : ` code ${quoted(code)}`}${because === null ? '' : ` because ${templateText(because)}`}`;
}

function templateText({ parts }: TextTemplate): string {
  const text = parts.map((part) =>
    typeof part === 'string' ? quoted(part).slice(1, -1).replaceAll('{', '\\{') : `{${holeText(part)}}`,
  );
  return `"${text.join('')}"`;
}

function holeText(hole: TemplateHole): string {
  switch (hole.kind) {
    case 'fact':
      return factText(hole).replaceAll('"', '\\"');
    case 'calendar-fact':
      return `calendar.${hole.fact}`;
    case 'limit-fact':
      return `limit.${hole.fact}`;
    default:
      throw new Unwritable();
  }
}

const OPERATORS = { is: 'is', 'is-not': 'is not', lt: '<', le: '<=', gt: '>', ge: '>=' } as const;

const QUANTIFIERS = { any: 'any', every: 'every', none: 'no one' } as const;

function conditionText(node: TypedExpression): string {
  switch (node.kind) {
    case 'constant':
      return String(node.value);
    case 'not':
      return `not (${conditionText(node.operand)})`;
    case 'and':
    case 'or':
      return node.operands.map((operand) => `(${conditionText(operand)})`).join(` ${node.kind} `);
    case 'compare':
      // as text, addresses are networks of one: ::ffff:10.1.2.3 is 10.1.2.3
      if (node.left.type.kind === 'ip') throw new Unwritable();
      return `${subjectText(node.left)} ${OPERATORS[node.operator]} ${valueText(node.right, node.left.type)}`;
    case 'in':
      return inText(node);
    case 'in-networks':
      return networksText(node);
    case 'text-test':
      if (!isPossible(node)) throw new Unwritable();
      return node.test === 'matches'
        ? `${subjectText(node.text)} matches ${regexText(node.pattern)}`
        : `${subjectText(node.text)} ${node.test.replace('-', ' ')} ${quoted(node.pattern)}`;
    case 'present':
      return `${factText(node.fact)} is ${node.negated ? 'absent' : 'present'}`;
    case 'in-calendar':
      return `${node.negated ? 'outside' : 'during'} ${quoted(node.calendar.name)}`;
    case 'quantified':
      return `${QUANTIFIERS[node.quantifier]} of ${factText(node.list)} has (${conditionText(node.condition)})`;
    case 'has-role':
      return `consumer ${node.negated ? 'does not have' : 'has'} role ${quoted(node.role)}`;
    case 'subscribed':
      return `consumer is ${not(node)}subscribed to route`;
    default:
      throw new Unwritable();
  }
}

/** Random patterns ask also for what no request has, which the checker refuses. */
function isPossible({ test, text, pattern }: Extract<TypedExpression, { kind: 'text-test' }>): boolean {
  const form = formOf(text, 'merge');
  if (form === null) return true;
  return test === 'matches' ? regexFits(pattern, form) : canBe(form, test, pattern);
}

function not({ negated }: { readonly negated: boolean }): string {
  return negated ? 'not ' : '';
}

function inText(node: Extract<TypedExpression, { kind: 'in' }>): string {
  const { element, list } = node;
  if (list.kind === 'list') {
    if (list.items.length === 0 || element.type.kind === 'ip') throw new Unwritable();
    const items = list.items.map((item) => literalText(item, element.type));
    return `${subjectText(element)} ${not(node)}in [${items.join(', ')}]`;
  }
  if (element.kind !== 'literal') return `${subjectText(element)} ${not(node)}in ${subjectText(list)}`;
  const contains = `${subjectText(list)} contains ${literalText(element, { kind: 'text' })}`;
  return node.negated ? `not (${contains})` : contains;
}

function networksText(node: Extract<TypedExpression, { kind: 'in-networks' }>): string {
  const { address, networks } = node;
  if (networks.kind !== 'list') {
    const word = networks.type.kind === 'ip' ? `is ${not(node)}` : `${not(node)}in `;
    return `${subjectText(address)} ${word}${subjectText(networks)}`;
  }
  if (networks.items.length === 0) throw new Unwritable();
  const items = networks.items.map((item) => literalText(item, { kind: 'network' }));
  return `${subjectText(address)} ${not(node)}in [${items.join(', ')}]`;
}

function regexText(pattern: string): string {
  if (pattern === '') throw new Unwritable();
  return `/${pattern.replaceAll('/', '\\/')}/`;
}

/** On the left of a test: it never begins with a literal. */
function subjectText(operand: Operand): string {
  const text = valueText(operand, operand.type);
  if (!/^[a-z]/.test(text)) throw new Unwritable();
  return text;
}

function valueText(operand: Operand, beside: ValueType): string {
  switch (operand.kind) {
    case 'fact':
      return factText(operand);
    case 'otherwise':
      return `${factText(operand.fact)} otherwise ${literalText(operand.fallback, operand.fact.type)}`;
    case 'converted':
      return `${valueText(operand.number, operand.number.type)} as ${operand.unit}`;
    case 'literal':
      return literalText(operand, beside);
    case 'arithmetic':
      return `${valueText(operand.left, operand.type)} ${operand.operator} ${factorText(operand)}`;
    case 'list':
      throw new Unwritable();
  }
}

/** Only on the right: a sum on the left of a product cannot begin with a parenthesis. */
function factorText({ left, operator, right }: Extract<Operand, { kind: 'arithmetic' }>): string {
  const binds = operator === '*' || operator === '/';
  if (binds && left.kind === 'arithmetic' && (left.operator === '+' || left.operator === '-'))
    throw new Unwritable();
  const text = valueText(right, binds ? { kind: 'number' } : left.type);
  return right.kind === 'arithmetic' ? `(${text})` : text;
}

function factText({ definition, parameter }: FactExpression): string {
  const path = writtenPath(definition.path);
  return parameter === null ? path : `${path}[${quoted(parameter)}]`;
}

function literalText({ value }: LiteralExpression, type: ValueType): string {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (value < 0) throw new Unwritable();
  switch (type.kind) {
    case 'duration':
      return `${value}ms`;
    case 'size':
      return `${value}B`;
    case 'money':
      return `${value / 1_000_000_000} USD`;
    case 'date':
      return dateText(value);
    case 'time':
      return time(value);
    case 'number':
      return String(value);
    default:
      throw new Unwritable();
  }
}

function time(minutes: number): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
