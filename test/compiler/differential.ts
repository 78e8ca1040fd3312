/**
 * The differential test: compiled code against the reference interpreter. One case is one random project (world and
 * policies) with one random sequence of requests over a virtual clock; it is compared request by request on decision,
 * answer, messages, header edits, time-outs, and the contents of all counters.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Choices } from './choices.ts';
import { CORPUS } from './corpus.cases.ts';
import { caseOf, corpusEntry } from './corpus.ts';
import { MUST_BE_REACHED } from './coverage.cases.ts';
import { Coverage } from './coverage.ts';
import { type Case, compiledJudge, interpretedJudge, play, randomCase } from './run.ts';
import { randomNumbers } from './seeds.ts';

/** In all parts together. `DIFFERENTIAL_RUNS` makes a longer run, `DIFFERENTIAL_SEED` repeats one that failed. */
const CASES = Number(process.env.DIFFERENTIAL_RUNS ?? 100_000);
const SEED = Number(process.env.DIFFERENTIAL_SEED ?? Date.now() % 2 ** 31);

/** Files of tests run side by side, so the cases stand in several. */
const PARTS = 4;
/** Looking through a case costs as much as judging it, so not every one is looked through. */
const LOOKED_THROUGH_EVERY = 5;

export function differentialTest(part: number): void {
  describe(`compiled code and the reference interpreter, part ${part} of ${PARTS}`, () => {
    const coverage = new Coverage();

    if (part === 1) {
      it.each(CORPUS)('agree on a fixed case: $what', (entry) => {
        const { compiled, interpreted } = judgeBoth(caseOf(entry));
        expect(compiled).toEqual(interpreted);
        expect(compiled.map(({ decision, refusal }) => refusal?.code ?? decision)).toEqual(entry.ends);
      });
    }

    it(`agree on every request of ${CASES / PARTS} random sequences`, () => {
      for (let number = part; number <= CASES; number += PARTS) {
        const numbers = randomNumbers(SEED, number);
        const one = randomCase(new Choices(numbers));
        const { compiled, interpreted } = judgeBoth(one);
        if (number % LOOKED_THROUGH_EVERY === 0) coverage.note(one, interpreted);
        if (!isDeepStrictEqual(compiled, interpreted)) explain(numbers);
      }
    }, 1_200_000);

    it('are compared on every kind of node, fact, window, mode and ending', () => {
      expect(coverage.missing(MUST_BE_REACHED)).toEqual([]);
    });
  });
}

function judgeBoth(one: Case) {
  return { compiled: play(one, compiledJudge(one)), interpreted: play(one, interpretedJudge(one)) };
}

/** Fails with the simplest case like this one. */
function explain(numbers: Uint16Array): never {
  const property = fc.property(fc.uint16Array({ size: 'max', maxLength: numbers.length }), (drawn) => {
    const { compiled, interpreted } = judgeBoth(randomCase(new Choices(drawn)));
    if (!isDeepStrictEqual(compiled, interpreted)) expect(compiled).toEqual(interpreted);
  });
  const start = `seed ${SEED}; repeat with DIFFERENTIAL_SEED=${SEED}`;
  const found = fc.check(property, { examples: [[numbers]], numRuns: 1, interruptAfterTimeLimit: 60_000 });
  const simplest = randomCase(new Choices(found.counterexample?.[0] ?? numbers));
  const entry = `For corpus.cases.ts, once it is mended:\n${corpusEntry(simplest)}`;
  throw new Error(`${start}\n${fc.defaultReportMessage(found) ?? 'it did not fail again'}\n${entry}`);
}
