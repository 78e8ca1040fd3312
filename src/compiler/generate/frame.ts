import type { FactPhase } from '../../model/facts.ts';
import { isElementPath } from '../../model/facts.ts';
import type { Condition, FactReference, RuleIr, Term } from '../ir.ts';
import type { RouteFacts } from '../route-facts.ts';
import { factsOfTerm, termsOf } from '../rule-facts.ts';
import type { Specialiser } from '../specialise.ts';
import { cheapestFirst, isReadAhead } from './cost.ts';
import { readColumn, readFact } from './facts.ts';
import type { Loop, LoopPool } from './loops.ts';
import type { ConstantPool } from './pool.ts';
import type { TablePool } from './tables.ts';
import { negatedTestCode, testCode } from './tests.ts';

/** What all functions of one program share. */
export interface ProgramScope {
  readonly pool: ConstantPool;
  readonly tables: TablePool;
  readonly loops: LoopPool;
  readonly route: RouteFacts;
  readonly specialiser: Specialiser;
  /** Members of the body that the program reads, by path: their places in `context.body`. */
  readonly bodyRead: readonly string[];
  /** What statements say in a comment of the rules they are of: for people, never for the bundle. */
  readonly marks: Marks;
}

export type Marks = ((rule: RuleIr) => number) | null;

/** When a function runs: what it can't know yet is missing to it. */
export type Moment =
  | 'before-identity'
  | 'before-body'
  | 'after-body'
  /** All is over, and it came no further than into this phase. */
  | 'ended-in-match'
  | 'ended-in-authorise'
  | 'ended-in-body';

const UNKNOWN: Readonly<Record<Moment, ReadonlySet<FactPhase>>> = {
  'before-identity': new Set<FactPhase>(['identity', 'body', 'call', 'reply']),
  'before-body': new Set<FactPhase>(['body', 'call', 'reply']),
  'after-body': new Set<FactPhase>(['reply']),
  'ended-in-match': new Set<FactPhase>(['identity', 'body', 'call']),
  'ended-in-authorise': new Set<FactPhase>(['body', 'call']),
  'ended-in-body': new Set(),
};

/**
 * The body of one generated function: turns conditions and facts into expressions, and keeps the locals they need.
 * What is used more than once is computed once: before the first statement that is sure to use it, or in place
 * (`value ??= …`) where what stands before may spare it. Conditions are total, so both are always allowed.
 */
export class Frame {
  readonly scope: ProgramScope;
  readonly when: Moment;
  readonly #unknown: ReadonlySet<FactPhase>;
  /** Of the body of a loop: facts of the element are its own, all others come from before the loop. */
  readonly #loop: Loop | null;
  readonly #conditionUses = new Map<number, number>();
  readonly #factUses = new Map<string, number>();
  #locals: string[] = [];
  readonly #names = new Map<string, string>();
  /** What locals that are computed in place stand for, by name. */
  readonly #inPlace = new Map<string, string>();
  /** Whether what is being generated is asked whenever its statement is reached. */
  #isSure = true;

  /** `conditions` and `facts`: all that the body is going to use. */
  constructor(
    scope: ProgramScope,
    when: Moment,
    conditions: readonly Condition[],
    facts: readonly FactReference[] = [],
    loop: Loop | null = null,
  ) {
    this.scope = scope;
    this.when = when;
    this.#loop = loop;
    this.#unknown = UNKNOWN[when];
    for (const condition of conditions) this.#count(condition);
    for (const fact of facts) this.#countFact(fact);
  }

  /** Statements of the body, after the declarations that they are the first to need. */
  statement(make: () => readonly string[], rules: readonly RuleIr[] = []): string[] {
    const statements = make();
    const { marks } = this.scope;
    const mark = marks !== null && rules.length > 0 ? [`// @${rules.map(marks).join(',')}`] : [];
    return [...this.locals(), ...mark, ...statements];
  }

  /** Declarations of what has been asked for since the last call. */
  locals(): readonly string[] {
    const locals = this.#locals;
    this.#locals = [];
    return locals;
  }

  condition(condition: Condition): string {
    if (condition.kind === 'constant') return String(condition.value);
    const make = () => this.#plain(condition);
    return this.#isShared(condition) ? this.#local(`condition ${condition.id}`, 'holds', make) : make();
  }

  /** The value of a fact, `undefined` when it is missing. */
  fact(fact: FactReference): string {
    const { specialiser, pool } = this.scope;
    if (fact.path === 'route') return pool.routeName();
    if (this.#loop !== null && !isElementPath(fact.path)) return this.#loop.before.fact(fact);
    const known = this.#unknown.has(fact.phase) ? null : specialiser.known(fact);
    if (known === null) return 'undefined';
    if (known !== undefined) return pool.constant(known);
    const uses = this.#factUses.get(fact.key) ?? 0;
    if (uses < 2) return this.#read(fact);
    return this.#local(`fact ${fact.key}`, 'value', () => this.#read(fact), isReadAhead(fact));
  }

  /** What a loop finds a member of its elements in. */
  column(fact: FactReference): string {
    return this.#local(`column ${fact.key}`, 'column', () => readColumn(fact, this));
  }

  /** The value of a term. */
  term(term: Term): string {
    if (term.kind === 'constant') return this.scope.pool.constant(term.value);
    if (term.kind === 'arithmetic')
      return `runtime.saturated(${this.term(term.left)} ${term.operator} ${this.term(term.right)})`;
    const value = this.fact(term.fact);
    return term.kind === 'fact' ? value : `(${value} ?? ${this.scope.pool.constant(term.fallback)})`;
  }

  mayBeMissing(term: Term): boolean {
    if (term.kind === 'arithmetic') return this.mayBeMissing(term.left) || this.mayBeMissing(term.right);
    return term.kind === 'fact' && this.scope.specialiser.presence(term.fact) !== 'always';
  }

  /** The caller, as `identity` or – where it may be anonymous – `identity?`. */
  identity(): string {
    if (this.#loop !== null) return this.#loop.before.identity();
    if (!this.#names.has('identity')) {
      this.#names.set('identity', 'identity');
      this.#locals.unshift('const identity = context.identity;');
    }
    return this.scope.route.auth === 'required' ? 'identity' : 'identity?';
  }

  #read(fact: FactReference): string {
    return this.#loop === null ? readFact(fact, this) : this.#loop.element(fact);
  }

  #plain(condition: Condition): string {
    switch (condition.kind) {
      case 'constant':
        return String(condition.value);
      case 'not':
        return this.#negated(condition.operand);
      case 'all':
        return this.#operands(condition.operands).join(' && ');
      case 'any':
        return this.#operands(condition.operands).join(' || ');
      case 'test':
        return testCode(condition.test, this);
    }
  }

  /** Only the first is sure to be asked. */
  #operands(operands: readonly Condition[]): string[] {
    const [first, ...others] = cheapestFirst(operands);
    const sure = bracketed(this.condition(first!));
    return [sure, ...this.unsure(() => others.map((operand) => bracketed(this.condition(operand))))];
  }

  /** Generates what may not be reached. */
  unsure<Result>(make: () => Result): Result {
    const before = this.#isSure;
    this.#isSure = false;
    const made = make();
    this.#isSure = before;
    return made;
  }

  #negated(operand: Condition): string {
    const isPlainTest = operand.kind === 'test' && !this.#isShared(operand);
    const direct = isPlainTest ? negatedTestCode(operand.test, this) : null;
    if (direct !== null) return direct;
    const code = this.condition(operand);
    return IS_ONE_TERM.test(code) ? `!${code}` : `!(${code})`;
  }

  #isShared(condition: Condition): boolean {
    return (this.#conditionUses.get(condition.id) ?? 0) >= usesToShare(condition);
  }

  /** A local of the body, declared when it is first asked for; what it needs itself is declared before it. */
  #local(key: string, stem: string, make: () => string, isAhead = false): string {
    const known = this.#names.get(key);
    if (known !== undefined) return this.#inPlace.get(known) ?? known;
    const code = make();
    // a loop must not hide what was computed before it
    const name = `${this.#loop === null ? stem : `${stem}Of`}${this.#names.size}`;
    this.#names.set(key, name);
    if (this.#isSure || isAhead || isPlainField(code)) {
      this.#locals.push(`const ${name} = ${code};`);
      return name;
    }
    this.#locals.push(`let ${name};`);
    this.#inPlace.set(name, `(${name} ??= ${code})`);
    return this.#inPlace.get(name)!;
  }

  #count(condition: Condition): void {
    const uses = (this.#conditionUses.get(condition.id) ?? 0) + 1;
    this.#conditionUses.set(condition.id, uses);
    if (uses > 1 && uses >= usesToShare(condition)) return;
    if (condition.kind === 'not') this.#count(condition.operand);
    else if (condition.kind === 'all' || condition.kind === 'any')
      condition.operands.forEach((each) => void this.#count(each));
    else if (condition.kind === 'test') {
      for (const fact of termsOf(condition.test).flatMap(factsOfTerm)) this.#countFact(fact);
    }
  }

  #countFact(fact: FactReference): void {
    this.#factUses.set(fact.key, (this.#factUses.get(fact.key) ?? 0) + 1);
  }
}

/** A name, a call, or something in brackets: what a `!` can stand before. */
const IS_ONE_TERM = /^(?:[\w.]+(?:\([\w., ]*\))?|\([^()]*\))$/;

/** Reading a field of what is at hand costs less than to remember whether it was read. */
function isPlainField(code: string): boolean {
  return /^[\w.?]+(?:\[\w+\])*$/.test(code);
}

/** `&&` and `||` bind weaker than every test; side by side they are kept apart for the reader too. */
function bracketed(code: string): string {
  return / (?:&&|\|\|) /.test(code) ? `(${code})` : code;
}

/**
 * From how many uses on a result is kept. A comparison of a plain field costs less than to keep its result, unless the text
 * was cut out of the request: then its characters are compared each time.
 */
function usesToShare(condition: Condition): number {
  if (condition.kind === 'constant') return Number.POSITIVE_INFINITY;
  if (condition.kind === 'not') return usesToShare(condition.operand);
  if (condition.kind !== 'test') return 2;
  if (condition.test.kind === 'present') return Number.POSITIVE_INFINITY;
  if (condition.test.kind !== 'equal') return 2;
  return termsOf(condition.test).some(isCutOut) ? 3 : Number.POSITIVE_INFINITY;
}

function isCutOut(term: Term): boolean {
  return term.kind === 'fact' && CUT_OUT.has(term.fact.path);
}
const CUT_OUT: ReadonlySet<string> = new Set([
  'request.parameter',
  'request.path',
  'request.query',
  'request.header',
]);
