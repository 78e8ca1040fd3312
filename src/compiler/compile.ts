import { assert } from '../base/assert.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { placeOf } from '../diagnostics/source.ts';
import { compareCodePoints } from '../language/order.ts';
import type { CheckedPolicies, CheckedRule, LimitRule } from '../language/typed.ts';
import type { Route, World } from '../model/world.ts';
import type { CounterSpec } from '../pipeline/counters.ts';
import type { RouteProgram, RuleBundle, RuleInfo } from '../pipeline/program.ts';
import { bundleHash } from './bundle-hash.ts';
import { CompileMemory } from './compile-memory.ts';
import { Conditions } from './conditions.ts';
import { ProjectFindings, type SpanOf } from './conflicts.ts';
import { counterSpec } from './counter-specs.ts';
import type { RuleIr } from './ir.ts';
import { lowerPolicies } from './lower.ts';
import type { Numbering } from './numbers.ts';
import type { ResidualProgram } from './residual.ts';
import { type GroupedRoutes, groupRoutes } from './route-groups.ts';

export interface CompiledRules {
  /** Made when first asked for: who only checks needs no code. Making it finds nothing more. */
  readonly bundle: RuleBundle;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles all policies for all routes of a project. The passes, each in its file:
 *
 * 1. `lower`        every rule becomes one condition (`ir`, `conditions`)
 * 2. `lower`        deciding rules are placed in the earliest phase that knows their facts
 * 3. `select`       rules are filed under the routes, services and tags they demand
 * 4. `route-facts`  routes that look alike to their rules share a signature
 * 5. `specialise`   conditions are evaluated as far as the signature decides them
 * 6. `residual`     what remains is sorted by phase, equal actions are merged
 * 7. `conflicts`    contradictions and routes that nothing permits are reported
 * 8. `fact-tables`  rules are filed under the values that they demand of the request
 * 9. `generate/`    JavaScript and its constants
 * 10. `bundle-hash` the content gets its name
 *
 * Cost: passes 5 to 9 run once for each signature, not for each route; a policy that demands a route, service or tag
 * is looked at only for those. With the `memory` of an earlier call, signatures whose rules are the same are kept.
 */
export function compileRules(
  checked: CheckedPolicies,
  world: World,
  spanOf: SpanOf = () => null,
  memory: CompileMemory = new CompileMemory(),
): CompiledRules {
  const { conditions, lowered, faultless } = memory.begin();
  const rules = lowerPolicies(checked, world, conditions, lowered);
  const routes = routesOf(world);
  const { signatures, groups } = groupRoutes(rules, routes, conditions, memory);
  memory.keep(groups);
  const findings = new ProjectFindings(world, spanOf, faultless);
  for (const [{ program }, routes] of signatures) findings.check(program, routes);
  let bundle: RuleBundle | undefined;
  return {
    diagnostics: findings.list(),
    get bundle() {
      bundle ??= bundleOf(signatures, rules, routes, world);
      return bundle;
    },
  };
}

/** What one route runs, before it becomes code, and the rules by their numbers. */
export function programOf(
  checked: CheckedPolicies,
  world: World,
  route: Route,
): { readonly program: ResidualProgram; readonly rules: readonly RuleIr[] } {
  const conditions = new Conditions();
  const rules = lowerPolicies(checked, world, conditions);
  // all routes, as when compiling: the order in which conditions are made shows in the code
  const { signatures } = groupRoutes(rules, routesOf(world), conditions);
  const found = [...signatures].find(([, alike]) => alike.includes(route));
  assert(found !== undefined, 'every route has a signature');
  return { program: found[0].program, rules };
}

function routesOf(world: World): Route[] {
  return [...world.routes.values()].sort((a, b) => compareCodePoints(a.name, b.name));
}

function bundleOf(
  signatures: GroupedRoutes['signatures'],
  rules: readonly RuleIr[],
  routes: readonly Route[],
  world: World,
): RuleBundle {
  const services = [...world.services.keys()].sort(compareCodePoints);
  const serviceNumbers = new Map(services.map((name, number) => [name, number]));
  const functions = new Map<string, number>();
  const { numbering, counters } = numberingOf(rules, world);
  const programs = new Map<string, RouteProgram>();
  for (const [signature, alike] of signatures) {
    const { code } = signature;
    const functionNumber = functions.get(code) ?? functions.size;
    functions.set(code, functionNumber);
    for (const route of alike) {
      const service = serviceNumbers.get(route.service) ?? -1;
      programs.set(route.name, signature.programOf(route, service, functionNumber, numbering));
    }
  }
  const content = {
    routes: routes.map((route) => programs.get(route.name)!),
    services: services.map((name) => world.services.get(name)!),
    functions: [...functions.keys()],
    rules: rules.map(ruleInfo),
    counters: [...counters.values()].map(({ spec }) => spec),
  };
  return { hash: bundleHash(content), ...content };
}

/** Counters get their numbers in the order in which they are asked for. */
function numberingOf(rules: readonly RuleIr[], world: World) {
  const places = new Map<CheckedRule, number>(rules.map(({ rule }, index) => [rule, index]));
  const counters = new Map<string, { readonly number: number; readonly spec: CounterSpec }>();
  const ofCounter = (rule: LimitRule): number => {
    const known = counters.get(rule.counterIdentity);
    if (known !== undefined) return known.number;
    const number = counters.size;
    const { mode } = rules[places.get(rule)!]!;
    counters.set(rule.counterIdentity, { number, spec: counterSpec(rule, mode, world) });
    return number;
  };
  const numbering: Numbering = { ofRule: (rule) => places.get(rule)!, ofCounter };
  return { numbering, counters };
}

const INFOS = new WeakMap<RuleIr, RuleInfo>();

function ruleInfo(ir: RuleIr): RuleInfo {
  let info = INFOS.get(ir);
  if (info === undefined) {
    const { policy, rule, mode, reviewDueDay } = ir;
    info = {
      policy,
      rule: rule.key,
      shownName: rule.name === null ? policy : `${policy}/${rule.name}`,
      kind: rule.kind,
      place: placeOf(rule.span),
      mode,
      reviewDueDay,
    };
    INFOS.set(ir, info);
  }
  return info;
}
