import { type PlacedRule, placedRules } from '../../compiler/interpret/placed-rules.ts';
import { rulePhase } from '../../compiler/interpret/trace.ts';
import { placeOf } from '../../diagnostics/source.ts';
import { isLimitOfTargets, isLimitRule } from '../../language/limit-rules.ts';
import type { CheckedPolicies, LimitRule, TypedExpression } from '../../language/typed.ts';
import { sendsCalls } from '../../model/route-calls.ts';
import type { Route, World } from '../../model/world.ts';
import { clauseText } from '../clause-text.ts';
import { type ElementChecks, elementChecks } from './element-checks.ts';
import { bothRemain, type Remainder, remainderOf } from './residual.ts';
import { ruleInWords } from './rule-in-words.ts';

/** The effective policy of one route: every rule that can matter to it, and why the others cannot. */
export interface RouteExplanation {
  readonly route: string;
  readonly methods: readonly string[];
  readonly path: string;
  readonly hosts: readonly string[];
  /** Null: see `ai`. */
  readonly service: string | null;
  readonly ai: Route['ai'];
  readonly state: Route['state'];
  readonly auth: Route['auth'];
  readonly identify: Route['identify'];
  readonly tags: readonly string[];
  readonly place: string;
  readonly rules: readonly RuleExplanation[];
  readonly cost: Cost;
  /** Conditions that the route alone decides: they are compiled away. */
  readonly bakedIn: readonly string[];
  readonly leftOut: readonly LeftOut[];
}
export type RulePhase =
  | 'match'
  | 'authorise'
  | 'body'
  | 'look-up'
  | 'admit'
  | 'shape-request'
  | 'shape-response'
  | 'dispatch'
  | 'account';

export interface RuleExplanation {
  readonly policy: string;
  readonly rule: string | null;
  readonly kind: string;
  readonly mode: string;
  readonly place: string;
  readonly phase: RulePhase;
  /** `at most 5 requests in any 10s, for each consumer`. */
  readonly says: string;
  /** What is asked of each request before the rule applies; '' for nothing. */
  readonly when: string;
  /** What a `require` requires of each request; '' for nothing. */
  readonly unless: string;
  /** Of limits: who counts in the same counter. */
  readonly counter: CounterExplanation | null;
}
export interface CounterExplanation {
  readonly identity: string;
  /** Every route that takes from it, this one included. */
  readonly routes: readonly string[];
}
/** Counts, not times: what a permitted request is asked at most. */
export interface Cost {
  readonly checks: number;
  readonly counters: number;
  readonly bodyReads: number;
  /** Besides, for each element of a list that a quantifier asks. */
  readonly elements: readonly ElementChecks[];
}
export interface LeftOut {
  readonly policy: string;
  /** Null: the whole policy. */
  readonly rule: string | null;
  readonly place: string;
  readonly why: string;
}

export function explainRoute(policies: CheckedPolicies, world: World, route: Route): RouteExplanation {
  const rules = placedRules(policies, world);
  const remaining = rules.map((placed) => ({ placed, remainder: applying(placed, route) }));
  const kept = remaining.filter(({ remainder }) => remainder.value !== false);
  const asked = new Set(kept.flatMap(({ remainder }) => remainder.asked.map(clauseText)));
  const required = kept.flatMap(({ placed }) => conditionOf(placed, route).asked);
  const met = required.map(clauseText);
  const limits = new Set(kept.flatMap(({ placed }) => limitOf(placed)?.counterIdentity ?? []));
  return {
    route: route.name,
    methods: route.match.methods,
    path: route.match.path,
    hosts: route.match.hosts,
    service: route.service,
    ai: route.ai,
    state: route.state,
    auth: route.auth,
    identify: route.identify,
    tags: route.tags,
    place: route.place,
    rules: kept.map(({ placed, remainder }) => explainRule(placed, remainder, rules, { world, route })),
    cost: {
      checks: new Set([...asked, ...met]).size,
      counters: limits.size,
      bodyReads:
        // what a call is, its body says
        sendsCalls(route) ||
        route.requestBody !== null ||
        kept.some(({ placed, remainder }) => needsBody(placed, remainder))
          ? 1
          : 0,
      elements: elementChecks([...kept.flatMap(({ remainder }) => remainder.asked), ...required]),
    },
    bakedIn: [...new Set(kept.flatMap(({ remainder }) => remainder.baked.map(clauseText)))],
    leftOut: leftOut(rules, route),
  };
}

/** When a rule applies at all: scope and `when` together. */
function applying({ scope, rule }: PlacedRule, route: Route): Remainder {
  return bothRemain(remainderOf(scope, route), remainderOf(rule.when, route));
}

function conditionOf({ rule }: PlacedRule, route: Route): Remainder {
  return remainderOf(rule.kind === 'require' ? rule.condition : null, route);
}

function needsBody({ rule }: PlacedRule, { asked }: Remainder): boolean {
  return asked.some(readsBody) || (rule.kind === 'mask' && rule.sides.includes('request'));
}

function readsBody(expression: TypedExpression): boolean {
  return /\brequest\.body\b/.test(clauseText(expression));
}

function limitOf({ rule }: PlacedRule): LimitRule | null {
  return isLimitRule(rule) ? rule : null;
}

interface RoutePlace {
  readonly world: World;
  readonly route: Route;
}

function explainRule(
  placed: PlacedRule,
  remainder: Remainder,
  rules: readonly PlacedRule[],
  { world, route }: RoutePlace,
): RuleExplanation {
  const { policy, mode, rule } = placed;
  return {
    policy,
    rule: rule.name,
    kind: rule.kind,
    mode,
    place: placeOf(rule.span),
    phase: phaseOfRule(placed),
    says: ruleInWords(rule),
    when: remainder.text,
    unless: conditionOf(placed, route).text,
    counter: counterOf(placed, rules, world),
  };
}

function phaseOfRule(placed: PlacedRule): RulePhase {
  const { rule } = placed;
  switch (rule.kind) {
    case 'limit':
    case 'quota':
    case 'budget':
      return isLimitOfTargets(rule) ? 'dispatch' : 'admit';
    case 'set-header':
    case 'remove-header':
      return rule.side === 'request' ? 'shape-request' : 'shape-response';
    case 'cap':
    case 'default':
      return 'shape-request';
    case 'mask':
      return rule.sides.includes('request') ? 'shape-request' : 'shape-response';
    case 'deprecate':
      return 'shape-response';
    case 'cache':
      return 'look-up';
    case 'timeout':
    case 'route-to':
    case 'filter':
      return 'dispatch';
    case 'alert':
      return 'account';
    default:
      return rulePhase(placed) ?? 'authorise';
  }
}

function counterOf(
  placed: PlacedRule,
  rules: readonly PlacedRule[],
  world: World,
): CounterExplanation | null {
  const limit = limitOf(placed);
  if (limit === null) return null;
  const same = rules.filter((each) => limitOf(each)?.counterIdentity === limit.counterIdentity);
  const routes = [...world.routes.values()].filter((route) =>
    same.some((each) => applying(each, route).value !== false),
  );
  return { identity: limit.counterIdentity, routes: routes.map(({ name }) => name).sort() };
}

/** A policy whose scope is for other routes is one line; else each of its rules that can't apply. */
function leftOut(rules: readonly PlacedRule[], route: Route): LeftOut[] {
  const found = new Map<string, LeftOut>();
  for (const placed of rules) {
    const { policy, scope, rule } = placed;
    const outside = remainderOf(scope, route);
    if (outside.value === false) {
      const why = `its scope is not this route: ${whyNot(scope!, route)}`;
      const place = placeOf(scope!.span);
      found.set(policy, found.get(policy) ?? { policy, rule: null, place, why });
    } else if (applying(placed, route).value === false) {
      const why = `never here: ${whyNot(rule.when!, route)}`;
      found.set(`${policy} ${rule.key}`, { policy, rule: rule.name, place: placeOf(rule.span), why });
    }
  }
  return [...found.values()];
}

/** The first condition without parts that makes the whole one false. */
function whyNot(expression: TypedExpression, route: Route): string {
  if (expression.kind === 'and') {
    const guilty = expression.operands.find((operand) => remainderOf(operand, route).value === false);
    if (guilty !== undefined) return whyNot(guilty, route);
  }
  return `${clauseText(expression)} does not hold`;
}
