import { calculate } from '../model/arithmetic.ts';
import { isWholeElement } from '../model/facts.ts';
import { regexTest } from '../model/regex.ts';
import type { ScalarValue, Value } from '../model/types.ts';
import type { Conditions } from './conditions.ts';
import { elementOf } from './elements.ts';
import type { Condition, FactReference, JunctionCondition, SomeTest, Term, Test } from './ir.ts';
import type { RouteFacts } from './route-facts.ts';
import { globTest } from './runtime/glob.ts';
import { networksTest } from './runtime/networks.ts';

/**
 * Pass 5: partial evaluation. What is known of a route is put in place of its facts, and every test that then has
 * only constants is decided. Make one per route signature: results are kept per condition.
 */
export class Specialiser {
  readonly #conditions: Conditions;
  readonly #route: RouteFacts;
  /** Values of facts of the request, by key: see {@link knowing}. */
  readonly #supposed: ReadonlyMap<string, Value>;
  readonly #done: Map<number, Condition>;

  constructor(
    conditions: Conditions,
    route: RouteFacts,
    supposed: ReadonlyMap<string, Value> = new Map(),
    holding: ReadonlySet<Condition> = new Set(),
  ) {
    this.#conditions = conditions;
    this.#route = route;
    this.#supposed = supposed;
    this.#done = new Map([...holding].map((condition) => [condition.id, conditions.always]));
  }

  /** The same for requests in which a fact has a certain value. */
  knowing(fact: FactReference, value: Value): Specialiser {
    return new Specialiser(this.#conditions, this.#route, new Map(this.#supposed).set(fact.key, value));
  }

  /** The same for requests of which some conditions hold. */
  holding(conditions: ReadonlySet<Condition>): Specialiser {
    return new Specialiser(this.#conditions, this.#route, this.#supposed, conditions);
  }

  get conditions(): Conditions {
    return this.#conditions;
  }
  get route(): RouteFacts {
    return this.#route;
  }

  condition(condition: Condition): Condition {
    let result = this.#done.get(condition.id);
    if (result === undefined) {
      result = this.#specialise(condition);
      this.#done.set(condition.id, result);
    }
    return result;
  }

  /** Whether a fact is there: on every request of the route, on none, or only known when it arrives. */
  presence(fact: FactReference): 'always' | 'never' | 'unknown' {
    if (this.#supposed.has(fact.key) || isWholeElement(fact.path)) return 'always';
    if (fact.phase === 'body') {
      const absence = this.#route.body[fact.path];
      return absence === undefined ? 'never' : absence === 'never' ? 'always' : 'unknown';
    }
    if (fact.phase === 'call') return this.#presenceInCalls(fact);
    if (fact.absence === 'never') return 'always';
    if (fact.phase === 'compile') return this.#route.values[fact.path] === null ? 'never' : 'always';
    if (fact.path === 'request.parameter') {
      return this.#route.parameterNames.includes(fact.parameter ?? '') ? 'always' : 'never';
    }
    if (fact.phase !== 'identity') return 'unknown';
    if (this.#route.auth === 'none') return 'never';
    return this.#route.auth === 'required' && fact.absence === 'anonymous' ? 'always' : 'unknown';
  }

  /** Only bounds need not be there. */
  #presenceInCalls({ path }: FactReference): 'always' | 'never' | 'unknown' {
    if (this.#route.calls !== 'calls') return 'never';
    return path === 'model' || path === 'request.model' ? 'always' : 'unknown';
  }

  /** The value of a fact that is known for the route; null when it is missing, undefined when it is not known yet. */
  known(fact: FactReference): Value | null | undefined {
    if (this.presence(fact) === 'never') return null;
    const supposed = this.#supposed.get(fact.key);
    return supposed === undefined && fact.phase === 'compile' ? this.#route.values[fact.path] : supposed;
  }

  #specialise(condition: Condition): Condition {
    switch (condition.kind) {
      case 'constant':
        return condition;
      case 'not':
        return this.#conditions.not(this.condition(condition.operand));
      case 'all':
      case 'any':
        return this.#junction(condition);
      case 'test':
        return this.#test(condition, condition.test);
    }
  }

  /** What stays as it was is not made again: most of a rule is about requests, which nothing is known of. */
  #junction(junction: JunctionCondition): Condition {
    const operands = junction.operands.map((operand) => this.condition(operand));
    if (operands.every((operand, at) => operand === junction.operands[at])) return junction;
    return junction.kind === 'all' ? this.#conditions.all(operands) : this.#conditions.any(operands);
  }

  #test(condition: Condition, test: Test): Condition {
    switch (test.kind) {
      case 'present':
        return this.#present(condition, test.fact);
      case 'calendar':
        return condition;
      case 'fallen':
        return this.#route.calls === 'calls' ? condition : this.#conditions.never;
      case 'some':
        return this.#some(test);
      case 'share':
        return this.#route.auth === 'none' && test.of !== 'requests' ? this.#conditions.never : condition;
      case 'role':
      case 'subscribed':
        return this.#route.auth === 'none' ? this.#conditions.never : condition;
      case 'member':
        return this.#operands(condition, test.element, test.list, (element, list) => ({
          kind: 'member',
          element,
          list,
        }));
      case 'network':
        return this.#operands(condition, test.address, test.networks, (address, networks) => ({
          kind: 'network',
          address,
          networks,
        }));
      case 'equal':
      case 'lt':
      case 'le':
        return this.#operands(condition, test.left, test.right, (left, right) => ({
          kind: test.kind,
          left,
          right,
        }));
      default:
        return this.#operands(condition, test.text, null, (text) => ({ ...test, text }));
    }
  }

  /** A list that is known is asked element by element, here. */
  #some({ list, condition }: SomeTest): Condition {
    const known = this.known(list);
    if (known === null) return this.#conditions.never;
    if (known === undefined) return this.#conditions.some(list, this.condition(condition));
    const element = elementOf(list);
    return this.#conditions.any(
      (known as readonly ScalarValue[]).map((item) => this.knowing(element, item).condition(condition)),
    );
  }

  #present(condition: Condition, fact: FactReference): Condition {
    const presence = this.presence(fact);
    if (presence !== 'unknown') return this.#conditions.constant(presence === 'always');
    return condition;
  }

  /** Puts what is known into the operands; a missing one makes the test false, constants decide it. */
  #operands(
    condition: Condition,
    first: Term,
    second: Term | null,
    make: (first: Term, second: Term) => Test,
  ): Condition {
    const a = this.#term(first);
    const b = second === null ? NOTHING : this.#term(second);
    if (a === null || b === null) return this.#conditions.never;
    const isSame = a === first && (second === null || b === second);
    if (isSame && (a.kind !== 'constant' || b.kind !== 'constant') && !isEmptyList(b)) return condition;
    const test = make(a, b);
    if (a.kind === 'constant' && b.kind === 'constant') return this.#conditions.constant(decide(test));
    if ((test.kind === 'member' || test.kind === 'network') && isEmptyList(b)) return this.#conditions.never;
    return this.#conditions.test(test);
  }

  /** Null when an operand is missing. */
  #arithmetic({ operator, left, right }: Extract<Term, { kind: 'arithmetic' }>): Term | null {
    const a = this.#term(left);
    const b = this.#term(right);
    if (a === null || b === null) return null;
    if (a.kind !== 'constant' || b.kind !== 'constant')
      return { kind: 'arithmetic', operator, left: a, right: b };
    return { kind: 'constant', value: calculate(operator, Number(a.value), Number(b.value)) };
  }

  /** Null when the value is missing. */
  #term(term: Term): Term | null {
    if (term.kind === 'constant') return term;
    if (term.kind === 'arithmetic') return this.#arithmetic(term);
    const known = this.known(term.fact);
    if (term.kind === 'fact') {
      if (known === undefined) return term;
      return known === null ? null : { kind: 'constant', value: known };
    }
    if (known === null) return { kind: 'constant', value: term.fallback };
    if (known !== undefined) return { kind: 'constant', value: known };
    return this.presence(term.fact) === 'always' ? { kind: 'fact', fact: term.fact } : term;
  }
}

const NOTHING: Term = { kind: 'constant', value: '' };

function isEmptyList(term: Term): boolean {
  return term.kind === 'constant' && typeof term.value === 'object' && term.value.length === 0;
}

/** Decides a test whose operands are all constants. */
function decide(test: Test): boolean {
  switch (test.kind) {
    case 'equal':
      return sameValue(constantOf(test.left), constantOf(test.right));
    case 'lt':
      return constantOf(test.left) < constantOf(test.right);
    case 'le':
      return constantOf(test.left) <= constantOf(test.right);
    case 'member':
      return (constantOf(test.list) as readonly Value[]).includes(constantOf(test.element));
    case 'network':
      return networksTest(textsOf(constantOf(test.networks)))(String(constantOf(test.address)));
    case 'contains':
      return String(constantOf(test.text)).includes(test.pattern);
    case 'starts-with':
      return String(constantOf(test.text)).startsWith(test.pattern);
    case 'ends-with':
      return String(constantOf(test.text)).endsWith(test.pattern);
    case 'like':
      return globTest(test.pattern)(String(constantOf(test.text)));
    case 'matches':
      return regexTest(test.pattern)(String(constantOf(test.text)));
    case 'present':
    case 'calendar':
    case 'some':
    case 'share':
    case 'role':
    case 'subscribed':
    case 'fallen':
      return false;
  }
}

function constantOf(term: Term): Value {
  return term.kind === 'constant' ? term.value : '';
}

function textsOf(value: Value): string[] {
  return [value].flat().map(String);
}

function sameValue(a: Value, b: Value): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
