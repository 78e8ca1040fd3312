import type { Condition, FactReference, Term, Test } from '../ir.ts';
import { factsOfTerm, termsOf } from '../rule-facts.ts';

/**
 * The parts of a conjunction or disjunction, those first that cost least to ask: the others are often spared then. Conditions
 * are total, so any order says the same.
 */
export function cheapestFirst(operands: readonly Condition[]): Condition[] {
  return operands.toSorted((a, b) => nsOf(a) - nsOf(b));
}

/** About what it costs to ask, in nanoseconds. Only the order of such figures matters. */
function nsOf(condition: Condition): number {
  switch (condition.kind) {
    case 'constant':
      return 0;
    case 'not':
      return nsOf(condition.operand);
    case 'all':
    case 'any':
      return condition.operands.reduce((sum, operand) => sum + nsOf(operand), 0);
    case 'test':
      return nsOfTest(condition.test);
  }
}

function nsOfTest(test: Test): number {
  const facts = termsOf(test).flatMap(factsOfTerm);
  const reading = facts.reduce((sum, { path }) => sum + (NS_OF_FACT[path] ?? 1), 0);
  if (test.kind === 'member') return reading + nsOfMember(test.list);
  if (test.kind === 'some') return reading + NS_OF_TEST.some + nsOf(test.condition);
  return reading + NS_OF_TEST[test.kind];
}

/** Constants are compared one by one or looked up; how long the list of a caller is, nobody knows. */
function nsOfMember(list: Term): number {
  return list.kind === 'constant' ? Math.min(15, 2 * (list.value as readonly unknown[]).length) : 20;
}

/**
 * Whether a fact that several tests need is read before the first that may need it. A field of the request is sought in less
 * than it costs to ask each time whether that was done; and where it is missing, nothing would show that it was.
 */
export function isReadAhead({ path }: FactReference): boolean {
  return path !== 'request.ip';
}

/** The address takes a system call. Texts are searched for, local times computed; all other facts are fields. */
const NS_OF_FACT: Readonly<Record<string, number>> = {
  'request.ip': 1_500,
  'request.header': 12,
  'request.query': 30,
  'request.date': 40,
  'request.time': 40,
  'request.weekday': 40,
};

const NS_OF_TEST: Readonly<Record<Exclude<Test['kind'], 'member'>, number>> = {
  equal: 3,
  lt: 1,
  le: 1,
  present: 0,
  role: 8,
  fallen: 2,
  subscribed: 10,
  'starts-with': 8,
  'ends-with': 8,
  contains: 12,
  network: 25,
  like: 25,
  calendar: 30,
  share: 30,
  matches: 60,
  some: 100,
};
