import type { LimitRule } from '../language/typed.ts';
import type { ProgramConstant } from '../pipeline/program.ts';
import type { RuleIr } from './ir.ts';

/** Stands for the index of a rule in `RuleBundle.rules`, which changes while rules before it come and go. */
export class RuleNumber {
  readonly rule: LimitRule | RuleIr['rule'];
  readonly #policy: string;

  constructor({ policy, rule }: RuleIr) {
    this.rule = rule;
    this.#policy = policy;
  }

  /** Tells it from other rules where constants are compared. */
  toJSON(): readonly unknown[] {
    return ['number of the rule', this.#policy, this.rule.key];
  }
}

/** Stands for the index of a counter in `RuleBundle.counters`. */
export class CounterNumber {
  readonly rule: LimitRule;

  constructor(rule: LimitRule) {
    this.rule = rule;
  }

  toJSON(): readonly unknown[] {
    return ['number of the counter', this.rule.counterIdentity];
  }
}

/** A constant whose numbers are not known yet. */
export type ConstantTemplate =
  | ProgramConstant
  | RuleNumber
  | CounterNumber
  | readonly ConstantTemplate[]
  | { readonly [name: string]: ConstantTemplate };

/** Gives the indexes in the rule set that is being made. */
export interface Numbering {
  readonly ofRule: (rule: RuleNumber['rule']) => number;
  readonly ofCounter: (rule: LimitRule) => number;
}

export function asConstant(value: object): ConstantTemplate {
  return value as ConstantTemplate;
}

export function numberOf(number: RuleNumber | CounterNumber, { ofRule, ofCounter }: Numbering): number {
  return number instanceof RuleNumber ? ofRule(number.rule) : ofCounter(number.rule);
}

/** The numbers in a constant, in its order. */
export function numbersIn(constant: ConstantTemplate): (RuleNumber | CounterNumber)[] {
  if (typeof constant !== 'object' || constant === null) return [];
  if (constant instanceof RuleNumber || constant instanceof CounterNumber) return [constant];
  return (Array.isArray(constant) ? constant : Object.values(constant)).flatMap(numbersIn);
}

/** The constant with its numbers; the same object where it has none. */
export function numbered(constant: ConstantTemplate, numbering: Numbering): ProgramConstant {
  if (typeof constant !== 'object' || constant === null) return constant;
  if (constant instanceof RuleNumber || constant instanceof CounterNumber)
    return numberOf(constant, numbering);
  if (Array.isArray(constant)) {
    const items = constant.map((item: ConstantTemplate) => numbered(item, numbering));
    return items.every((item, at) => item === constant[at]) ? (constant as ProgramConstant) : items;
  }
  const fields = Object.entries(constant);
  const made = fields.map(([name, value]) => [name, numbered(value, numbering)] as const);
  const isSame = made.every(([, value], at) => value === fields[at]![1]);
  return isSame ? (constant as ProgramConstant) : Object.fromEntries(made);
}
