import { describe, expect, test } from 'vitest';
import {
  type AttemptFailure,
  type FailureKind,
  mayRepeat,
  REPEATED_AT,
  RETRY_BUDGET,
  RetryBudget,
} from './retry.ts';

const KINDS = Object.keys(REPEATED_AT) as FailureKind[];
const FLAGS = [false, true];

function* everyFailure(): Generator<AttemptFailure> {
  for (const kind of KINDS) {
    for (const wrote of FLAGS) {
      for (const answered of FLAGS) {
        for (const reused of FLAGS) yield { kind, detail: '', wrote, answered, reused };
      }
    }
  }
}

describe('whether a request is repeated', () => {
  test('what may have been processed never is, unless the caller allows it', () => {
    for (const failure of everyFailure()) {
      if (!failure.wrote) continue;
      for (const bodyAtHand of FLAGS) {
        expect(
          mayRepeat(failure, { repeatable: false, attempts: 1, attemptsMax: 3, bodyAtHand, endpoints: 9 }),
        ).toBe(false);
      }
    }
  });

  test('nothing is repeated after a byte of an answer, without its body, or too often', () => {
    for (const failure of everyFailure()) {
      const most = { repeatable: true, attempts: 1, attemptsMax: 3, bodyAtHand: true, endpoints: 9 };
      expect(mayRepeat({ ...failure, answered: true }, most)).toBe(false);
      expect(mayRepeat(failure, { ...most, bodyAtHand: false })).toBe(false);
      expect(mayRepeat(failure, { ...most, attempts: 3 })).toBe(false);
    }
  });

  test('what was not written goes to another connection, or endpoint, whatever it is', () => {
    const unwritten = { detail: '', wrote: false, answered: false, reused: true };
    const what = { repeatable: false, attempts: 1, attemptsMax: 3, bodyAtHand: true };
    const repeatedWith = (endpoints: number) =>
      KINDS.filter((kind) => mayRepeat({ ...unwritten, kind }, { ...what, endpoints }));
    expect(repeatedWith(1)).toEqual(['closed', 'write-failed']);
    expect(repeatedWith(2)).toEqual([
      'connect-failed',
      'connect-timeout',
      'tls-failed',
      'closed',
      'write-failed',
    ]);
  });

  test('an allowed repeat of what was written', () => {
    const failure: AttemptFailure = {
      kind: 'closed',
      detail: '',
      wrote: true,
      answered: false,
      reused: false,
    };
    const what = { repeatable: true, attemptsMax: 3, bodyAtHand: true, endpoints: 1 };
    expect(mayRepeat(failure, { ...what, attempts: 2 })).toBe(true);
    expect(mayRepeat(failure, { ...what, attempts: 2, attemptsMax: 2 })).toBe(false);
  });
});

describe('the retry budget', () => {
  function takeAll(budget: RetryBudget, nowMs: number): number {
    let taken = 0;
    while (budget.take(nowMs)) taken++;
    return taken;
  }

  test('a start, 10 % of the requests, and a floor in time', () => {
    const budget = new RetryBudget(0.1, 0);
    expect(takeAll(budget, 0)).toBe(10);
    for (let round = 0; round < 55; round++) budget.request();
    expect(takeAll(budget, 0)).toBe(5);
    expect(takeAll(budget, 999)).toBe(0);
    expect(takeAll(budget, 1_500)).toBe(2);
    expect(takeAll(budget, 2_000)).toBe(2);
    expect(takeAll(budget, 1_000)).toBe(0);
  });

  test('a share of nothing allows none', () => {
    const budget = new RetryBudget(0, 0);
    for (let round = 0; round < 1_000; round++) budget.request();
    expect(takeAll(budget, 1e9)).toBe(0);
  });

  test('no more than a bound is saved up', () => {
    const budget = new RetryBudget(0.1, 0);
    for (let round = 0; round < 100_000; round++) budget.request();
    expect(takeAll(budget, 1e9)).toBe(RETRY_BUDGET.most / RETRY_BUDGET.perRetry);
  });
});
