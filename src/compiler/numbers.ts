import type { LimitRule } from '../language/typed.ts';
import type { ProgramConstant } from '../pipeline/program.ts';
import type { CounterOf } from './counter-specs.ts';
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
  readonly of: CounterOf;

  constructor(rule: LimitRule, of: CounterOf) {
    this.rule = rule;
    this.of = of;
  }

  toJSON(): readonly unknown[] {
    return ['number of the counter', this.of, this.rule.counterIdentity];
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
  readonly ofCounter: (rule: LimitRule, of: CounterOf) => number;
}

export function asConstant(value: object): ConstantTemplate {
  return value as ConstantTemplate;
}

export function numberOf(number: RuleNumber | CounterNumber, { ofRule, ofCounter }: Numbering): number {
  return number instanceof RuleNumber ? ofRule(number.rule) : ofCounter(number.rule, number.of);
}

/** The numbers in a constant, in its order. */
export function numbersIn(constant: ConstantTemplate): (RuleNumber | CounterNumber)[] {
  if (typeof constant !== 'object' || constant === null) return [];
  if (constant instanceof RuleNumber || constant instanceof CounterNumber) return [constant];
  return (Array.isArray(constant) ? constant : Object.values(constant)).flatMap(numbersIn);
}

/** The constant with its numbers; the same object where it has none. Copies only what holds one: a new rule shifts thousands. */
export function numbered(constant: ConstantTemplate, numbering: Numbering): ProgramConstant {
  if (typeof constant !== 'object' || constant === null) return constant;
  if (constant instanceof RuleNumber || constant instanceof CounterNumber)
    return numberOf(constant, numbering);
  return Array.isArray(constant)
    ? numberedItems(constant, numbering)
    : numberedFields(constant as Fields, numbering);
}

function numberedItems(items: readonly ConstantTemplate[], numbering: Numbering): readonly ProgramConstant[] {
  let copy: ProgramConstant[] | null = null;
  for (const [at, item] of items.entries()) {
    const now = numbered(item, numbering);
    if (now === item) continue;
    copy ??= [...(items as readonly ProgramConstant[])];
    copy[at] = now;
  }
  return copy ?? (items as readonly ProgramConstant[]);
}

type Fields = Readonly<Record<string, ConstantTemplate>>;

function numberedFields(fields: Fields, numbering: Numbering): ProgramConstant {
  let copy: Record<string, ProgramConstant> | null = null;
  for (const [name, value] of Object.entries(fields)) {
    const now = numbered(value, numbering);
    if (now === value) continue;
    copy ??= { ...(fields as Readonly<Record<string, ProgramConstant>>) };
    copy[name] = now;
  }
  return copy ?? (fields as Readonly<Record<string, ProgramConstant>>);
}
