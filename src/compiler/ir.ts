import type { CheckedCalendar, CheckedRule, ShareOf, TextTest } from '../language/typed.ts';
import type { ArithmeticOperator } from '../model/arithmetic.ts';
import type { Absence, FactPhase } from '../model/facts.ts';
import type { ScalarValue, Value, ValueType } from '../model/types.ts';
import type { EnforcementMode } from '../model/world.ts';

/**
 * The intermediate representation: conditions as a graph without duplicates (equal conditions are one object with one
 * number, so that a predicate shared by many rules is found by identity), over facts, constants and a few tests.
 *
 * Conditions are *total*: a test that reads a missing fact is false, never an error. The checker lets no policy
 * observe that (a guard always stands before), but it makes every reordering, sharing and hoisting of the later
 * passes safe.
 */
export type Condition = ConstantCondition | NotCondition | JunctionCondition | TestCondition;

export interface ConstantCondition {
  readonly kind: 'constant';
  readonly id: number;
  readonly value: boolean;
}
export interface NotCondition {
  readonly kind: 'not';
  readonly id: number;
  readonly operand: Condition;
}
export interface JunctionCondition {
  readonly kind: 'all' | 'any';
  readonly id: number;
  readonly operands: readonly Condition[];
}
export interface TestCondition {
  readonly kind: 'test';
  readonly id: number;
  readonly test: Test;
}

export type Test =
  | { readonly kind: 'equal'; readonly left: Term; readonly right: Term }
  /** `gt` and `ge` are these with the sides exchanged. */
  | { readonly kind: 'lt' | 'le'; readonly left: Term; readonly right: Term }
  | { readonly kind: 'member'; readonly element: Term; readonly list: Term }
  | { readonly kind: 'network'; readonly address: Term; readonly networks: Term }
  | { readonly kind: TextTest; readonly text: Term; readonly pattern: string }
  | { readonly kind: 'present'; readonly fact: FactReference }
  | { readonly kind: 'calendar'; readonly hours: CalendarHours }
  | SomeTest
  /** More than 0 and less than 100 percent. */
  | {
      readonly kind: 'share';
      readonly of: ShareOf;
      readonly percent: number;
      readonly seed: string;
    }
  | { readonly kind: 'role'; readonly role: string }
  /** Whether the call goes to another model because this limit, known by its counter, had no room. */
  | { readonly kind: 'fallen'; readonly limit: string }
  | { readonly kind: 'subscribed' };

/** Whether the condition holds for some element of a list. Facts of the element have a path of their own: see `model/facts`. */
export interface SomeTest {
  readonly kind: 'some';
  readonly list: FactReference;
  readonly condition: Condition;
}

/** A calendar without its name. */
export type CalendarHours = Omit<CheckedCalendar, 'name'>;

export type Term =
  | { readonly kind: 'fact'; readonly fact: FactReference }
  | { readonly kind: 'constant'; readonly value: Value }
  | { readonly kind: 'otherwise'; readonly fact: FactReference; readonly fallback: ScalarValue }
  /** Of numbers; missing when an operand is. See `model/arithmetic`. */
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: Term;
      readonly right: Term;
    };

/** A fact as a rule names it. Equal `key` means the same value within one request. */
export interface FactReference {
  readonly key: string;
  readonly path: string;
  readonly parameter: string | null;
  readonly type: ValueType;
  readonly phase: FactPhase;
  readonly absence: Absence;
}

/** Where a deciding rule runs; the other kinds of rule have phases of their own. */
export type DecisionPhase = 'match' | 'authorise' | 'body';

/** One rule with what it means as a condition. Has no number: it stays the same object while rules before it come and go. */
export interface RuleIr<Rule extends CheckedRule = CheckedRule> {
  readonly policy: string;
  readonly mode: EnforcementMode;
  /** See `RuleInfo.reviewDueDay`. */
  readonly reviewDueDay: number | null;
  readonly rule: Rule;
  /** Permit: permits. Forbid and require: denies. All others: applies. Includes the policy's scope. */
  readonly condition: Condition;
  readonly phase: DecisionPhase;
  /** Of a rule that leaves pools out, in the order of its `barred`: when it does. Includes the policy's scope. */
  readonly barred: readonly Condition[];
  /** False only where no body could make `condition` hold: decided before the body is read. */
  readonly possible: Condition;
}
