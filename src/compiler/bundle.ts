import { placeOf } from '../diagnostics/source.ts';
import { compareCodePoints } from '../language/order.ts';
import type { CheckedRule, LimitRule } from '../language/typed.ts';
import type { Route, World } from '../model/world.ts';
import type { CounterSpec } from '../pipeline/counters.ts';
import type { RouteProgram, RuleBundle, RuleInfo } from '../pipeline/program.ts';
import { placesBefore } from './aligned.ts';
import { bundleHash } from './bundle-hash.ts';
import { counterSpec } from './counter-specs.ts';
import { type FunctionCode, FunctionCodes } from './function-code.ts';
import type { RuleIr } from './ir.ts';
import type { Numbering } from './numbers.ts';
import type { GroupedRoutes } from './route-groups.ts';
import type { Made, Signature } from './signature.ts';

/** The programs of a rule set, for the next one in which most are the same. */
export interface BundledRoutes {
  readonly routes: readonly Route[];
  /** Of the route at the same place, as are those of `programs`. */
  readonly mades: readonly Made[];
  readonly programs: readonly RouteProgram[];
}

/** Passes 9 and 10. */
export function bundleOf(
  grouped: GroupedRoutes,
  rules: readonly RuleIr[],
  world: World,
  before: BundledRoutes | null,
): { readonly bundle: RuleBundle; readonly bundled: BundledRoutes } {
  const { routes, signatures } = grouped;
  const services = [...world.services.keys()].sort(compareCodePoints);
  const { numbering, counters } = numberingOf(rules, world);
  const { made, functions } = make(new Set(signatures), numbering);
  const mades = signatures.map((signature) => made.get(signature)!);
  const programs = programsOf(grouped, mades, services, before);
  const content = {
    services: services.map((name) => world.services.get(name)!),
    rules: rules.map(ruleInfo),
    counters: [...counters.values()].map(({ spec }) => spec),
  };
  const hash = bundleHash({ ...content, functions, routes, signatures });
  const bundle = { hash, ...content, functions: functions.map(({ text }) => text), routes: programs };
  return { bundle, bundled: { routes, mades, programs } };
}

/** `signatures` in order of the first route of each: functions and counters get their numbers as they are met. */
function make(signatures: ReadonlySet<Signature>, numbering: Numbering) {
  const codes = new FunctionCodes([...signatures].flatMap(({ codeSoFar }) => codeSoFar ?? []));
  const numbers = new Map<FunctionCode, number>();
  const made = new Map<Signature, Made>();
  for (const signature of signatures) {
    const code = signature.codeAmong(codes);
    const number = numbers.get(code) ?? numbers.size;
    numbers.set(code, number);
    made.set(signature, signature.made(number, numbering));
  }
  return { made, functions: [...numbers.keys()] };
}

function programsOf(
  { routes, signatures }: GroupedRoutes,
  mades: readonly Made[],
  services: readonly string[],
  before: BundledRoutes | null,
): RouteProgram[] {
  const places = placesBefore(routes, before?.routes ?? []);
  const numbers = new Map(services.map((name, number) => [name, number]));
  return routes.map((route, at) => {
    const service = numbers.get(route.service) ?? -1;
    const earlier = before?.programs[places[at]!] ?? null;
    const made = mades[at]!;
    const isSame = earlier?.service === service && before?.mades[places[at]!] === made;
    return isSame ? earlier : signatures[at]!.programOf(route, service, made, earlier);
  });
}

/** Counters get their numbers in the order in which they are asked for. */
function numberingOf(rules: readonly RuleIr[], world: World) {
  const places = new Map<CheckedRule, number>(rules.map(({ rule }, index) => [rule, index]));
  const counters = new Map<string, { readonly number: number; readonly spec: CounterSpec }>();
  const ofCounter = (rule: LimitRule): number => {
    const known = counters.get(rule.counterIdentity);
    if (known !== undefined) return known.number;
    const number = counters.size;
    counters.set(rule.counterIdentity, { number, spec: counterSpec(rule, world) });
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
