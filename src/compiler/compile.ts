import { assert } from '../base/assert.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { CheckedPolicies } from '../language/typed.ts';
import type { Route, World } from '../model/world.ts';
import type { RuleBundle } from '../pipeline/program.ts';
import { bundleOf } from './bundle.ts';
import { CompileMemory } from './compile-memory.ts';
import { Conditions } from './conditions.ts';
import { ProjectFindings, type SpanOf } from './conflicts.ts';
import type { RuleIr } from './ir.ts';
import { lowerPolicies } from './lower.ts';
import type { ResidualProgram } from './residual.ts';
import { groupRoutes, routesBySignature } from './route-groups.ts';
import { sortedRoutes } from './sorted-routes.ts';

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
  const { conditions, faultless } = memory.begin();
  const { rules, policies, moved } = lowerPolicies(checked, world, conditions, memory.lowered);
  const routes = memory.sorted(world.routes);
  const grouped = groupRoutes(rules, routes, conditions, memory);
  memory.keep(policies, grouped);
  const findings = new ProjectFindings(world, spanOf, faultless, moved);
  for (const [{ program }, routes] of routesBySignature(grouped)) findings.check(program, routes);
  let bundle: RuleBundle | undefined;
  return {
    diagnostics: findings.list(),
    get bundle() {
      bundle ??= memory.bundle((before) => bundleOf(grouped, { rules, moved }, checked, world, before));
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
  const { rules } = lowerPolicies(checked, world, conditions);
  // all routes, as when compiling: the order in which conditions are made shows in the code
  const { routes, signatures } = groupRoutes(rules, sortedRoutes(world.routes), conditions);
  const signature = signatures[routes.indexOf(route)];
  assert(signature !== undefined, 'every route has a signature');
  return { program: signature.program, rules };
}
