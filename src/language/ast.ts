import type { Span } from '../diagnostics/source.ts';
import type { ArithmeticOperator } from '../model/arithmetic.ts';
import type { EstimatedMeasure } from '../model/model-call.ts';
import type { ScalarValue } from '../model/types.ts';
import type { TestNode } from './test-ast.ts';
import type { CalendarPeriod, Quantifier, ShareOf } from './typed.ts';

/**
 * The syntactic AST: what one file says, before any name is looked up. Only statements that were read without a
 * mistake are in it.
 */
export interface PolicyFileNode {
  /** IANA zone of periods in this file; null means the project's. */
  readonly zone: string | null;
  readonly calendars: readonly CalendarNode[];
  readonly holidays: readonly HolidaysNode[];
  readonly defines: readonly DefineNode[];
  readonly policies: readonly PolicyNode[];
  readonly tests: readonly TestNode[];
}

/** A text as the author means it, without quotes and escapes. */
export interface TextNode {
  readonly value: string;
  readonly span: Span;
}

export interface CalendarNode {
  readonly name: TextNode;
  /** Null means the zone of the file. */
  readonly zone: TextNode | null;
  readonly hours: readonly HoursNode[];
  /** Lists of holidays on which nothing begins. */
  readonly except: readonly TextNode[];
}
/** `fri..mon 22:00..06:00`: weekdays from 0 for Monday, in the order written; minutes since midnight. */
export interface HoursNode {
  readonly firstWeekday: number;
  readonly lastWeekday: number;
  readonly startMinute: number;
  readonly endMinute: number;
  readonly span: Span;
}
export interface HolidaysNode {
  readonly name: TextNode;
  /** Days since 1970-01-01. */
  readonly days: readonly NumberNode[];
}

export interface DefineNode {
  readonly name: TextNode;
  /** Null when it could not be read: that was reported, and its uses are no further mistakes. */
  readonly value: LiteralNode | ListNode | null;
}

export interface PolicyNode {
  readonly name: TextNode;
  readonly title: TextNode | null;
  readonly owner: TextNode | null;
  readonly review: ReviewNode | null;
  /** Day of the last review. */
  readonly reviewed: NumberNode | null;
  /** Null: always in force. */
  readonly effective: DatesNode | null;
  /** Null applies to everything; what could not be read was reported and lets the rules be checked on their own. */
  readonly appliesTo: ConditionNode | 'unreadable' | null;
  readonly rules: readonly RuleNode[];
  /** The policy's name: where findings about the policy point. */
  readonly span: Span;
  /** From `policy` to `}`. */
  readonly extent: Span;
  /** Whether its `}` was found. */
  readonly closed: boolean;
}

/** When people are to look at a policy again. Days are counted from 1970-01-01. */
export type ReviewNode =
  | { readonly kind: 'every'; readonly period: NumberNode }
  | { readonly kind: 'by'; readonly day: NumberNode };

/** `10% of requests`: of all that the rule could hold for, those chosen by lot. */
export interface ShareNode {
  readonly percent: NumberNode;
  readonly of: ShareOf;
  readonly span: Span;
}

interface RuleNodeBase {
  readonly name: TextNode | null;
  /** Null: all. */
  readonly share: ShareNode | null;
  readonly when: ConditionNode | null;
  /** Null: always in force. */
  readonly dates: DatesNode | null;
  readonly span: Span;
}
/** Days since 1970-01-01, both included; null where there is no bound. `after D` begins the day after D. */
export interface DatesNode {
  readonly firstDay: number | null;
  readonly lastDay: number | null;
  readonly span: Span;
}
export interface ReplyNode {
  readonly status: NumberNode | null;
  readonly code: TextNode | null;
  readonly because: TemplateNode | null;
}
export interface NumberNode {
  readonly value: number;
  readonly span: Span;
}
export type RuleNode =
  | (RuleNodeBase & { readonly kind: 'permit' })
  | (RuleNodeBase & { readonly kind: 'forbid'; readonly reply: ReplyNode })
  | (RuleNodeBase & {
      readonly kind: 'require';
      readonly condition: ConditionNode;
      readonly reply: ReplyNode;
    })
  /** Takes no `status`. */
  | (RuleNodeBase & { readonly kind: 'warn'; readonly reply: ReplyNode })
  | LimitNode
  | (RuleNodeBase & {
      readonly kind: 'set-header' | 'remove-header';
      readonly header: TextNode;
      readonly value: TemplateNode | null;
      readonly side: 'request' | 'response';
    })
  /** The greatest value that a member of the body may have; a greater one is replaced by it. */
  | MemberNode<'cap'>
  /** The value of a member that is not there. */
  | MemberNode<'default'>
  | (RuleNodeBase & { readonly kind: 'timeout'; readonly total: NumberNode })
  /** How long an answer may be kept for later requests. */
  | (RuleNodeBase & { readonly kind: 'cache'; readonly time: NumberNode })
  /** Pools that a call to a model may use, in the order in which they are tried. */
  | (RuleNodeBase & { readonly kind: 'route-to'; readonly pools: readonly TextNode[] })
  | MaskNode
  | DeprecateNode
  | AlertNode
  | RotateNode;

export type MemberNode<Kind extends 'cap' | 'default' = 'cap' | 'default'> = RuleNodeBase & {
  readonly kind: Kind;
  readonly member: PathNode;
  readonly value: LiteralNode;
};

/** Removes what it is about from the bodies of one side or both. */
export type MaskNode = RuleNodeBase & {
  readonly kind: 'mask';
  readonly kinds: readonly TextNode[];
  /** Without the slashes around them. */
  readonly patterns: readonly TextNode[];
  readonly sides: readonly ('request' | 'response')[];
  /** What stands in the place of what is removed; null: the usual text. */
  readonly text: TextNode | null;
};

/** Days since 1970-01-01. */
export type DeprecateNode = RuleNodeBase & {
  readonly kind: 'deprecate';
  readonly from: NumberNode;
  readonly sunset: NumberNode;
  /** Name of the route that takes its place. */
  readonly successor: TextNode | null;
};

/** `alert "errors" when response.status >= 500`: its condition is `when`. */
export type AlertNode = RuleNodeBase & {
  readonly kind: 'alert';
  readonly when: ConditionNode;
  /** Null: the first request that fits. */
  readonly atLeast: AtLeastNode | null;
  /** Null: one alert for all. */
  readonly per: KeyNode | null;
  readonly because: TemplateNode | null;
  readonly maxKeys: NumberNode | null;
  /** The delivery that is told; null: all that take everything. */
  readonly notify: TextNode | null;
};
/** `rotate keys of pool "main" every 60 days  overlap 24h`; milliseconds. */
export type RotateNode = RuleNodeBase & {
  readonly kind: 'rotate';
  readonly pool: TextNode;
  readonly every: NumberNode;
  /** Null: as whoever rotates says. */
  readonly overlap: NumberNode | null;
  readonly notify: TextNode | null;
};
/** `for at least 10 requests in any 1m`. */
export interface AtLeastNode {
  readonly amount: NumberNode;
  readonly length: NumberNode;
}

export type LimitNode = RuleNodeBase & {
  readonly kind: 'limit' | 'quota' | 'budget';
  /** Of a budget in nano-units. */
  readonly amount: NumberNode;
  readonly counts: 'requests' | EstimatedMeasure;
  /** ISO 4217, of a budget; null where requests are counted. */
  readonly currency: string | null;
  readonly window: WindowNode;
  readonly per: KeyNode | null;
  /** Milliseconds that a request may wait for room; null: it is refused at once. */
  readonly queue: NumberNode | null;
  readonly fallback: FallbackNode | null;
  readonly reply: ReplyNode;
  readonly maxKeys: NumberNode | null;
  readonly onFailure: 'refuse' | 'allow';
  /** Shares of the amount, in percent; empty: nobody is told. */
  readonly alertAt: readonly NumberNode[];
  /** The delivery that is told; null: all that take everything. */
  readonly notify: TextNode | null;
  /** The name it had before. */
  readonly was: TextNode | null;
};

/** Where calls without room go instead. */
export interface FallbackNode {
  readonly models: readonly TextNode[];
  /** What the limit allows to them, in nano-units of a currency; `any`: whatever they take; null: it says nothing. */
  readonly more: { readonly amount: NumberNode; readonly currency: string | null } | 'any' | null;
  readonly span: Span;
}

export type WindowNode =
  | { readonly kind: 'window'; readonly length: NumberNode }
  | { readonly kind: 'pace'; readonly length: NumberNode; readonly burst: NumberNode | null }
  | { readonly kind: 'concurrency' }
  | { readonly kind: 'calendar'; readonly period: CalendarPeriod; readonly zone: TextNode | null };

export type KeyNode =
  | { readonly kind: 'total' }
  | { readonly kind: 'each'; readonly paths: readonly PathNode[]; readonly otherwise: PathNode | null };

export interface TemplateNode {
  readonly parts: readonly (string | PathNode)[];
  readonly span: Span;
}

export interface PathNode {
  readonly kind: 'path';
  /** `tenant.plan`, without the parameter in brackets; members of a body as `memberPath` writes them. */
  readonly path: string;
  readonly parameter: TextNode | null;
  readonly span: Span;
}
export interface OperandNode {
  readonly kind: 'operand';
  readonly path: PathNode;
  readonly otherwise: LiteralNode | null;
  /** `as USD`, `as seconds`: the unit that a number is meant in. */
  readonly unit: TextNode | null;
  readonly span: Span;
}
export interface ArithmeticNode {
  readonly kind: 'arithmetic';
  readonly operator: ArithmeticOperator;
  readonly left: ValueNode;
  readonly right: ValueNode;
  readonly span: Span;
}
export type ValueNode = LiteralNode | OperandNode | ArithmeticNode;
/** What a test asks about. */
export type SubjectNode = OperandNode | ArithmeticNode;
export type LiteralKind =
  | 'text'
  | 'number'
  | 'duration'
  | 'size'
  | 'percent'
  | 'money'
  | 'date'
  | 'time'
  | 'boolean';
export interface LiteralNode {
  readonly kind: 'literal';
  readonly type: LiteralKind;
  /** In the units of `model/types`. */
  readonly value: ScalarValue;
  /** ISO 4217 of money; null for everything else. */
  readonly currency: string | null;
  readonly span: Span;
}
export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly LiteralNode[];
  readonly span: Span;
}

export type SelectorKind =
  | 'every-route'
  | 'routes'
  | 'services'
  | 'tagged'
  | 'state'
  | 'identity'
  | 'models'
  | 'models-tagged';

/** A set of routes on the right of `in`: `routes tagged "x"`. */
export interface RouteSetNode {
  readonly kind: 'route-set';
  readonly selector: Extract<SelectorKind, 'tagged' | 'state' | 'identity'>;
  readonly names: readonly TextNode[];
  readonly span: Span;
}

/** A set of models on the right of `in`: `models tagged "x"`. */
export interface ModelSetNode {
  readonly kind: 'model-set';
  readonly tag: TextNode;
  readonly span: Span;
}

export type ConditionNode =
  | { readonly kind: 'constant'; readonly value: boolean; readonly span: Span }
  | { readonly kind: 'not'; readonly operand: ConditionNode; readonly span: Span }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly ConditionNode[]; readonly span: Span }
  | {
      readonly kind: 'selector';
      readonly selector: SelectorKind;
      readonly names: readonly TextNode[];
      readonly span: Span;
    }
  | {
      readonly kind: 'calendar-test';
      readonly test: 'during' | 'outside';
      readonly calendar: TextNode;
      readonly span: Span;
    }
  | QuantifiedNode
  | PredicateNode;

/** `any of LIST has COND`; `none` is `no one of`. */
export interface QuantifiedNode {
  readonly kind: 'quantified';
  readonly quantifier: Quantifier;
  readonly list: PathNode;
  readonly condition: ConditionNode;
  readonly span: Span;
}

export type PredicateNode =
  | {
      readonly kind: 'compare';
      readonly operator: 'is' | 'is-not' | 'lt' | 'le' | 'gt' | 'ge';
      readonly left: SubjectNode;
      readonly right: ValueNode;
      readonly span: Span;
    }
  | {
      readonly kind: 'in';
      readonly left: SubjectNode;
      readonly right: ListNode | OperandNode | RouteSetNode | ModelSetNode;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'text-test';
      readonly test: 'contains' | 'starts-with' | 'ends-with' | 'like';
      readonly left: SubjectNode;
      readonly right: ValueNode;
      readonly span: Span;
    }
  | {
      readonly kind: 'regex-test';
      readonly left: SubjectNode;
      /** Without the slashes around it. */
      readonly regex: TextNode;
      readonly span: Span;
    }
  | { readonly kind: 'present'; readonly left: SubjectNode; readonly negated: boolean; readonly span: Span }
  | {
      readonly kind: 'has-role';
      readonly left: SubjectNode;
      readonly role: TextNode;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'subscribed';
      readonly left: SubjectNode;
      readonly negated: boolean;
      readonly span: Span;
    }
  /** `pool exhausted within 10m`: milliseconds. */
  | {
      readonly kind: 'exhausted';
      readonly left: SubjectNode;
      readonly within: NumberNode;
      readonly span: Span;
    };
