import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import type { Route } from '../../model/world.ts';
import type { DatesNode, PolicyNode, RuleNode } from '../ast.ts';
import { compareCodePoints } from '../order.ts';
import { beyondAuthority, permitWithoutRoute } from '../problems/authorities.ts';
import { equalLimits, formerNameInUse, ruleTwice } from '../problems/names.ts';
import { appliesNowhere, noEffect } from '../problems/rules.ts';
import { staticValue } from '../static-value.ts';
import type { CheckedPolicy, CheckedRule, PoolRule, TypedExpression } from '../typed.ts';
import { noteName } from './asked.ts';
import { ownsRoutes, routesOwned, withinAuthority, withinOwned } from './authorities.ts';
import { checkCondition } from './conditions.ts';
import type { CheckContext } from './context.ts';
import { both, inForce } from './dates.ts';
import { successorOf } from './deprecations.ts';
import { Known } from './known.ts';
import { checkPoolRule, isAboutPools } from './pool-rules.ts';
import { checkReview } from './reviews.ts';
import type { RouteIndex } from './route-index.ts';
import { checkRule } from './rules.ts';

/** A policy, resolved and typed. Null means that a problem in it was reported. */
export function checkPolicy(
  context: CheckContext,
  node: PolicyNode,
  index: RouteIndex,
): CheckedPolicy | null {
  let errors = 0;
  const report = (problem: Diagnostic): void => {
    if (problem.severity === 'error') errors++;
    context.report(problem);
  };
  const counting = { ...context, report, undescribed: new Set<string>() };
  const review = checkReview(counting, node);
  const { scope, known } = checkScope(counting, node, index);
  const inPolicy = { ...counting, successor: successorOf(counting, node, known) };
  const place = { policy: node.name.value, scope: scope === 'unreadable' ? null : scope, known };
  const ofRequests = node.rules.filter((rule) => !isAboutPools(rule));
  const checked = ofRequests.flatMap((rule) => {
    const typed = checkRule(inPolicy, rule, place);
    return typed === null ? [] : [{ node: rule, rule: typed }];
  });
  const checkedOfPools = node.rules.filter(isAboutPools).flatMap((rule) => {
    const typed = checkPoolRule(inPolicy, rule, node.effective, index);
    return typed === null ? [] : [{ node: rule, rule: typed }];
  });
  checkPermits(counting, node);
  checkFormerNames(counting, node);
  const distinct = distinctRules<CheckedRule | PoolRule>(counting, [...checked, ...checkedOfPools]);
  const poolRules = distinct.filter(isPoolRule);
  const rules = distinct.filter((rule) => !isPoolRule(rule));
  const isOfPoolsAlone = ofRequests.length === 0 && node.rules.length > 0;
  if (errors === 0 && scope !== 'unreadable' && !isOfPoolsAlone)
    warnAboutEffects(context, node, known.routes, rules);
  const read = checked.length + checkedOfPools.length;
  if (errors > 0 || scope === 'unreadable' || read < node.rules.length) return null;
  return {
    name: node.name.value,
    title: node.title?.value ?? null,
    owner: node.owner?.value ?? null,
    review,
    effective: node.effective === null ? null : { ...daysOf(node.effective), zone: context.zone },
    span: node.span,
    scope,
    rules: rules.sort((a, b) => compareCodePoints(a.key, b.key)),
    poolRules: poolRules.sort((a, b) => compareCodePoints(a.key, b.key)),
  };
}

function daysOf({ firstDay, lastDay }: DatesNode) {
  return { firstDay, lastDay };
}

interface Scope {
  readonly scope: TypedExpression | 'unreadable' | null;
  readonly known: Known;
}

/** Where and when the policy applies, cut to what its folder may govern. */
function checkScope(context: CheckContext, node: PolicyNode, index: RouteIndex): Scope {
  const { appliesTo } = node;
  const { authority, project } = context;
  const everywhere = Known.of(index.all, project.ofEveryTeam, () => {
    context.asked.otherRoutes = true;
  });
  for (const route of routesOwned(project, authority)) noteName(context.asked, 'route', route, true);
  const authorised = withinAuthority(project, authority, node.span);
  const allowed = authorised === null ? everywhere : everywhere.after(authorised, true);
  const dates = inForce(context, node.effective);
  const where =
    appliesTo === null || appliesTo === 'unreadable'
      ? null
      : checkCondition(context, allowed, appliesTo, 'scope');
  if (appliesTo !== null && where === null) return { scope: 'unreadable', known: allowed.afterMistake() };
  if (where !== null) warnAboutClaims(context, node, where, index.all);
  const scope = both(authorised, both(where, dates));
  if (scope === null) return { scope, known: everywhere };
  const candidates = Known.of(index.candidates(scope), project.ofEveryTeam);
  return { scope, known: candidates.after(scope, true) };
}

/** Routes that `applies to` picks out although the folder does not own them. One that picks out none means "all that I may". */
function warnAboutClaims(
  context: CheckContext,
  node: PolicyNode,
  where: TypedExpression,
  all: readonly Route[],
): void {
  const { authority, project } = context;
  const owned = withinOwned(project, authority, node.span);
  if (owned.length === 0) return;
  context.asked.otherRoutes = true;
  const claimed = all.filter((route) => staticValue(where, route) !== false);
  const beyond = claimed.filter((route) => owned.some((part) => staticValue(part, route) === false));
  if (beyond.length === 0 || claimed.length === all.length) return;
  const names = beyond.map(({ name }) => name).sort(compareCodePoints);
  context.report(beyondAuthority(node.span, node.name.value, authority.folder, names));
}

/** A limit takes over the counters of its former name, so nobody may bear it now. */
function checkFormerNames({ report }: CheckContext, { rules }: PolicyNode): void {
  const names = new Map(
    rules.flatMap(({ name }) => (name === null ? [] : [[name.value, name.span] as const])),
  );
  for (const rule of rules) {
    if (!('was' in rule) || rule.was === null) continue;
    const bearer = names.get(rule.was.value);
    if (bearer !== undefined) report(formerNameInUse(rule.was.span, rule.was.value, bearer));
    else names.set(rule.was.value, rule.was.span);
  }
}

/** Permits count only on routes that the folder owns. */
function checkPermits({ authority, report }: CheckContext, { rules }: PolicyNode): void {
  if (ownsRoutes(authority)) return;
  for (const { kind, span } of rules)
    if (kind === 'permit') report(permitWithoutRoute(span, authority.folder));
}

function isPoolRule(rule: CheckedRule | PoolRule): rule is PoolRule {
  return rule.kind === 'pool-alert' || rule.kind === 'rotation';
}

interface CheckedNode<Rule> {
  readonly node: RuleNode;
  readonly rule: Rule;
}

/** Two equal rules of a policy are one rule; two limits that would share a counter, or two of one name, are mistakes. */
function distinctRules<Rule extends CheckedRule | PoolRule>(
  context: CheckContext,
  checked: readonly CheckedNode<Rule>[],
): Rule[] {
  const byKey = new Map<string, Rule>();
  const byCounter = new Map<string, Span>();
  for (const { node, rule } of checked) {
    const counter = 'counterIdentity' in rule && rule.name === null ? rule.counterIdentity : null;
    const sharing = counter === null ? undefined : byCounter.get(counter);
    const first = byKey.get(rule.key);
    if (sharing !== undefined) context.report(equalLimits(rule.span, sharing));
    else if (first === undefined) byKey.set(rule.key, rule);
    else if (rule.name !== null) context.report(ruleTwice(node.name!.span, rule.name, first.span));
    if (counter !== null) byCounter.set(counter, sharing ?? rule.span);
  }
  return [...byKey.values()];
}

function warnAboutEffects(
  context: CheckContext,
  node: PolicyNode,
  routes: readonly Route[],
  rules: readonly CheckedRule[],
): void {
  if (routes.length === 0) {
    context.report(appliesNowhere(node.span, node.name.value));
    return;
  }
  for (const rule of rules) {
    const why = withoutEffect(rule, routes);
    if (why !== null) context.report(noEffect(rule.span, why));
  }
}

function withoutEffect(rule: CheckedRule, routes: readonly Route[]): string | null {
  const { when } = rule;
  if (when !== null && routes.every((route) => staticValue(when, route) === false)) {
    return 'its condition is false for every route of the policy';
  }
  if (rule.kind === 'require' && routes.every((route) => staticValue(rule.condition, route) === true)) {
    return 'what it requires is true for every route of the policy';
  }
  if (rule.kind === 'default' && rule.member.definition.absence === 'never') {
    return 'the schema of every route of the policy requires the member';
  }
  return null;
}
