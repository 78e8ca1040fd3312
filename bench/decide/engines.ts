import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import type { AuthorizationAnswer, CheckParseAnswer } from '@cedar-policy/cedar-wasm/nodejs';
import { Environment } from '@marcbachmann/cel-js';
import { newEnforcer, newModelFromString } from 'casbin';
import { LIMIT_DEFAULTS } from '../../src/base/limits.ts';
import { instantiateRoute } from '../../src/compiler/instantiate.ts';
import { Interpreter } from '../../src/compiler/interpret.ts';
import { ReferenceCounters } from '../../src/compiler/reference-counters.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { NOBODY_WAITS } from '../../src/pipeline/counters.ts';
import { CONTINUE, type Outcome } from '../../src/pipeline/outcome.ts';
import type { BoundRuntime } from '../../src/pipeline/program.ts';
import { type BuiltProject, buildProject } from '../../src/tools/build-project.ts';
import { isInOffice } from './gateway.ts';
import type { Facts, Sample, Scenario } from './scenario.ts';

/** One way to decide. What it needs of a request is made before anything is measured. */
export interface Engine {
  readonly name: string;
  /** Decides request `at` of the scenario: true permits. */
  readonly decide: (at: number) => boolean;
  /** The whole answer, for those who give one; what another engine answers is compared with it. */
  readonly answer?: (at: number) => Outcome;
}

const RUNTIME: BoundRuntime = {
  counters: new ReferenceCounters().bind([]),
  turns: NOBODY_WAITS,
  hashKey: () => {},
  combineKey: () => {},
  bodies: { compileSchema: () => () => null, limits: LIMIT_DEFAULTS },
  alerts: { matched() {} },
};

export type Project = NonNullable<BuiltProject['built']>;

export function build(scenario: Scenario): Project {
  const texts = Object.entries(scenario.files).map(([path, text]) => new SourceText(path, text));
  const { built, diagnostics } = buildProject(texts, '/bench', 0);
  if (built === null)
    throw new Error(`${scenario.name}: ${JSON.stringify(diagnostics.map((each) => each.message))}`);
  return built;
}

/** Rules by hand, compiled and interpreted. */
export function ownEngines(scenario: Scenario, project: Project): Engine[] {
  const contexts = scenario.requests.map(({ context }) => context);
  const { byHand } = scenario;
  const route = project.bundle.routes.findIndex((program) => program.route.name === scenario.route);
  const { match, authorise } = instantiateRoute(
    project.bundle.functions,
    project.bundle.routes[route]!,
    RUNTIME,
  );
  const interpreter = new Interpreter(project.policies, project.world, new ReferenceCounters(), RUNTIME, {
    as: () => null,
    counted: (call) => call,
  });
  const decided = (at: number): Outcome => {
    const outcome = match(contexts[at]!);
    return outcome === CONTINUE ? authorise(contexts[at]!) : outcome;
  };
  return [
    {
      name: 'by hand',
      decide: codeOfItsOwn('(at) => byHand(contexts[at]) === CONTINUE', { byHand, contexts, CONTINUE }),
      answer: (at) => byHand(contexts[at]!),
    },
    {
      name: 'compiled',
      decide: codeOfItsOwn(
        '(at) => match(contexts[at]) === CONTINUE && authorise(contexts[at]) === CONTINUE',
        { match, authorise, contexts, CONTINUE },
      ),
      answer: decided,
    },
    {
      name: 'interpreter',
      decide: (at) => interpreter.judge(scenario.route, plain(contexts[at]!)).decision === 'permitted',
    },
  ];
}

/**
 * A function from text, over named values. V8 keeps what it learns of types and calls with the code, and equal texts, as a
 * closure made for each scenario, are one code: it would have learnt of all of them. The number makes the texts differ.
 */
export function codeOfItsOwn<Code>(code: string, values: Readonly<Record<string, unknown>>): Code {
  return new Function(...Object.keys(values), `// ${codes++}\nreturn ${code};`)(
    ...Object.values(values),
  ) as Code;
}
let codes = 0;

function plain(context: Sample['context']) {
  const { arrivedWallMs: _wall, arrivedMonotonicMs: _monotonic, ...rest } = context;
  return {
    ...rest,
    id: { high: context.idHigh, low: context.idLow },
    ip: context.ip,
    countedTokens: null,
    isKept: false,
    arrivedMonotonicMs: context.nowMonotonicMs,
    arrivedWallMs: context.nowWallMs,
  };
}

export async function otherEngines(scenario: Scenario): Promise<Engine[]> {
  return [celEngine(scenario), cedarEngine(scenario), await casbinEngine(scenario)];
}

/** The expression is parsed and its variables are typed before; the facts are a plain object, as they come. */
function celEngine({ cel, requests }: Scenario): Engine {
  const environment = new Environment();
  for (const [name, value] of Object.entries(requests[0]!.facts)) {
    environment.registerVariable(name, celType(value));
  }
  environment.registerFunction('inOffice(string): bool', (ip: string) => isInOffice(ip));
  const evaluate = environment.parse(cel);
  const facts = requests.map((sample) => sample.facts as Record<string, unknown>);
  return {
    name: 'cel-js',
    decide: codeOfItsOwn('(at) => evaluate(facts[at]) === true', { evaluate, facts }),
  };
}

function celType(value: Facts[string]): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'number' ? 'double' : 'list<string>';
}

/** The part of the package that is used, which loads its WebAssembly by itself. */
interface CedarWasm {
  readonly preparsePolicySet: (id: string, policies: { staticPolicies: string }) => CheckParseAnswer;
  readonly statefulIsAuthorized: (call: unknown) => AuthorizationAnswer;
}

/** Policies are parsed before; requests and entities go with each call, because the package keeps only policies and schemas. */
function cedarEngine({ name, cedar, requests }: Scenario): Engine {
  // V8 11.3 ends the process when it deoptimises code into which a call of WebAssembly was inlined that returns a reference.
  setFlagsFromString('--no-turbo-inline-js-wasm-calls');
  const wasm: CedarWasm = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs');
  const parsed = wasm.preparsePolicySet(name, { staticPolicies: cedar.policies });
  if (parsed.type === 'failure') throw new Error(`${name}: ${JSON.stringify(parsed.errors)}`);
  const calls = requests.map(({ facts }) => ({ ...cedar.call(facts), preparsedPolicySetId: name }));
  return {
    name: 'cedar-wasm',
    decide: (at) => {
      const answer = wasm.statefulIsAuthorized(calls[at]);
      if (answer.type === 'failure') throw new Error(`${name}: ${JSON.stringify(answer.errors)}`);
      if (answer.response.diagnostics.errors.length > 0) {
        throw new Error(`${name}: ${JSON.stringify(answer.response.diagnostics.errors)}`);
      }
      return answer.response.decision === 'allow';
    },
  };
}

const CASBIN_MODEL = `
[request_definition]
r = f
[policy_definition]
p = rule, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = eval(p.rule)
`;

/** Rules are lines of its policy, with its own way to evaluate expressions; the enforcer is synchronous. */
async function casbinEngine({ casbin, requests }: Scenario): Promise<Engine> {
  const enforcer = await newEnforcer(newModelFromString(CASBIN_MODEL));
  await enforcer.addFunction('has', (list: readonly string[], item: string) => list.includes(item));
  await enforcer.addFunction('startsWith', (text: string, start: string) => text.startsWith(start));
  await enforcer.addFunction('inOffice', (ip: string) => isInOffice(ip));
  for (const { rule, effect } of casbin) await enforcer.addPolicy(rule, effect);
  const facts = requests.map((sample) => sample.facts);
  return { name: 'casbin', decide: (at) => enforcer.enforceSync(facts[at]) };
}
