import { unreachable } from '../../base/assert.ts';
import { calculate } from '../../model/arithmetic.ts';
import { localClock } from '../../model/local-time.ts';
import { regexTest } from '../../model/regex.ts';
import type { ScalarValue, Value } from '../../model/types.ts';
import type {
  PoolAlertSpec,
  PoolAlertTest,
  PoolSubject,
  RotationSpec,
  RotationTest,
} from '../../pipeline/pool-rules.ts';
import type { Condition, FactReference, Term, Test } from '../ir.ts';
import type { PoolText } from '../pool-rules.ts';
import { calendarOf } from './calendar.ts';
import { globTest } from './glob.ts';
import { NOTHING_MORE, renderText, valueText } from './text.ts';

/**
 * Rules about pools, asked: by walking the condition, as there are few subjects and a look is taken once a second. Total, like
 * compiled conditions: a test of a fact that is missing does not hold.
 */
export function poolAlertTest(spec: PoolAlertSpec): PoolAlertTest {
  const condition = spec.condition as Condition;
  const because = spec.because as PoolText | null;
  return {
    spec,
    holds: (subject, wallMs) => holds(condition, { subject, wallMs }),
    text: (subject, wallMs) =>
      because === null
        ? asked(spec, subject)
        : renderText(
            because.parts,
            because.facts.map((path) => subject.facts[path]),
            { ...NOTHING_MORE, wallMs },
          ),
  };
}

export function rotationTest(spec: RotationSpec): RotationTest {
  const condition = spec.condition as Condition | null;
  return {
    spec,
    isInForce: (wallMs) => condition === null || holds(condition, { subject: NO_SUBJECT, wallMs }),
  };
}

/** Days are of no pool. */
const NO_SUBJECT: PoolSubject = { pool: '', key: null, facts: {} };

interface Moment {
  readonly subject: PoolSubject;
  readonly wallMs: number;
}

function holds(condition: Condition, moment: Moment): boolean {
  switch (condition.kind) {
    case 'constant':
      return condition.value;
    case 'not':
      return !holds(condition.operand, moment);
    case 'all':
      return condition.operands.every((operand) => holds(operand, moment));
    case 'any':
      return condition.operands.some((operand) => holds(operand, moment));
    case 'test':
      return tested(condition.test, moment);
  }
}

function tested(test: Test, moment: Moment): boolean {
  switch (test.kind) {
    case 'equal': {
      const [left, right] = [termValue(test.left, moment), termValue(test.right, moment)];
      return left !== undefined && left === right;
    }
    case 'lt':
      return Number(termValue(test.left, moment)) < Number(termValue(test.right, moment));
    case 'le':
      return Number(termValue(test.left, moment)) <= Number(termValue(test.right, moment));
    case 'member': {
      const element = termValue(test.element, moment);
      const list = termValue(test.list, moment);
      return Array.isArray(list) && element !== undefined && list.includes(element as ScalarValue);
    }
    case 'present':
      return moment.subject.facts[test.fact.path] !== undefined;
    case 'calendar':
      return calendarOf(test.hours).isOpen(moment.wallMs);
    case 'fallen':
      return false;
    case 'contains':
    case 'starts-with':
    case 'ends-with':
    case 'like':
    case 'matches': {
      const text = termValue(test.text, moment);
      return text !== undefined && textTest(test.kind, test.pattern)(String(text));
    }
    case 'network':
    case 'some':
    case 'share':
    case 'role':
    case 'subscribed':
      return unreachable(test as never);
  }
}

function textTest(
  kind: 'contains' | 'starts-with' | 'ends-with' | 'like' | 'matches',
  pattern: string,
): (text: string) => boolean {
  switch (kind) {
    case 'contains':
      return (text) => text.includes(pattern);
    case 'starts-with':
      return (text) => text.startsWith(pattern);
    case 'ends-with':
      return (text) => text.endsWith(pattern);
    case 'like':
      return globTest(pattern);
    case 'matches':
      return regexTest(pattern);
  }
}

function termValue(term: Term, moment: Moment): Value | undefined {
  switch (term.kind) {
    case 'constant':
      return term.value;
    case 'fact':
      return factValue(term.fact, moment);
    case 'otherwise':
      return factValue(term.fact, moment) ?? term.fallback;
    case 'arithmetic': {
      const [left, right] = [termValue(term.left, moment), termValue(term.right, moment)];
      return left === undefined || right === undefined
        ? undefined
        : calculate(term.operator, Number(left), Number(right));
    }
  }
}

/** The days on which a rule is in force are those of its zone, whatever is asked of pools. */
function factValue({ path, parameter }: FactReference, { subject, wallMs }: Moment): Value | undefined {
  return path === 'request.date' ? localClock(parameter!).day(wallMs) : subject.facts[path];
}

/** Where a rule says nothing of its own: the values of what it asks, but for names, which are told anyway. */
function asked({ asks }: PoolAlertSpec, { facts }: PoolSubject): string {
  const told = asks.filter(({ path, format }) => format !== 'text' && facts[path] !== undefined);
  return told.length === 0
    ? 'its condition holds.'
    : `${told.map(({ path, format }) => `${path} is ${valueText(facts[path], format)}`).join(', ')}.`;
}
