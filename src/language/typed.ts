import type { Span } from '../diagnostics/source.ts';
import type { ArithmeticOperator } from '../model/arithmetic.ts';
import type { FactDefinition } from '../model/facts.ts';
import type { MaskKind } from '../model/masks/kinds.ts';
import type { TokenMeasure } from '../model/model-call.ts';
import type { ScalarValue, ValueType } from '../model/types.ts';

/**
 * The typed AST: what the checker hands to the interpreter and the compiler. Every name is resolved, every literal
 * is converted to its run-time value (see `model/types`), every optional fact is used only where it is proven to be
 * present, so nothing that reads these types can fail at run time.
 *
 * Adding a construct: one node here, one case in the parser, the checker, the interpreter and the code generator.
 */
export interface CheckedPolicies {
  /** Sorted by name (code points): the order of files and declarations never matters. */
  readonly policies: readonly CheckedPolicy[];
  /** Limits as they were before an edit changed their counters: still in force beside what the policies say now. Absent: none. */
  readonly replaced?: readonly CheckedPolicy[];
}

export interface CheckedPolicy {
  readonly name: string;
  readonly title: string | null;
  readonly owner: string | null;
  /** Null: nobody has asked for one. */
  readonly review: Review | null;
  /** Days between which it is in force, both included; also a part of `scope`. Null: always. */
  readonly effective: DayRange | null;
  readonly span: Span;
  /** What the policy applies to; null means every route and request. */
  readonly scope: TypedExpression | null;
  /** Sorted by {@link ruleKey}. */
  readonly rules: readonly CheckedRule[];
  /** What it says of pools, whatever is requested. Sorted likewise. */
  readonly poolRules: readonly PoolRule[];
}

/** When people are to look at a policy again. */
export interface Review {
  /** Days since 1970-01-01, in the zone of the file: the last day on which the review is in time. Null: it has never had one. */
  readonly dueDay: number | null;
  readonly zone: string;
  readonly span: Span;
}

/** Days since 1970-01-01 in a zone, both included; null where there is no bound. */
export interface DayRange {
  readonly firstDay: number | null;
  readonly lastDay: number | null;
  readonly zone: string;
}

interface RuleBase {
  /** Unique in its policy; null when the author gave none. */
  readonly name: string | null;
  /**
   * What tells this rule from the others of its policy, whatever the order of the text: the name, or – for unnamed
   * rules – the canonical text of the rule. Two equal rules of a policy are one rule.
   */
  readonly key: string;
  readonly when: TypedExpression | null;
  readonly span: Span;
}

export interface PermitRule extends RuleBase {
  readonly kind: 'permit';
}
/** Refuses when `when` holds (`null`: always). */
export interface ForbidRule extends RuleBase {
  readonly kind: 'forbid';
  readonly reply: Reply;
}
/** Refuses when `when` holds and `condition` does not. */
export interface RequireRule extends RuleBase {
  readonly kind: 'require';
  readonly condition: TypedExpression;
  readonly reply: Reply;
}
/** Tells the caller something in `Portunus-Warning` when `when` holds (`null`: always). Decides nothing. */
export interface WarnRule extends RuleBase {
  readonly kind: 'warn';
  readonly reply: Notice;
}
export interface LimitRule extends RuleBase {
  readonly kind: 'limit' | 'quota' | 'budget';
  readonly measure: Measure;
  readonly window: LimitWindow;
  readonly per: CounterKey;
  /** How long after its arrival a request may wait for room; null: it is refused at once. */
  readonly queueMs: number | null;
  /** Where calls without room go instead; null: nowhere. Tried before waiting. */
  readonly fallback: Fallback | null;
  readonly reply: Reply;
  readonly onFailure: 'refuse' | 'allow';
  /** Shares of the amount in percent, ascending, whose crossing raises an alert. */
  readonly alertAt: readonly number[];
  /** The delivery of portunus.yaml that is told of it; null: all that take everything. */
  readonly notify: string | null;
  /** Keys kept apart; null means the limit `counterKeys`. */
  readonly maxKeys: number | null;
  /**
   * Identity of the counter (language-rules #27): policy, rule name, measure, kind and length of the window, key.
   * Amount and burst are not part of it, so editing them keeps what was counted.
   */
  readonly counterIdentity: string;
  /** The identity under its former name (`was`), whose counters it takes over; null when it says none. */
  readonly formerIdentity: string | null;
  /** See {@link CheckedPolicies.replaced}. */
  readonly replaced?: true;
}
/** `fall back to model "a", "b" for at most $5 more` (language-rules #6, #7). */
export interface Fallback {
  /** In the order in which they are tried; none is named twice. */
  readonly models: readonly string[];
  /** What a limit that had no room counts of the call that goes to another model instead. */
  readonly counted: FallbackCount;
}
/**
 * `again`: all of it, as it counts every call: most often by the key of that model. `allowance`: in a counter beside its own, of this
 * amount. `nowhere`: nothing, which makes the limit a threshold.
 */
export type FallbackCount =
  | { readonly kind: 'again' }
  | {
      readonly kind: 'allowance';
      readonly amount: number;
      /** As that of a limit. */
      readonly counterIdentity: string;
    }
  | { readonly kind: 'nowhere' };
export interface HeaderRule extends RuleBase {
  readonly kind: 'set-header' | 'remove-header';
  /** Lower-case field name. */
  readonly header: string;
  /** The value for `set-header`; an empty template for `remove-header`. */
  readonly value: TextTemplate;
  readonly side: 'request' | 'response';
}
/** Bounds the time from the arrival of the request to the end of the answer; the least of all that apply wins. */
export interface TimeoutRule extends RuleBase {
  readonly kind: 'timeout';
  readonly totalMs: number;
}

/** Lets answers be kept for later requests of the same callers, for so long at most (language-rules #31). */
export interface CacheRule extends RuleBase {
  readonly kind: 'cache';
  readonly forMs: number;
}

/**
 * A `forbid` or `require` over facts of targets: leaves pools out, and refuses a call to a model only where none is left (language-rules
 * #18). Facts of targets are known when rules are checked, so what remains to be asked is about the request alone.
 */
export interface FilterRule extends RuleBase {
  readonly kind: 'filter';
  readonly written: {
    readonly as: 'forbid' | 'require';
    readonly when: TypedExpression | null;
    readonly condition: TypedExpression | null;
  };
  /** Which pools it leaves out, and when. */
  readonly barred: readonly BarredPools[];
  readonly reply: Reply;
}
export interface BarredPools {
  readonly pools: readonly string[];
  readonly when: TypedExpression;
}

/** Narrows the pools of the model that a call names to these, in this order. */
export interface RouteToRule extends RuleBase {
  readonly kind: 'route-to';
  readonly pools: readonly string[];
}
/** Removes from bodies what its kinds and patterns find; all that apply are one mask. */
export interface MaskRule extends RuleBase {
  readonly kind: 'mask';
  /** Sorted, each once. */
  readonly kinds: readonly MaskKind[];
  /** Sorted, each once; each has a longest text. */
  readonly patterns: readonly string[];
  readonly sides: readonly MaskSide[];
  /** What stands in the place of what is removed. */
  readonly text: string;
}
export type MaskSide = 'request' | 'response';

/** Changes a member of the body on its way to the service; rules that decide see it as the caller wrote it. */
export interface MemberRule extends RuleBase {
  /** `cap`: a greater value becomes this one. `default`: this is the value where there is none. */
  readonly kind: 'cap' | 'default';
  readonly member: FactExpression;
  readonly value: LiteralExpression;
}

export type CheckedRule =
  | PermitRule
  | ForbidRule
  | RequireRule
  | WarnRule
  | LimitRule
  | HeaderRule
  | MemberRule
  | TimeoutRule
  | CacheRule
  | RouteToRule
  | FilterRule
  | MaskRule
  | DeprecateRule
  | AlertRule;

/** Tells operators of requests that fit, once each has ended. Decides and changes nothing. */
export interface AlertRule extends RuleBase {
  readonly kind: 'alert';
  /** How many have to fit within how long, one to begin with; null: each one. */
  readonly atLeast: { readonly requests: number; readonly windowMs: number } | null;
  /** There is one alert for each key. */
  readonly per: CounterKey;
  /** Said of the first request that fits; read by operators. */
  readonly because: TextTemplate | null;
  /** Keys kept apart; null means the limit `alertKeys`. */
  readonly maxKeys: number | null;
  /** The delivery of portunus.yaml that is told of it; null: all that take everything. */
  readonly notify: string | null;
}

/** Rules about pools and their keys: the gateway asks them all the time, and no request is judged by them. */
export type PoolRule = PoolAlertRule | RotationRule;

/** Tells operators of pools, or keys, of which something holds: once when it begins to, and when it no longer does. */
export interface PoolAlertRule extends RuleBase {
  readonly kind: 'pool-alert';
  /** Whether each key is asked by itself, or each pool. */
  readonly of: 'pool' | 'key';
  readonly when: TypedExpression;
  /** Said of the pool or key when it begins; read by operators. */
  readonly because: TextTemplate | null;
  readonly notify: string | null;
}

/** How old the secrets of a pool's keys may be. Nobody is refused by it: an older one falls due, and is replaced by people or a hook. */
export interface RotationRule extends RuleBase {
  readonly kind: 'rotation';
  readonly pool: string;
  readonly everyMs: number;
  /** How long the former secret serves beside the new one, where whoever rotates says nothing; null: 24 hours. */
  readonly overlapMs: number | null;
  readonly notify: string | null;
}

/** Tells callers in fields of every answer that a route goes, when, and what takes its place. Refuses nothing. */
export interface DeprecateRule extends RuleBase {
  readonly kind: 'deprecate';
  /** Days since 1970-01-01 in `zone`. */
  readonly fromDay: number;
  readonly sunsetDay: number;
  readonly zone: string;
  readonly successor: Successor | null;
}
/** The route that takes the place of a deprecated one. */
export interface Successor {
  readonly route: string;
  /** Reference to it (RFC 3986, 4.2), with path parameters that both routes have filled in. */
  readonly url: TextTemplate;
}

/** Hours of the week in a time zone. */
export interface CheckedCalendar {
  readonly name: string;
  readonly zone: string;
  /** Sorted; they may overlap. */
  readonly ranges: readonly CalendarRange[];
  /** Days since 1970-01-01, sorted: ranges that begin on one of these dates are left out. */
  readonly holidays: readonly number[];
}
/** Half-open. Minutes count from midnight of the weekday it begins on; an end beyond 1,440 lies on the next day. */
export interface CalendarRange {
  /** 0 for Monday. */
  readonly weekday: number;
  readonly startMinute: number;
  readonly endMinute: number;
}

/** What is counted. Further measures (bytes) are further members. */
export type Measure =
  | { readonly kind: 'requests' }
  /** Of calls to models. */
  | { readonly kind: TokenMeasure }
  /** In nano-units of the accounting currency. `cost`: the fact that says what a request costs at most. */
  | { readonly kind: 'money'; readonly cost: FactExpression; readonly currency: string };

export type LimitWindow =
  /** `at most N in any T`: in no window of length T are more than N admitted. */
  | { readonly kind: 'window'; readonly amount: number; readonly windowMs: number }
  /** `N per T, burst B`: GCRA; `burst` defaults to the amount. */
  | { readonly kind: 'pace'; readonly amount: number; readonly periodMs: number; readonly burst: number }
  /** `at most N at once`. */
  | { readonly kind: 'concurrency'; readonly amount: number }
  /** `quota N … per day`: by the calendar of a zone. */
  | {
      readonly kind: 'calendar';
      readonly amount: number;
      readonly period: CalendarPeriod;
      readonly zone: string;
    };

export type CalendarPeriod = 'day' | 'week' | 'month' | 'quarter' | 'year';

export type CounterKey =
  | { readonly kind: 'total' }
  | {
      readonly kind: 'each';
      readonly keys: readonly FactExpression[];
      /** Used instead of the whole list when one of `keys` is missing; its key space is its own. */
      readonly otherwise: FactExpression | null;
    };

/** What a rule says to the caller: a code for programs, a text for people. */
export interface Notice {
  readonly code: string | null;
  readonly because: TextTemplate | null;
}
export interface Reply extends Notice {
  /** Null: the kind's own default (403 for deny rules, 401 without identity, 429 for limits). */
  readonly status: number | null;
}

/** Text with holes. Missing values print as `(none)`: a message never changes a decision. */
export interface TextTemplate {
  readonly parts: readonly (string | TemplateHole)[];
}
export type TemplateHole =
  | FactExpression
  /** The value of a path parameter as a part of a URL: percent-encoded. */
  | { readonly kind: 'url-part'; readonly fact: FactExpression; readonly span: Span }
  /** When the calendar that a rule asks begins or ends its hours next. */
  | {
      readonly kind: 'calendar-fact';
      readonly fact: 'name' | 'opens' | 'closes';
      readonly calendar: CheckedCalendar;
      readonly span: Span;
    }
  /** What a refusing limit knows of itself: `limit.name`, `limit.amount`, `limit.used`, `limit.resets`. */
  | {
      readonly kind: 'limit-fact';
      readonly fact: 'name' | 'amount' | 'used' | 'resets';
      readonly span: Span;
    };

export interface FactExpression {
  readonly kind: 'fact';
  readonly definition: FactDefinition;
  /** Header name (lower case), query name or path parameter name; null where the fact takes none. */
  readonly parameter: string | null;
  readonly type: ValueType;
  readonly span: Span;
}
export interface LiteralExpression {
  readonly kind: 'literal';
  readonly value: ScalarValue;
  readonly type: ValueType;
  readonly span: Span;
}
export interface ListExpression {
  readonly kind: 'list';
  readonly items: readonly LiteralExpression[];
  readonly type: ValueType;
  readonly span: Span;
}
/** A fact that may be missing, with what stands for it then: `team otherwise "none"`. */
export interface OtherwiseExpression {
  readonly kind: 'otherwise';
  readonly fact: FactExpression;
  readonly fallback: LiteralExpression;
  readonly type: ValueType;
  readonly span: Span;
}

/** A number meant in a unit: `request.body.amount as USD`. */
export interface ConvertedExpression {
  readonly kind: 'converted';
  readonly number: FactExpression | OtherwiseExpression;
  /** As written. */
  readonly unit: string;
  /** What one is worth in the run-time unit of the type. */
  readonly factor: number;
  readonly type: ValueType;
  readonly span: Span;
}
/** Total: see `model/arithmetic`. Both sides fit: of one type for `+` and `-`, a number on one side for `*` and `/`. */
export interface ArithmeticExpression {
  readonly kind: 'arithmetic';
  readonly operator: ArithmeticOperator;
  readonly left: Operand;
  /** For `/` a literal that is not 0. */
  readonly right: Operand;
  readonly type: ValueType;
  readonly span: Span;
}

/** What has a value other than true or false. */
export type Operand =
  | FactExpression
  | LiteralExpression
  | ListExpression
  | OtherwiseExpression
  | ConvertedExpression
  | ArithmeticExpression;

/** `like` is a glob: `*` any run, `?` any one character; `matches` a regular expression that fits somewhere (RE2). */
export type TextTest = 'contains' | 'starts-with' | 'ends-with' | 'like' | 'matches';

/** Of an empty list `any` is false, `every` and `none` are true. */
export type Quantifier = 'any' | 'every' | 'none';
export interface ShareExpression {
  readonly kind: 'share';
  /** From 0, which is never, to 100, which is always. */
  readonly percent: number;
  readonly of: ShareOf;
  /** Makes the shares of different rules independent of each other. */
  readonly seed: string;
  readonly span: Span;
}
export type ShareOf = 'requests' | 'consumers' | 'tenants';

/** A condition. Evaluated left to right, `and` and `or` stop early. */
export type TypedExpression =
  | { readonly kind: 'constant'; readonly value: boolean; readonly span: Span }
  | { readonly kind: 'not'; readonly operand: TypedExpression; readonly span: Span }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly TypedExpression[]; readonly span: Span }
  /** Both sides are of one type. `lt` … `ge` only between ordered types (numbers, units, dates, times). */
  | {
      readonly kind: 'compare';
      readonly operator: 'is' | 'is-not' | 'lt' | 'le' | 'gt' | 'ge';
      readonly left: Operand;
      readonly right: Operand;
      readonly span: Span;
    }
  /** Scalar in list. `request.ip in ["10.0.0.0/8"]` is `in-networks`. */
  | {
      readonly kind: 'in';
      readonly element: Operand;
      readonly list: Operand;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'in-networks';
      readonly address: Operand;
      /** CIDR texts, checked: a list, a fact that holds one or many, or one address that is to be the same. */
      readonly networks: Operand;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'text-test';
      readonly test: TextTest;
      readonly text: Operand;
      readonly pattern: string;
      readonly span: Span;
    }
  | {
      readonly kind: 'present';
      readonly fact: FactExpression;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      /** Whether the request is judged in the hours of a calendar (language-rules #33). */
      readonly kind: 'in-calendar';
      readonly calendar: CheckedCalendar;
      readonly negated: boolean;
      readonly span: Span;
    }
  | QuantifiedExpression
  /**
   * Whether the request, its consumer or its tenant is in a share: by a keyed hash, so that all threads agree, now and after a
   * restart, and a greater share of one rule has every member of a smaller one (language-rules #34).
   */
  | ShareExpression
  | { readonly kind: 'has-role'; readonly role: string; readonly negated: boolean; readonly span: Span }
  /** `consumer is subscribed to route`: false for anonymous requests. */
  | { readonly kind: 'subscribed'; readonly negated: boolean; readonly span: Span };

/** Facts of the elements have a path with `[]` behind that of the list: see `elementPath`. */
export interface QuantifiedExpression {
  readonly kind: 'quantified';
  readonly quantifier: Quantifier;
  readonly list: FactExpression;
  readonly condition: TypedExpression;
  readonly span: Span;
}
