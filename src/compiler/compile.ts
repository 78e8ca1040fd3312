import { assert } from '../base/assert.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { placeOf } from '../diagnostics/source.ts';
import { compareCodePoints } from '../language/order.ts';
import type { CheckedPolicies, LimitRule } from '../language/typed.ts';
import type { Route, World } from '../model/world.ts';
import type { CounterSpec } from '../pipeline/counters.ts';
import type { ProgramConstant, RouteProgram, RuleBundle, RuleInfo } from '../pipeline/program.ts';
import { bundleHash } from './bundle-hash.ts';
import { Conditions } from './conditions.ts';
import { ProjectFindings, type SpanOf } from './conflicts.ts';
import { counterSpec } from './counter-specs.ts';
import { generateProgram } from './generate/generate.ts';
import type { RuleIr } from './ir.ts';
import { lowerPolicies } from './lower.ts';
import { bodyRead, fieldsRead } from './reads.ts';
import { type ResidualProgram, residualProgram } from './residual.ts';
import { memberName, parameterNamesOf, RouteLens } from './route-facts.ts';
import { RuleIndex } from './select.ts';

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
 * is looked at only for those.
 */
export function compileRules(
  checked: CheckedPolicies,
  world: World,
  spanOf: SpanOf = () => null,
): CompiledRules {
  const conditions = new Conditions();
  const rules = lowerPolicies(checked, world, conditions);
  const routes = routesOf(world);
  const signatures = groupRoutes(rules, routes, conditions);
  const findings = new ProjectFindings(world, spanOf);
  for (const { program, routes } of signatures) findings.check(program, routes);
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
  const signature = groupRoutes(rules, routesOf(world), conditions).find(({ routes }) =>
    routes.includes(route),
  );
  assert(signature !== undefined, 'every route has a signature');
  return { program: signature.program, rules };
}

function routesOf(world: World): Route[] {
  return [...world.routes.values()].sort((a, b) => compareCodePoints(a.name, b.name));
}

function bundleOf(
  signatures: readonly Signature[],
  rules: readonly RuleIr[],
  routes: readonly Route[],
  world: World,
): RuleBundle {
  const output = new BundleOutput(world);
  for (const signature of signatures) output.add(signature);
  const content = output.finish(rules, routes);
  return { hash: bundleHash(content), ...content };
}

interface Signature {
  readonly program: ResidualProgram;
  readonly routes: Route[];
}

function groupRoutes(
  rules: readonly RuleIr[],
  routes: readonly Route[],
  conditions: Conditions,
): Signature[] {
  const index = new RuleIndex(rules);
  const lenses = new Map<
    readonly RuleIr[],
    { readonly lens: RouteLens; readonly seen: Map<string, Signature> }
  >();
  const signatures: Signature[] = [];
  for (const route of routes) {
    const candidates = index.candidates(route);
    let view = lenses.get(candidates);
    if (view === undefined) {
      view = { lens: new RouteLens(candidates), seen: new Map() };
      lenses.set(candidates, view);
    }
    const facts = view.lens.look(route);
    const key = JSON.stringify(facts);
    let signature = view.seen.get(key);
    if (signature === undefined) {
      signature = { program: residualProgram(candidates, facts, conditions), routes: [] };
      view.seen.set(key, signature);
      signatures.push(signature);
    }
    signature.routes.push(route);
  }
  return signatures;
}

/** Collects functions, counters and route programs while signatures are generated. */
class BundleOutput {
  readonly #world: World;
  readonly #services: readonly string[];
  readonly #serviceNumbers: ReadonlyMap<string, number>;
  readonly #functions = new Map<string, number>();
  readonly #counters = new Map<string, { readonly number: number; readonly spec: CounterSpec }>();
  readonly #programs = new Map<string, RouteProgram>();

  constructor(world: World) {
    this.#world = world;
    this.#services = [...world.services.keys()].sort(compareCodePoints);
    this.#serviceNumbers = new Map(this.#services.map((name, number) => [name, number]));
  }

  add({ program, routes }: Signature): void {
    const inBody = bodyRead(program);
    const generated = generateProgram(program, inBody, (rule) => this.#counterNumber(rule));
    const functionNumber = this.#functionNumber(generated.code);
    const read = fieldsRead(program);
    const nameless: readonly ProgramConstant[] = [null, generated.constants];
    for (const route of routes) {
      this.#programs.set(route.name, {
        route,
        service: this.#serviceNumbers.get(route.service) ?? -1,
        function: functionNumber,
        constants: generated.usesRouteName ? [route.name, generated.constants] : nameless,
        parameterNames: parameterNamesOf(route.match.path),
        headersRead: read.headers,
        queryRead: read.query,
        body: bodyProgram(route, inBody, read.body),
      });
    }
  }

  finish(rules: readonly RuleIr[], routes: readonly Route[]): Omit<RuleBundle, 'hash'> {
    return {
      routes: routes.map((route) => this.#programs.get(route.name)!),
      services: this.#services.map((name) => this.#world.services.get(name)!),
      functions: [...this.#functions.keys()],
      rules: rules.map(ruleInfo),
      counters: [...this.#counters.values()].map((counter) => counter.spec),
    };
  }

  #functionNumber(code: string): number {
    const known = this.#functions.get(code);
    if (known !== undefined) return known;
    this.#functions.set(code, this.#functions.size);
    return this.#functions.size - 1;
  }

  #counterNumber(rule: LimitRule): number {
    const known = this.#counters.get(rule.counterIdentity);
    if (known !== undefined) return known.number;
    const number = this.#counters.size;
    this.#counters.set(rule.counterIdentity, { number, spec: counterSpec(rule, this.#world) });
    return number;
  }
}

/** `deciding`: paths that enforced rules depend on. */
function bodyProgram(
  { requestBody }: Route,
  paths: readonly string[],
  deciding: readonly string[],
): RouteProgram['body'] {
  if (requestBody === null) return null;
  const members = paths.map((path) => ({
    path: memberName(path).split('.'),
    type: requestBody.members[memberName(path)]!.type,
    deciding: deciding.includes(path),
  }));
  return { members };
}

function ruleInfo({ policy, rule, mode, reviewDueDay }: RuleIr): RuleInfo {
  return {
    policy,
    rule: rule.key,
    shownName: rule.name === null ? policy : `${policy}/${rule.name}`,
    kind: rule.kind,
    place: placeOf(rule.span),
    mode,
    reviewDueDay,
  };
}
