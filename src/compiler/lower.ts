import { sameValue } from '../base/same-value.ts';
import type { SourceText, Span } from '../diagnostics/source.ts';
import { isLimitRule } from '../language/limit-rules.ts';
import { compareCodePoints } from '../language/order.ts';
import type {
  CheckedPolicies,
  CheckedPolicy,
  CheckedRule,
  CounterKey,
  FactExpression,
  Operand,
  QuantifiedExpression,
  TypedExpression,
} from '../language/typed.ts';
import type { FactPhase } from '../model/facts.ts';
import type { EnforcementMode, World } from '../model/world.ts';
import type { Conditions } from './conditions.ts';
import type { Condition, DecisionPhase, FactReference, RuleIr, Term } from './ir.ts';

/** What policies became with one {@link Conditions}, by name. */
export type LoweredPolicies = ReadonlyMap<string, LoweredPolicy>;
interface LoweredPolicy {
  readonly policy: CheckedPolicy;
  readonly mode: EnforcementMode;
  readonly rules: readonly RuleIr[];
  /** By where its rules stood when they were lowered. */
  readonly moved: ReadonlyMap<Span, Span>;
}

export interface Lowered {
  /** Policies by name, rules by key, both in order of code points: their numbers in `RuleBundle.rules`. */
  readonly rules: readonly RuleIr[];
  readonly policies: LoweredPolicies;
  /** Where rules that are kept from an earlier compilation stand now, by where they stood then. */
  readonly moved: ReadonlyMap<Span, Span>;
}

/**
 * Passes 1 and 2: every rule becomes one condition, and deciding rules are placed in the earliest phase that knows
 * the facts of scope, `when` and condition. The text of a reply has no say in that: a message never changes a decision.
 * Rules that say the same as `before` are the same objects, wherever in their file they stand now: nothing that was made
 * of them is made anew for a line more above them, or for another rule beside them.
 */
export function lowerPolicies(
  checked: CheckedPolicies,
  world: World,
  conditions: Conditions,
  before: LoweredPolicies = new Map(),
): Lowered {
  const lowered = (policy: CheckedPolicy, mode: EnforcementMode, known: readonly RuleIr[]): LoweredPolicy => {
    const rules = lowerPolicy(policy, mode, conditions, known);
    return { policy, mode, rules, moved: movedIn(rules, policy) };
  };
  const kept = sorted(checked.policies, (each) => each.name).map((policy): LoweredPolicy => {
    const mode = world.enforcement.get(policy.name)?.mode ?? 'enforce';
    const known = before.get(policy.name);
    if (known === undefined || known.mode !== mode || !saysTheSame(known.policy, policy))
      return lowered(policy, mode, []);
    return known.policy === policy ? known : lowered(policy, mode, known.rules);
  });
  const obsolete = obsoleteTexts(kept);
  const policies = kept.map((each) =>
    textsOf(each).some((text) => obsolete.has(text)) ? lowered(each.policy, each.mode, []) : each,
  );
  const replaced = (checked.replaced ?? []).flatMap((policy) =>
    lowerPolicy(policy, world.enforcement.get(policy.name)?.mode ?? 'enforce', conditions, []),
  );
  const rules = policies.flatMap((each) => each.rules);
  return {
    rules: replaced.length === 0 ? rules : [...rules, ...replaced].sort(compareRules),
    policies: new Map(policies.map((each) => [each.policy.name, each])),
    moved: new Map(policies.flatMap(({ moved }) => [...moved])),
  };
}

/** Former texts of one file that rules may stand in. */
const FORMER_TEXTS_MAX = 2;

/**
 * Rules hold on to the text that they were read from. Of the former texts of a file only those are kept in which the most
 * policies stand: few have to be lowered anew for that, and a file that is edited all day is held no more than three times.
 */
function obsoleteTexts(policies: readonly LoweredPolicy[]): ReadonlySet<SourceText> {
  const byPath = new Map<string, Map<SourceText, number>>();
  for (const each of policies) {
    for (const text of textsOf(each)) {
      if (text === each.policy.span.source) continue;
      const former = byPath.get(text.path) ?? new Map<SourceText, number>();
      byPath.set(text.path, former.set(text, (former.get(text) ?? 0) + 1));
    }
  }
  const obsolete = [...byPath.values()].flatMap((former) =>
    [...former].sort(([, a], [, b]) => b - a).slice(FORMER_TEXTS_MAX),
  );
  return new Set(obsolete.map(([text]) => text));
}

/** Those in which its rules stood when they were lowered. */
function textsOf({ rules }: LoweredPolicy): readonly SourceText[] {
  return [...new Set(rules.map(({ rule }) => rule.span.source))];
}

/** Apart from the rules, as far as these show it. */
function saysTheSame(a: CheckedPolicy, b: CheckedPolicy): boolean {
  return a === b || (a.review?.dueDay === b.review?.dueDay && sameValue(a.scope, b.scope, WITHOUT_PLACES));
}
const WITHOUT_PLACES: ReadonlySet<string> = new Set(['span']);

function movedIn(rules: readonly RuleIr[], policy: CheckedPolicy): ReadonlyMap<Span, Span> {
  const now = byKey(policy.rules);
  const moved = rules.map(({ rule }, at): [Span, Span] => [rule.span, now[at]!.span]);
  return new Map(moved.filter(([then, now]) => then !== now));
}

function byKey(rules: readonly CheckedRule[]): CheckedRule[] {
  return sorted(rules, (each) => each.key);
}

/** `known`: rules of the same policy, of the same mode and scope. */
function lowerPolicy(
  policy: CheckedPolicy,
  mode: EnforcementMode,
  conditions: Conditions,
  known: readonly RuleIr[],
): RuleIr[] {
  const byItsKey = new Map(known.map((ir) => [ir.rule.key, ir]));
  return byKey(policy.rules).map((rule) => {
    const before = byItsKey.get(rule.key);
    return before !== undefined && sameValue(before.rule, rule, WITHOUT_PLACES)
      ? before
      : lowerOne(rule, policy, mode, conditions);
  });
}

function lowerOne(
  rule: CheckedRule,
  policy: CheckedPolicy,
  mode: EnforcementMode,
  conditions: Conditions,
): RuleIr {
  return {
    policy: policy.name,
    mode,
    reviewDueDay: policy.review?.dueDay ?? null,
    rule,
    condition: lowerRule(rule, policy.scope, conditions),
    phase: placeRule(rule, policy.scope),
    barred: barredWhen(rule, policy.scope, conditions),
    possible: possible([policy.scope, rule.when], conditions),
  };
}

/** Negative when `a` comes first: the order of {@link lowerPolicies}. */
export function compareRules(a: RuleIr, b: RuleIr): number {
  return compareCodePoints(a.policy, b.policy) || compareCodePoints(a.rule.key, b.rule.key);
}

function sorted<Item>(items: readonly Item[], name: (item: Item) => string): Item[] {
  return [...items].sort((a, b) => compareCodePoints(name(a), name(b)));
}

function lowerRule(rule: CheckedRule, scope: TypedExpression | null, conditions: Conditions): Condition {
  const parts = [lower(scope, conditions), lower(rule.when, conditions)];
  if (rule.kind === 'require') parts.push(conditions.not(lower(rule.condition, conditions)));
  // a threshold is not asked of calls that it sent elsewhere
  if (isLimitRule(rule) && rule.fallback?.counted.kind === 'nowhere')
    parts.push(conditions.not(conditions.test({ kind: 'fallen', limit: rule.counterIdentity })));
  if (rule.kind === 'filter')
    parts.push(conditions.any(rule.barred.map(({ when }) => lower(when, conditions))));
  return conditions.all(parts);
}

function barredWhen(rule: CheckedRule, scope: TypedExpression | null, conditions: Conditions): Condition[] {
  if (rule.kind !== 'filter') return [];
  return rule.barred.map(({ when }) => conditions.all([lower(scope, conditions), lower(when, conditions)]));
}

export function lower(expression: TypedExpression | null, conditions: Conditions): Condition {
  if (expression === null) return conditions.always;
  switch (expression.kind) {
    case 'constant':
      return conditions.constant(expression.value);
    case 'not':
      return conditions.not(lower(expression.operand, conditions));
    case 'and':
      return conditions.all(expression.operands.map((operand) => lower(operand, conditions)));
    case 'or':
      return conditions.any(expression.operands.map((operand) => lower(operand, conditions)));
    case 'compare':
      return lowerCompare(expression, conditions);
    case 'quantified':
      return lowerQuantified(expression, conditions);
    default:
      return lowerTest(expression, conditions);
  }
}

type Compare = Extract<TypedExpression, { kind: 'compare' }>;
type SimpleTest = Exclude<
  TypedExpression,
  { kind: 'constant' | 'not' | 'and' | 'or' | 'compare' | 'quantified' }
>;

function lowerCompare({ operator, left, right }: Compare, conditions: Conditions): Condition {
  const a = term(left);
  const b = term(right);
  switch (operator) {
    case 'is':
      return conditions.test({ kind: 'equal', left: a, right: b });
    case 'is-not':
      return conditions.not(conditions.test({ kind: 'equal', left: a, right: b }));
    case 'lt':
    case 'le':
      return conditions.test({ kind: operator, left: a, right: b });
    case 'gt':
      return conditions.test({ kind: 'lt', left: b, right: a });
    case 'ge':
      return conditions.test({ kind: 'le', left: b, right: a });
  }
}

/** `every` element fits unless one does not; `no one` does unless one does. */
function lowerQuantified(
  { quantifier, list, condition: asked }: QuantifiedExpression,
  conditions: Conditions,
): Condition {
  const condition = lower(asked, conditions);
  const sought = quantifier === 'every' ? conditions.not(condition) : condition;
  const some = conditions.some(factReference(list), sought);
  return signed(some, quantifier !== 'any', conditions);
}

function lowerTest(expression: SimpleTest, conditions: Conditions): Condition {
  switch (expression.kind) {
    case 'in': {
      const test = {
        kind: 'member',
        element: term(expression.element),
        list: term(expression.list),
      } as const;
      return signed(conditions.test(test), expression.negated, conditions);
    }
    case 'in-networks': {
      const test = {
        kind: 'network',
        address: term(expression.address),
        networks: term(expression.networks),
      } as const;
      return signed(conditions.test(test), expression.negated, conditions);
    }
    case 'text-test':
      return conditions.test({
        kind: expression.test,
        text: term(expression.text),
        pattern: expression.pattern,
      });
    case 'present': {
      const test = { kind: 'present', fact: factReference(expression.fact) } as const;
      return signed(conditions.test(test), expression.negated, conditions);
    }
    case 'in-calendar': {
      const { zone, ranges, holidays } = expression.calendar;
      const test = { kind: 'calendar', hours: { zone, ranges, holidays } } as const;
      return signed(conditions.test(test), expression.negated, conditions);
    }
    case 'share': {
      const { of, percent, seed } = expression;
      if (percent <= 0 || percent >= 100) return conditions.constant(percent >= 100);
      return conditions.test({ kind: 'share', of, percent, seed });
    }
    case 'has-role':
      return signed(conditions.test({ kind: 'role', role: expression.role }), expression.negated, conditions);
    case 'subscribed':
      return signed(conditions.test({ kind: 'subscribed' }), expression.negated, conditions);
  }
}

function signed(condition: Condition, negated: boolean, conditions: Conditions): Condition {
  return negated ? conditions.not(condition) : condition;
}

function term(operand: Operand): Term {
  switch (operand.kind) {
    case 'fact':
      return { kind: 'fact', fact: factReference(operand) };
    case 'literal':
      return { kind: 'constant', value: operand.value };
    case 'list':
      return { kind: 'constant', value: operand.items.map((item) => item.value) };
    case 'otherwise':
      return {
        kind: 'otherwise',
        fact: factReference(operand.fact),
        fallback: operand.fallback.value,
      };
    case 'converted': {
      const factor: Term = { kind: 'constant', value: operand.factor };
      return { kind: 'arithmetic', operator: '*', left: term(operand.number), right: factor };
    }
    case 'arithmetic': {
      const { operator, left, right } = operand;
      return { kind: 'arithmetic', operator, left: term(left), right: term(right) };
    }
  }
}

/** Facts with two names have one key: `tenant` and `tenant.name` are the same text. */
const SAME_FACT: Readonly<Record<string, string>> = {
  'tenant.name': 'tenant',
  'team.name': 'team',
  'consumer.name': 'consumer',
  'credential.name': 'credential',
  'pool.name': 'pool',
  'key.name': 'key',
};

export function factReference({ definition, parameter, type }: FactExpression): FactReference {
  const path = SAME_FACT[definition.path] ?? definition.path;
  return {
    key: parameter === null ? path : `${path}[${JSON.stringify(parameter)}]`,
    path,
    parameter,
    type,
    phase: definition.phase,
    absence: definition.absence,
  };
}

/** Kleene's three values, in two conditions: what a test of the body could say is taken as it suits best, or worst. */
function possible(parts: readonly (TypedExpression | null)[], conditions: Conditions): Condition {
  return conditions.all(
    parts.map((part) => (part === null ? conditions.always : bound(part, 'best', conditions))),
  );
}

function bound(expression: TypedExpression, which: 'best' | 'worst', conditions: Conditions): Condition {
  switch (expression.kind) {
    case 'not':
      return conditions.not(bound(expression.operand, which === 'best' ? 'worst' : 'best', conditions));
    case 'and':
      return conditions.all(expression.operands.map((operand) => bound(operand, which, conditions)));
    case 'or':
      return conditions.any(expression.operands.map((operand) => bound(operand, which, conditions)));
    default: {
      const readsBody = phasesOf(expression).includes('body');
      return readsBody ? conditions.constant(which === 'best') : lower(expression, conditions);
    }
  }
}

/** Permits wait for the caller: with none that holds, what is missing is a permit, not an identity. */
function placeRule(rule: CheckedRule, scope: TypedExpression | null): DecisionPhase {
  const expressions = [scope, rule.when, rule.kind === 'require' ? rule.condition : null];
  const phases = [
    ...expressions.flatMap((expression) => (expression === null ? [] : phasesOf(expression))),
    ...(rule.kind === 'alert' ? factsOf(rule.per).flatMap(phasesOfOperand) : []),
  ];
  if (phases.includes('body')) return 'body';
  return rule.kind === 'permit' || phases.includes('authorise') ? 'authorise' : 'match';
}

function factsOf(key: CounterKey): readonly FactExpression[] {
  return key.kind === 'total' ? [] : [...key.keys, ...(key.otherwise === null ? [] : [key.otherwise])];
}

/** The phases that know the facts of a condition, each as often as it is needed. */
function phasesOf(expression: TypedExpression): DecisionPhase[] {
  switch (expression.kind) {
    case 'constant':
    case 'in-calendar':
      return [];
    case 'not':
      return phasesOf(expression.operand);
    case 'and':
    case 'or':
      return expression.operands.flatMap(phasesOf);
    case 'compare':
      return [...phasesOfOperand(expression.left), ...phasesOfOperand(expression.right)];
    case 'in':
      return [...phasesOfOperand(expression.element), ...phasesOfOperand(expression.list)];
    case 'in-networks':
      return [...phasesOfOperand(expression.address), ...phasesOfOperand(expression.networks)];
    case 'text-test':
      return phasesOfOperand(expression.text);
    case 'present':
      return phasesOfOperand(expression.fact);
    case 'quantified':
      return [...phasesOfOperand(expression.list), ...phasesOf(expression.condition)];
    case 'share':
      return expression.of === 'requests' ? [] : ['authorise'];
    case 'has-role':
    case 'subscribed':
      return ['authorise'];
  }
}

function phasesOfOperand(operand: Operand): DecisionPhase[] {
  switch (operand.kind) {
    case 'fact':
      return [KNOWN_IN[operand.definition.phase]];
    case 'otherwise':
      return phasesOfOperand(operand.fact);
    case 'converted':
      return phasesOfOperand(operand.number);
    case 'arithmetic':
      return [...phasesOfOperand(operand.left), ...phasesOfOperand(operand.right)];
    case 'literal':
    case 'list':
      return [];
  }
}

/** Rules that decide can't read the reply: the checker sees to that. */
const KNOWN_IN: Readonly<Record<FactPhase, DecisionPhase>> = {
  compile: 'match',
  route: 'match',
  identity: 'authorise',
  body: 'body',
  call: 'body',
  // the check has put the values of each target in their place
  target: 'match',
  // only rules ask that run when all is over
  reply: 'match',
  // rules over it are about no request
  pool: 'match',
};
