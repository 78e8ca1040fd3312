/**
 * The differential test: compiled code against the reference interpreter. One case is one random project (world and
 * policies) with one random sequence of requests over a virtual clock; it is compared request by request on decision,
 * answer, messages, header edits, time-outs, and the contents of all counters. Compiling costs more than judging, so
 * each project is asked with several sequences, each over counters of its own: what one leaves out the next may ask.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules } from '../../src/compiler/compile.ts';
import { ReferenceCounters } from '../../src/compiler/reference-counters.ts';
import { Choices } from './choices.ts';
import { CORPUS } from './corpus.cases.ts';
import { caseOf, corpusEntry } from './corpus.ts';
import { MUST_BE_REACHED } from './coverage.cases.ts';
import { Coverage } from './coverage.ts';
import { refusedAsSoon } from './refused-sooner.ts';
import {
  bundleJudge,
  type Case,
  interpretedJudge,
  type Judge,
  type Observation,
  play,
  randomCase,
  withOtherSteps,
} from './run.ts';
import { randomNumbers } from './seeds.ts';

/** In all parts together. `DIFFERENTIAL_RUNS` makes a longer run, `DIFFERENTIAL_SEED` repeats one that failed. */
const CASES = Number(process.env.DIFFERENTIAL_RUNS ?? 100_000);
const SEED = Number(process.env.DIFFERENTIAL_SEED ?? Date.now() % 2 ** 31);

/** Files of tests run side by side, so the cases stand in several. */
const PARTS = 4;
/** Of a refusal for want of a permit. */
const SEQUENCES = 8;
const PROJECTS = Math.ceil(CASES / SEQUENCES);

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
      for (let project = part; project <= PROJECTS; project += PARTS) {
        const numbers = randomNumbers(SEED, project);
        const first = randomCase(new Choices(numbers));
        const judges = judgesOf(first);
        coverage.notePolicies(first);
        for (let sequence = 0; sequence < SEQUENCES; sequence++) {
          const steps = sequence === 0 ? null : randomNumbers(SEED + sequence, project);
          const { compiled, interpreted } = judgeBoth(withSteps(first, steps), judges);
          coverage.noteEnds(interpreted);
          if (!isDeepStrictEqual(compiled, interpreted)) explain(numbers, steps);
        }
      }
    }, 1_200_000);

    it('are compared on every kind of node, fact, window, mode and ending', () => {
      expect(coverage.missing(MUST_BE_REACHED)).toEqual([]);
    });
  });
}

interface Judges {
  readonly compiled: Judge;
  readonly interpreted: Judge;
}

/** Made once for each project, as a gateway makes its pipelines once. */
function judgesOf(one: Case): Judges {
  const { bundle } = compileRules(one.policies, one.world);
  return { compiled: bundleJudge(bundle, one.keys), interpreted: interpretedJudge(one) };
}

/** Over counters that nothing has been asked of. */
function judgeBoth(one: Case, { compiled, interpreted }: Judges = judgesOf(one)) {
  const observed = playAnew(one, compiled);
  const expected = playAnew(one, interpreted).map((each, step) => refusedAsSoon(each, observed[step]));
  return { compiled: observed, interpreted: expected };
}

function playAnew(one: Case, judge: Judge): Observation[] {
  judge.release();
  if (judge.counters instanceof ReferenceCounters) judge.counters.forget();
  return play(one, judge);
}

/** Null: the steps that were drawn with the project. */
function withSteps(one: Case, steps: Uint16Array | null): Case {
  return steps === null ? one : withOtherSteps(one, new Choices(steps));
}

/** Fails with the simplest case like this one. */
function explain(project: Uint16Array, steps: Uint16Array | null): never {
  const numbers = fc.uint16Array({ size: 'max', maxLength: project.length });
  const caseFrom = (numbers: Uint16Array, steps: Uint16Array | null): Case =>
    withSteps(randomCase(new Choices(numbers)), steps);
  const property = fc.property(numbers, fc.option(numbers), (drawn, drawnSteps) => {
    const { compiled, interpreted } = judgeBoth(caseFrom(drawn, drawnSteps));
    if (!isDeepStrictEqual(compiled, interpreted)) expect(compiled).toEqual(interpreted);
  });
  const start = `seed ${SEED}; repeat with DIFFERENTIAL_SEED=${SEED}`;
  const examples: [Uint16Array, Uint16Array | null][] = [[project, steps]];
  const found = fc.check(property, { examples, numRuns: 1, interruptAfterTimeLimit: 60_000 });
  const [simplest, itsSteps] = found.counterexample ?? examples[0]!;
  const entry = `For corpus.cases.ts, once it is mended:\n${corpusEntry(caseFrom(simplest, itsSteps))}`;
  throw new Error(`${start}\n${fc.defaultReportMessage(found) ?? 'it did not fail again'}\n${entry}`);
}
