import { placeOf, type Span } from '../diagnostics/source.ts';
import { compareCodePoints } from '../language/order.ts';
import type { CheckedPolicies, CheckedRule, LimitRule } from '../language/typed.ts';
import { calledServices } from '../model/called-services.ts';
import type { Route, World } from '../model/world.ts';
import type { CounterSpec } from '../pipeline/counters.ts';
import type { RouteProgram, RuleBundle, RuleInfo } from '../pipeline/program.ts';
import { alertSpec } from './alert-specs.ts';
import { placesBefore } from './aligned.ts';
import { bundleHash } from './bundle-hash.ts';
import { type CounterOf, counterOf, counterSpec } from './counter-specs.ts';
import { digestOfRoute } from './digests.ts';
import { type FunctionCode, FunctionCodes } from './function-code.ts';
import type { RuleIr } from './ir.ts';
import type { Lowered } from './lower.ts';
import type { Numbering } from './numbers.ts';
import { poolRuleSpecs } from './pool-rules.ts';
import type { GroupedRoutes } from './route-groups.ts';
import { ShapingParts } from './shaping-parts.ts';
import type { Made, Signature } from './signature.ts';

/** The programs of a rule set, for the next one in which most are the same. */
export interface BundledRoutes {
  readonly services: readonly string[];
  readonly routes: readonly Route[];
  /** Of the route at the same place, as are the others. */
  readonly signatures: readonly Signature[];
  readonly made: readonly Made[];
  readonly programs: readonly RouteProgram[];
  /** What the hash of the rule set sees of the route. */
  readonly digests: readonly string[];
}

/** Passes 9 and 10. */
export function bundleOf(
  grouped: GroupedRoutes,
  { rules, moved }: Pick<Lowered, 'rules' | 'moved'>,
  policies: CheckedPolicies,
  world: World,
  before: BundledRoutes | null,
): { readonly bundle: RuleBundle; readonly bundled: BundledRoutes } {
  const called = calledServices(world).sort((a, b) => compareCodePoints(a.name, b.name));
  const services = called.map(({ name }) => name);
  const { numbering, counters } = numberingOf(rules, world);
  const functions = makeAll(new Set(grouped.signatures), numbering);
  const bundled = bundleRoutes(grouped, services, before);
  const content = {
    services: called,
    models: world.models,
    rules: rules.map((rule) => ruleInfo(rule, moved.get(rule.rule.span) ?? rule.rule.span)),
    counters: [...counters.values()].map(({ spec }) => spec),
    alerts: rules.flatMap((ir) => alertSpec(ir, world) ?? []),
    poolRules: poolRuleSpecs(policies, world),
  };
  const hash = bundleHash({ ...content, functions, routes: bundled.digests });
  const { programs } = bundled;
  return {
    bundle: { hash, ...content, functions: functions.map(({ text }) => text), routes: programs },
    bundled,
  };
}

/** `signatures` in order of the first route of each: functions and counters get their numbers as they are met. */
function makeAll(signatures: ReadonlySet<Signature>, numbering: Numbering): readonly FunctionCode[] {
  const codes = new FunctionCodes([...signatures].flatMap(({ codeSoFar }) => codeSoFar ?? []));
  const shapings = new ShapingParts();
  const numbers = new Map<FunctionCode, number>();
  for (const signature of signatures) {
    const code = signature.codeAmong(codes, shapings);
    const number = numbers.get(code) ?? numbers.size;
    numbers.set(code, number);
    signature.make(number, numbering);
  }
  return [...numbers.keys()];
}

/** Of AI routes, whose calls go where a key has room. */
const NO_SERVICE = -1;

/** A loop over all routes, so it looks at as little as it can. */
function bundleRoutes(
  { routes, signatures }: GroupedRoutes,
  services: readonly string[],
  before: BundledRoutes | null,
): BundledRoutes {
  const places = placesBefore(routes, before?.routes ?? []);
  const numbers = new Map(services.map((name, number) => [name, number]));
  const isSameServices = before !== null && sameNames(services, before.services);
  const made = signatures.map((signature) => signature.made);
  const programs = new Array<RouteProgram>(routes.length);
  const digests = new Array<string>(routes.length);
  for (let at = 0; at < routes.length; at++) {
    const signature = signatures[at]!;
    const place = places[at]!;
    const isSame = place !== -1 && before!.signatures[place] === signature;
    digests[at] = isSame ? before!.digests[place]! : `${digestOfRoute(routes[at]!)} ${signature.digest}`;
    if (isSame && isSameServices && before.made[place] === made[at]) programs[at] = before.programs[place]!;
    else {
      const route = routes[at]!;
      const earlier = before?.programs[place] ?? null;
      const service = route.service === null ? undefined : numbers.get(route.service);
      programs[at] = signature.programOf(route, service ?? NO_SERVICE, earlier);
    }
  }
  return { services, routes, signatures, made, programs, digests };
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at]);
}

/** Counters get their numbers in the order in which they are asked for. */
function numberingOf(rules: readonly RuleIr[], world: World) {
  const places = new Map<CheckedRule, number>(rules.map(({ rule }, index) => [rule, index]));
  const counters = new Map<string, { readonly number: number; readonly spec: CounterSpec }>();
  const ofCounter = (rule: LimitRule, of: CounterOf): number => {
    const { identity } = counterOf(rule, of);
    const known = counters.get(identity);
    if (known !== undefined) return known.number;
    const number = counters.size;
    const { mode } = rules[places.get(rule)!]!;
    counters.set(identity, { number, spec: counterSpec(rule, mode, world, of) });
    return number;
  };
  const numbering: Numbering = { ofRule: (rule) => places.get(rule)!, ofCounter };
  return { numbering, counters };
}

const INFOS = new WeakMap<RuleIr, RuleInfo>();

/** `span`: where the rule stands now. */
function ruleInfo(ir: RuleIr, span: Span): RuleInfo {
  const place = placeOf(span);
  const known = INFOS.get(ir);
  if (known?.place === place) return known;
  const { policy, rule, mode, reviewDueDay } = ir;
  const info = {
    policy,
    rule: rule.key,
    shownName: rule.name === null ? policy : `${policy}/${rule.name}`,
    kind: rule.kind,
    place,
    mode,
    reviewDueDay,
  };
  INFOS.set(ir, info);
  return info;
}
