import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Choices } from './choices.ts';
import { compiledJudge, interpretedJudge, play, randomCase } from './run.ts';

const RUNS = 3_000;
/** Numbers for one case: enough that few cases run out of choices. */
const numbers = fc.uint16Array({ minLength: 150, maxLength: 500 });

describe('compiled code and the reference interpreter', () => {
  it('agree on every request of random sequences', () => {
    fc.assert(
      fc.property(numbers, (drawn) => {
        const one = randomCase(new Choices(drawn));
        expect(play(one, compiledJudge(one))).toEqual(play(one, interpretedJudge(one)));
      }),
      { numRuns: RUNS },
    );
  });
});
