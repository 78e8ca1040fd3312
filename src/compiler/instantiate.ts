import { assert } from '../base/assert.ts';
import type { TakeBatch } from '../pipeline/counters.ts';
import type {
  BoundRuntime,
  InstantiateRoute,
  ProgramConstant,
  RoutePipeline,
  RouteProgram,
  RuleBundle,
} from '../pipeline/program.ts';
import { maskedRequests, maskedResponses } from './runtime/body-masks.ts';
import { bodyReader } from './runtime/body-reader.ts';
import { RuntimeSupport } from './runtime/support.ts';

/** The code of a rule set, which is known by this list. */
type Functions = RuleBundle['functions'];
type ProgramFactory = (runtime: RuntimeSupport, constants: readonly ProgramConstant[]) => RoutePipeline;

/**
 * The run-time half of the compiler: turns the program of a route into functions, on the data thread that serves it.
 * Each function is compiled once per thread; routes that share function and constants share the pipeline.
 */
export const instantiateRoute: InstantiateRoute = (functions, program, binding) => {
  const pipeline = sharedPipeline(functions, program, binding);
  const { requestBody, ai } = program.route;
  const isRead = program.body !== null && requestBody !== null;
  const isMasked = pipeline.requestMasks !== null || pipeline.responseMasks !== null;
  const isCached = pipeline.cacheForMs !== null;
  const isCall = ai !== null;
  if (!isRead && !isMasked && !isCached && !isCall) return pipeline;
  const { limits } = binding.bodies;
  return {
    ...pipeline,
    admit:
      isCached || isCall ? admittingWith(threadOf(binding).support.batch, pipeline.admit) : pipeline.admit,
    readBody: isRead
      ? toldMasked(bodyReader(program.body, requestBody, binding.bodies), pipeline.requestMasks)
      : pipeline.readBody,
    maskRequest: maskedRequests(pipeline, ai, limits),
    responseTransform: maskedResponses(pipeline, ai, limits),
  };
};

/**
 * An answer that is at hand uses neither tokens nor money, so nothing of those is asked (language-rules #31). A prompt that can be
 * counted is refused by its bytes only for the time being.
 */
function admittingWith(batch: TakeBatch, admit: RoutePipeline['admit']): RoutePipeline['admit'] {
  return (context) => {
    if (context.cached) batch.leavesOut = 'estimates';
    batch.isTrial = context.shapedCall?.prompt === 'countable';
    const outcome = admit(context);
    batch.isTrial = false;
    batch.leavesOut = 'nothing';
    return outcome;
  };
}

/** From when a body has been read, texts may tell of it: what is masked in it is not told (language-rules #32). */
function toldMasked(
  readBody: NonNullable<RoutePipeline['readBody']>,
  masks: RoutePipeline['requestMasks'],
): RoutePipeline['readBody'] {
  if (masks === null) return readBody;
  return (context, text) => {
    const fault = readBody(context, text);
    if (fault === null) context.bodyMasks = masks;
    return fault;
  };
}

function sharedPipeline(functions: Functions, program: RouteProgram, binding: BoundRuntime): RoutePipeline {
  const thread = threadOf(binding);
  const known = thread.pipelines.get(program.constants)?.get(program.function);
  if (known !== undefined) return known;
  const pipeline = factoryOf(functions, program.function)(thread.support, program.constants);
  const pipelines = thread.pipelines.get(program.constants) ?? new Map<number, RoutePipeline>();
  thread.pipelines.set(program.constants, pipelines.set(program.function, pipeline));
  return pipeline;
}

interface ThreadState {
  readonly support: RuntimeSupport;
  readonly pipelines: WeakMap<readonly ProgramConstant[], Map<number, RoutePipeline>>;
}

/** Everything is held by the rule set or the binding it belongs to, and ends with it. */
const THREADS = new WeakMap<BoundRuntime, ThreadState>();
const FACTORIES = new WeakMap<Functions, Factories>();

/**
 * A reload mostly changes constants, or the code of few routes. Functions of equal code come from the rule set before,
 * so that what V8 has learnt and optimised serves on: made anew, they run interpreted for their first thousand calls.
 */
interface Factories {
  readonly byCode: Map<string, ProgramFactory>;
  /** Of the rule set before, until the next one comes: never more than two are held. */
  previous: ReadonlyMap<string, ProgramFactory> | null;
}
let newest: Factories | null = null;

function threadOf(binding: BoundRuntime): ThreadState {
  let state = THREADS.get(binding);
  if (state === undefined) {
    state = { support: new RuntimeSupport(binding), pipelines: new WeakMap() };
    THREADS.set(binding, state);
  }
  return state;
}

function factoryOf(functions: Functions, index: number): ProgramFactory {
  const code = functions[index];
  assert(code !== undefined, `no function ${index} in this rule set`);
  const { byCode, previous } = factoriesOf(functions);
  let factory = byCode.get(code);
  if (factory === undefined) {
    // Made of the compiler's own templates: user text reaches it only as constants (generate/pool.ts).
    factory = previous?.get(code) ?? (new Function('runtime', 'constants', code) as ProgramFactory);
    byCode.set(code, factory);
  }
  return factory;
}

function factoriesOf(functions: Functions): Factories {
  let factories = FACTORIES.get(functions);
  if (factories === undefined) {
    factories = { byCode: new Map(), previous: newest?.byCode ?? null };
    if (newest !== null) newest.previous = null;
    newest = factories;
    FACTORIES.set(functions, factories);
  }
  return factories;
}
