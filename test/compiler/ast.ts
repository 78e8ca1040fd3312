/** Typed syntax trees for tests, as short as the policies they stand for. Facts are looked up in the one list of facts. */

import { assert } from '../../src/base/assert.ts';
import { SourceText, type Span } from '../../src/diagnostics/source.ts';
import type {
  AlertRule,
  ArithmeticExpression,
  CheckedCalendar,
  CheckedPolicies,
  CheckedPolicy,
  CheckedRule,
  ConvertedExpression,
  CounterKey,
  DeprecateRule,
  FactExpression,
  Fallback,
  FilterRule,
  HeaderRule,
  LimitRule,
  LimitWindow,
  ListExpression,
  LiteralExpression,
  MaskRule,
  MemberRule,
  Operand,
  OtherwiseExpression,
  Quantifier,
  Reply,
  RouteToRule,
  ShareOf,
  TemplateHole,
  TextTemplate,
  TypedExpression,
} from '../../src/language/typed.ts';
import { elementPath, type FactDefinition, factsOf } from '../../src/model/facts.ts';
import type { TokenMeasure } from '../../src/model/model-call.ts';
import type { AttributeType, ScalarValue, ValueType } from '../../src/model/types.ts';
import type { World } from '../../src/model/world.ts';
import { BODY_FACTS } from './bodies.ts';

const SOURCE = new SourceText('policies/test.policy', 'policy "test" { }\n');
export const SPAN: Span = { source: SOURCE, start: 0, end: 6 };

/** Attributes that test worlds declare; `constructor` is there because every object inherits one. */
const OPTIONAL_TEXT: AttributeType = { type: { kind: 'text' }, optional: true, label: 'caller' };
export const ATTRIBUTES: World['attributes'] = {
  tenant: {
    tier: { type: { kind: 'number' }, optional: false, label: 'caller' },
    regions: { type: { kind: 'list', of: { kind: 'text' } }, optional: true, label: 'caller' },
    constructor: OPTIONAL_TEXT,
    networks: { type: { kind: 'list', of: { kind: 'network' } }, optional: true, label: 'caller' },
    addresses: { type: { kind: 'list', of: { kind: 'ip' } }, optional: false, label: 'caller' },
    office: { type: { kind: 'network' }, optional: false, label: 'caller' },
  },
  team: { cost_center: { type: { kind: 'text' }, optional: false, label: 'caller' } },
  consumer: {
    contact: OPTIONAL_TEXT,
    address: { type: { kind: 'ip' }, optional: true, label: 'caller' },
  },
};
export const FACTS: readonly FactDefinition[] = [
  ...factsOf({ attributes: ATTRIBUTES, currency: 'USD' }),
  ...BODY_FACTS,
];

export function fact(path: string, parameter: string | null = null): FactExpression {
  const definition = FACTS.find((each) => each.path === path);
  assert(definition !== undefined, `no fact ${path}`);
  return { kind: 'fact', definition, parameter, type: definition.type, span: SPAN };
}

const LITERAL_TYPES: Readonly<Record<string, ValueType>> = {
  string: { kind: 'text' },
  number: { kind: 'number' },
  boolean: { kind: 'boolean' },
};

export function literal(value: ScalarValue): LiteralExpression {
  return { kind: 'literal', value, type: LITERAL_TYPES[typeof value]!, span: SPAN };
}
export function list(...values: readonly ScalarValue[]): ListExpression {
  return {
    kind: 'list',
    items: values.map(literal),
    type: { kind: 'list', of: { kind: 'text' } },
    span: SPAN,
  };
}
export function otherwise(of: FactExpression, fallback: ScalarValue): OtherwiseExpression {
  return { kind: 'otherwise', fact: of, fallback: literal(fallback), type: of.type, span: SPAN };
}

function operand(value: Operand | ScalarValue): Operand {
  return typeof value === 'object' ? value : literal(value);
}

export function compare(
  operator: Extract<TypedExpression, { kind: 'compare' }>['operator'],
  left: Operand,
  right: Operand | ScalarValue,
): TypedExpression {
  return { kind: 'compare', operator, left, right: operand(right), span: SPAN };
}
export function is(left: Operand, right: Operand | ScalarValue): TypedExpression {
  return compare('is', left, right);
}
export function memberOf(element: Operand | ScalarValue, of: Operand): TypedExpression {
  return { kind: 'in', element: operand(element), list: of, negated: false, span: SPAN };
}
export function tagged(tag: string): TypedExpression {
  return memberOf(tag, fact('route.tags'));
}
export function and(...operands: readonly TypedExpression[]): TypedExpression {
  return { kind: 'and', operands, span: SPAN };
}
export function or(...operands: readonly TypedExpression[]): TypedExpression {
  return { kind: 'or', operands, span: SPAN };
}
export function not(of: TypedExpression): TypedExpression {
  return { kind: 'not', operand: of, span: SPAN };
}
export function constant(value: boolean): TypedExpression {
  return { kind: 'constant', value, span: SPAN };
}
export function present(of: FactExpression): TypedExpression {
  return { kind: 'present', fact: of, negated: false, span: SPAN };
}
export function hasRole(role: string): TypedExpression {
  return { kind: 'has-role', role, negated: false, span: SPAN };
}
export function calculated(
  operator: ArithmeticExpression['operator'],
  left: Operand,
  right: Operand | ScalarValue,
): ArithmeticExpression {
  return { kind: 'arithmetic', operator, left, right: operand(right), type: left.type, span: SPAN };
}
export function converted(
  number: FactExpression | OtherwiseExpression,
  unit: string,
  factor: number,
): ConvertedExpression {
  return { kind: 'converted', number, unit, factor, type: { kind: 'money' }, span: SPAN };
}
export function during(calendar: CheckedCalendar): TypedExpression {
  return { kind: 'in-calendar', calendar, negated: false, span: SPAN };
}
/** What `it` stands for in a question about the elements of `list`. */
export function elementOf(list: FactExpression): FactExpression {
  const { definition, type } = list;
  const of = type.kind === 'list' ? type.of : type;
  return {
    ...list,
    type: of,
    definition: { ...definition, path: elementPath(definition.path), type: of, absence: 'never' },
  };
}
export function quantified(
  quantifier: Quantifier,
  list: FactExpression,
  condition: TypedExpression,
): TypedExpression {
  return { kind: 'quantified', quantifier, list, condition, span: SPAN };
}

export function share(percent: number, of: ShareOf, seed: string): TypedExpression {
  return { kind: 'share', percent, of, seed, span: SPAN };
}
export function subscribed(): TypedExpression {
  return { kind: 'subscribed', negated: false, span: SPAN };
}
export function inNetworks(address: Operand, ...networks: readonly string[]): TypedExpression {
  return inNetworksOf(address, list(...networks));
}
export function inNetworksOf(address: Operand, networks: Operand): TypedExpression {
  return { kind: 'in-networks', address, networks, negated: false, span: SPAN };
}
export function textTest(
  test: Extract<TypedExpression, { kind: 'text-test' }>['test'],
  text: Operand,
  pattern: string,
): TypedExpression {
  return { kind: 'text-test', test, text, pattern, span: SPAN };
}

/** `{tenant.name}`, `{limit.used}` and `{calendar.opens}` are holes; everything else is text. */
export function template(text: string): TextTemplate {
  const parts = text.split(/\{([^}]*)\}/).map((part, index) => (index % 2 === 0 ? part : hole(part)));
  return { parts: parts.filter((part) => part !== '') };
}
const NIGHT: CheckedCalendar = {
  name: 'night',
  zone: 'Europe/Berlin',
  ranges: [{ weekday: 3, startMinute: 1_320, endMinute: 1_800 }],
  holidays: [],
};

function hole(path: string): TemplateHole {
  if (path.startsWith('url '))
    return { kind: 'url-part', fact: fact('request.parameter', path.slice(4)), span: SPAN };
  if (path.startsWith('limit.')) {
    return { kind: 'limit-fact', fact: path.slice(6) as 'name' | 'amount' | 'used' | 'resets', span: SPAN };
  }
  if (path.startsWith('calendar.')) {
    return {
      kind: 'calendar-fact',
      fact: path.slice(9) as 'name' | 'opens' | 'closes',
      calendar: NIGHT,
      span: SPAN,
    };
  }
  const match = /^([^[]*)\["(.*)"\]$/.exec(path);
  return match === null ? fact(path) : fact(match[1]!, match[2]!);
}

interface ReplyText {
  readonly status?: number;
  readonly code?: string;
  readonly because?: string;
}
function reply({ status, code, because }: ReplyText): Reply {
  return {
    status: status ?? null,
    code: code ?? null,
    because: because === undefined ? null : template(because),
  };
}

interface Guard {
  readonly when?: TypedExpression;
}
let unnamed = 0;
function base(name: string | null, { when }: Guard) {
  return { name, key: name ?? `unnamed ${++unnamed}`, when: when ?? null, span: SPAN };
}

export function permit(guard: Guard = {}, name: string | null = null): CheckedRule {
  return { kind: 'permit', ...base(name, guard) };
}
export function forbid(name: string | null, options: Guard & ReplyText = {}): CheckedRule {
  return { kind: 'forbid', ...base(name, options), reply: reply(options) };
}
export function warn(name: string | null, options: Guard & Omit<ReplyText, 'status'> = {}): CheckedRule {
  const { code, because } = reply(options);
  return { kind: 'warn', ...base(name, options), reply: { code, because } };
}
export function require(
  name: string | null,
  condition: TypedExpression,
  options: Guard & ReplyText = {},
): CheckedRule {
  return { kind: 'require', ...base(name, options), condition, reply: reply(options) };
}
export function each(...paths: readonly string[]): CounterKey {
  return { kind: 'each', keys: paths.map((path) => fact(path)), otherwise: null };
}
export function limit(
  name: string | null,
  options: Guard &
    ReplyText & {
      readonly window: LimitWindow;
      readonly per?: CounterKey;
      readonly maxKeys?: number;
      readonly onFailure?: 'refuse' | 'allow';
      readonly queueMs?: number;
      readonly fallback?: Fallback;
    },
): LimitRule {
  const rule = base(name, options);
  return {
    kind: options.window.kind === 'calendar' ? 'quota' : 'limit',
    ...rule,
    measure: { kind: 'requests' },
    window: options.window,
    per: options.per ?? { kind: 'total' },
    queueMs: options.queueMs ?? null,
    fallback: options.fallback ?? null,
    reply: reply(options),
    onFailure: options.onFailure ?? 'refuse',
    alertAt: [],
    notify: null,
    maxKeys: options.maxKeys ?? null,
    counterIdentity: rule.key,
    formerIdentity: null,
  };
}
function ofPolicy(policy: string, rule: LimitRule): LimitRule {
  const counterIdentity = `${policy}/${rule.key}`;
  const { fallback } = rule;
  if (fallback?.counted.kind !== 'allowance') return { ...rule, counterIdentity };
  const counted = { ...fallback.counted, counterIdentity: `${counterIdentity} more` };
  return { ...rule, counterIdentity, fallback: { ...fallback, counted } };
}
/** A calendar quota of money, in nano-units; its guard has to prove that the route has a price. */
export function budget(...parts: Parameters<typeof limit>): LimitRule {
  const rule = limit(...parts);
  return { ...rule, kind: 'budget', measure: { kind: 'money', cost: fact('route.cost'), currency: 'USD' } };
}
/** A limit of tokens; its guard has to prove that requests are calls to models. */
export function tokenLimit(kind: TokenMeasure, ...parts: Parameters<typeof limit>): LimitRule {
  return { ...limit(...parts), measure: { kind } };
}
export function setHeader(
  header: string,
  value: string,
  options: Guard & { readonly side?: HeaderRule['side'] } = {},
): HeaderRule {
  return {
    kind: 'set-header',
    ...base(null, options),
    header,
    value: template(value),
    side: options.side ?? 'request',
  };
}
export function removeHeader(
  header: string,
  options: Guard & { readonly side?: HeaderRule['side'] } = {},
): HeaderRule {
  return {
    kind: 'remove-header',
    ...base(null, options),
    header,
    value: { parts: [] },
    side: options.side ?? 'request',
  };
}
export function deprecate(successor: string | null, options: Guard = {}): DeprecateRule {
  const url = successor === null ? null : { route: 'orders', url: template(successor) };
  return {
    kind: 'deprecate',
    ...base(null, options),
    fromDay: 20_758,
    sunsetDay: 20_908,
    zone: 'Europe/Berlin',
    successor: url,
  };
}
export function member(
  kind: MemberRule['kind'],
  path: string,
  value: ScalarValue,
  options: Guard = {},
): MemberRule {
  return { kind, ...base(null, options), member: fact(path), value: literal(value) };
}
export function alert(
  name: string | null,
  options: Guard & Partial<Pick<AlertRule, 'per' | 'atLeast'>> & { readonly because?: string } = {},
): AlertRule {
  return {
    kind: 'alert',
    ...base(name, options),
    atLeast: options.atLeast ?? null,
    per: options.per ?? { kind: 'total' },
    because: options.because === undefined ? null : template(options.because),
    maxKeys: null,
    notify: null,
  };
}
export function filter(
  name: string | null,
  barred: FilterRule['barred'],
  options: Guard & ReplyText = {},
): FilterRule {
  const written = { as: 'forbid', when: null, condition: null } as const;
  return { kind: 'filter', ...base(name, options), written, barred, reply: reply(options) };
}
export function routeTo(pools: readonly string[], options: Guard = {}): RouteToRule {
  return { kind: 'route-to', ...base(null, options), pools };
}
export function cache(forMs: number, options: Guard = {}): CheckedRule {
  return { kind: 'cache', ...base(null, options), forMs };
}
export function timeout(totalMs: number, options: Guard = {}): CheckedRule {
  return { kind: 'timeout', ...base(null, options), totalMs };
}

export function mask(
  asked: Pick<MaskRule, 'kinds' | 'patterns'>,
  sides: MaskRule['sides'],
  text: string,
  options: Guard = {},
): MaskRule {
  return { kind: 'mask', ...base(null, options), ...asked, sides, text };
}

/** Gives the limits an identity that names their policy, as the checker does. */
export function policy(
  name: string,
  options: { readonly scope?: TypedExpression },
  rules: readonly CheckedRule[],
): CheckedPolicy {
  const identified = rules.map(
    (rule): CheckedRule => ('counterIdentity' in rule ? ofPolicy(name, rule) : rule),
  );
  return {
    name,
    title: null,
    owner: null,
    review: null,
    effective: null,
    poolRules: [],
    span: SPAN,
    scope: options.scope ?? null,
    rules: identified,
  };
}
export function policies(...all: readonly CheckedPolicy[]): CheckedPolicies {
  return { policies: all };
}
