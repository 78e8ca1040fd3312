import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Choices } from './choices.ts';
import { MUST_BE_REACHED } from './coverage.cases.ts';
import { Coverage } from './coverage.ts';
import { compiledJudge, interpretedJudge, play, randomCase } from './run.ts';

/** `DIFFERENTIAL_SEED` repeats a run that failed; `DIFFERENTIAL_RUNS` makes a longer one. */
const seed = process.env.DIFFERENTIAL_SEED;
const numRuns = Number(process.env.DIFFERENTIAL_RUNS ?? 3_000);

/** Numbers for one case: enough that few cases run out of choices. */
const numbers = fc.uint16Array({ minLength: 300, maxLength: 700, size: 'max' });

describe('compiled code and the reference interpreter', () => {
  const coverage = new Coverage();

  it('agree on every request of random sequences', () => {
    const property = fc.property(numbers, (drawn) => {
      const one = randomCase(new Choices(drawn));
      const compiled = play(one, compiledJudge(one));
      const interpreted = play(one, interpretedJudge(one));
      coverage.note(one, interpreted);
      if (!isDeepStrictEqual(compiled, interpreted)) expect(compiled).toEqual(interpreted);
    });
    fc.assert(property, { numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) });
  }, 180_000);

  it('are compared on every kind of node, fact, window, mode and ending', () => {
    expect(coverage.missing(MUST_BE_REACHED)).toEqual([]);
  });
});
