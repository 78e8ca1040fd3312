import type { LimitValues } from '../base/limits.ts';
import type { MaskSet } from '../model/masks/mask-set.ts';
import type { Models } from '../model/pools.ts';
import type { CheckSchema, JsonSchema } from '../model/request-body.ts';
import type { ValueType } from '../model/types.ts';
import type { Route, Service } from '../model/world.ts';
import type { AlertSink, AlertSpec } from './alerts.ts';
import type { BodyFault, TransformRequestBody, TransformResponseBody } from './body-transform.ts';
import type { HeaderEdits, RequestContext } from './context.ts';
import type { CounterBinding, CounterSpec, Turns } from './counters.ts';
import type { KeyHash } from './identity.ts';
import type { Outcome, Refusal } from './outcome.ts';
import type { PoolRuleSpecs } from './pool-rules.ts';
import type { TargetLimits } from './target-limits.ts';

/**
 * Everything a data thread needs to serve one version of the rules. Plain data: built on the control thread, sent to
 * the data threads, cached by content. The directory is not part of it: it has an epoch of its own.
 */
export interface RuleBundle {
  /** SHA-256 over the content, 16 hex digits. */
  readonly hash: string;
  readonly routes: readonly RouteProgram[];
  /** With those of the providers that pools have keys of. */
  readonly services: readonly Service[];
  readonly models: Models;
  /** Bodies of `new Function('runtime', 'constants', …)`; each returns an object with the phases of a pipeline. */
  readonly functions: readonly string[];
  readonly rules: readonly RuleInfo[];
  readonly counters: readonly CounterSpec[];
  readonly alerts: readonly AlertSpec[];
  /** For the control thread alone. */
  readonly poolRules: PoolRuleSpecs;
}

export interface RouteProgram {
  readonly route: Route;
  /** Index into `RuleBundle.services`; -1 of AI routes. */
  readonly service: number;
  /** Index into `RuleBundle.functions`: routes with equal residual programs share one. */
  readonly function: number;
  /** What differs between routes that share a function: texts, numbers, sets – always data, never code. */
  readonly constants: readonly ProgramConstant[];
  /** Names of path parameters in the order of the pattern. */
  readonly parameterNames: readonly string[];
  /** Lower-case names of header fields that rules read: repeated ones are refused (language-rules #4). */
  readonly headersRead: readonly string[];
  readonly queryRead: readonly string[];
  /** What is read of the body; null where bodies pass unread. */
  readonly body: BodyProgram | null;
}

/** A body is read whole, and checked against the schema of the route, before its members are. */
export interface BodyProgram {
  /** Their places are those in `RequestContext.body`. */
  readonly members: readonly BodyMemberRead[];
}

export interface BodyMemberRead {
  /** Names from the body to the value; from the first list on once more for each: `[['items'], ['price']]`. */
  readonly paths: readonly (readonly string[])[];
  readonly type: ValueType;
  /** Enforced rules depend on it: a name that differs only in capitals is refused (language-rules #4). */
  readonly deciding: boolean;
}

export type ProgramConstant =
  | string
  | number
  | boolean
  | null
  | readonly ProgramConstant[]
  | { readonly [name: string]: ProgramConstant };

/** What logs, `explain` and headers say of a rule. */
export interface RuleInfo {
  readonly policy: string;
  /** The rule's name, or its canonical text when it has none: for those who may read the policies. */
  readonly rule: string;
  /** What callers may be told: `policy/rule`, or just the policy of a rule without name. */
  readonly shownName: string;
  readonly kind: string;
  /** `policies/teams.policy:12:5`. */
  readonly place: string;
  readonly mode: 'enforce' | 'warn' | 'shadow';
  /** Last day in time for the next review of the policy, in days since 1970-01-01; null when none is asked for or known. */
  readonly reviewDueDay: number | null;
}

/** The compiled phases of one route. Every function runs in one turn, and allocates nothing when it answers CONTINUE. */
export interface RoutePipeline {
  /** Rules that need no identity; runs before the caller is identified. */
  readonly match: (context: RequestContext) => Outcome;
  /** The remaining permit, forbid and require rules. */
  readonly authorise: (context: RequestContext) => Outcome;
  /**
   * Checks the text of a body and leaves what rules read of it on the context; a fault refuses the request. Null on
   * routes whose bodies pass unread.
   */
  readonly readBody: ((context: RequestContext, text: Uint8Array) => BodyFault | null) | null;
  /** The rules that read the body; runs once it has been read. */
  readonly judgeBody: (context: RequestContext) => Outcome;
  /** Takes from all limits; leaves `reservation` and the RateLimit values on the context. */
  readonly admit: (context: RequestContext) => Outcome;
  /** Those limits that are counted by what a call is sent to; asked once it has been shaped and admitted. Null on routes without such rules. */
  readonly targetLimits: ((context: RequestContext) => TargetLimits | null) | null;
  readonly shapeRequest: (context: RequestContext, edits: HeaderEdits) => void;
  readonly shapeResponse: (context: RequestContext, edits: HeaderEdits) => void;
  /** What is to be removed of this request's body, and of its answer's; null: nothing. Null themselves on routes without such rules. */
  readonly requestMasks: ((context: RequestContext) => MaskSet | null) | null;
  readonly responseMasks: ((context: RequestContext) => MaskSet | null) | null;
  /** The whole text of a body as it may go on; asked once it has been read. Null on routes without masks. */
  readonly maskRequest: ((context: RequestContext, text: Uint8Array) => Uint8Array | BodyFault) | null;
  /** Null on routes whose rules leave bodies as they are: those pay nothing. */
  readonly requestTransform: TransformRequestBody | null;
  /**
   * The most tokens that an answer to the call may have, by the caller and the rules; infinite where neither says anything. Null on
   * routes without such rules.
   */
  readonly outputCap: ((context: RequestContext) => number) | null;
  readonly responseTransform: TransformResponseBody | null;
  /** The least total time that rules allow, or Infinity. */
  readonly totalTimeoutMs: (context: RequestContext) => number;
  /** For how long rules let the answer be kept for later requests; 0: not at all. Null on routes without such rules: those pay nothing. */
  readonly cacheForMs: ((context: RequestContext) => number) | null;
  /** The pools that rules leave a call to a model, in the order in which they are tried; null: all of the model. One list for each rule. */
  readonly poolsFor: (context: RequestContext) => readonly string[] | null;
  /** The pools that rules leave out of those of a call to a model; null: none. The same object for the same rules. */
  readonly barredPools: (context: RequestContext) => BarredPools | null;
  /**
   * How they refuse a call that no pool is left for. `pools`: those that it would have but for `barred`; null where rules bar none of
   * them. `status`: where they say none.
   */
  readonly refuseTargets: (
    context: RequestContext,
    barred: BarredPools,
    pools: readonly string[],
    status: number,
  ) => Refusal | null;
  /** Tells the sink of requests that have ended, with `context.answer`. Null on routes without such rules: those pay nothing. */
  readonly alerts: ((context: RequestContext) => void) | null;
  /** Whether `alerts` asks for the client's address, which is not known any more by then: it has to be asked for before. */
  readonly alertsReadAddress: boolean;
}

export interface BarredPools {
  readonly pools: ReadonlySet<string>;
  /** Which cases of the program's rules hold. */
  readonly cases: readonly number[];
}

/**
 * Turns the program of a route into functions; `functions` are those of its rule set. Implemented by the compiler's runtime half, handed to the data
 * threads by `cli/compose`, called on a route's first request.
 */
export type InstantiateRoute = (
  functions: RuleBundle['functions'],
  program: RouteProgram,
  binding: BoundRuntime,
) => RoutePipeline;

/** What instantiated code may call on its thread. */
export interface BoundRuntime {
  readonly counters: CounterBinding;
  readonly turns: Turns;
  /** Keyed hash of one part of a counter key; tag and text are both covered. */
  readonly hashKey: (tag: string, text: string, into: MutableKeyHash) => void;
  /** Folds a further part into a composite key; the order of parts matters. */
  readonly combineKey: (into: MutableKeyHash, part: KeyHash) => void;
  readonly bodies: BodyChecks;
  readonly alerts: AlertSink;
}

export interface BodyChecks {
  readonly compileSchema: (schema: JsonSchema, regexInstructionsMax: number) => CheckSchema;
  readonly limits: Pick<
    LimitValues,
    | 'requestBodyBufferedBytes'
    | 'requestJsonDepth'
    | 'requestJsonValues'
    | 'regexInstructions'
    | 'streamEventBytes'
  >;
}

export interface MutableKeyHash {
  high: number;
  low: number;
}
