import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules } from '../../src/compiler/compile.ts';
import type { ProgramConstant, RuleBundle } from '../../src/pipeline/program.ts';
import { Choices } from './choices.ts';
import { CORPUS } from './corpus.cases.ts';
import { caseOf } from './corpus.ts';
import { MUTANTS, type Mutant } from './mutants.cases.ts';
import { bundleJudge, type Case, interpretedJudge, type Observation, play, randomCase } from './run.ts';

/** Rules that need a table stand in one case of twenty. */
const CASES_MAX = 6_000;
const SHARE_CAUGHT = 0.95;

describe('the differential test', () => {
  it(`catches 95 of 100 of ${MUTANTS.length} broken compilers within ${CASES_MAX} cases`, () => {
    const numbers = fc.uint16Array({ minLength: 300, maxLength: 700, size: 'max' });
    let alive = [...MUTANTS];
    const drawn = fc.sample(numbers, { seed: 20_261_123, numRuns: CASES_MAX });
    for (const one of casesOf(drawn)) {
      const expected = play(one, interpretedJudge(one));
      const bundle = compileRules(one.policies, one.world).bundle;
      alive = alive.filter((mutant) =>
        isDeepStrictEqual(playMutant(mutant, one, bundle, expected), expected),
      );
      if (alive.length === 0) break;
    }
    const survivors = alive.map((mutant) => mutant.name);
    console.info(
      `${MUTANTS.length - survivors.length} of ${MUTANTS.length} mutants caught; alive:`,
      survivors,
    );
    expect(survivors.length / MUTANTS.length).toBeLessThanOrEqual(1 - SHARE_CAUGHT);
  }, 600_000);
});

/** As the differential test goes through them: the fixed ones first. */
function* casesOf(drawn: readonly Uint16Array[]): Generator<Case> {
  for (const entry of CORPUS) yield caseOf(entry);
  for (const numbers of drawn) yield randomCase(new Choices(numbers));
}

/** What the broken compiler's code does; an exception is a way to be caught. */
function playMutant(
  mutant: Mutant,
  one: Case,
  bundle: RuleBundle,
  expected: readonly Observation[],
): unknown {
  const broken =
    mutant.source === undefined ? mutateBundle(mutant, bundle) : compileMutant(mutant.source, one);
  if (broken === null) return expected;
  try {
    return play(one, bundleJudge(broken, one.keys));
  } catch (error) {
    return error;
  }
}

function compileMutant(source: (one: Case) => Case, one: Case): RuleBundle {
  const { policies, world } = source(one);
  return compileRules(policies, world).bundle;
}

/** Null when the mistake cannot show in this bundle. */
function mutateBundle({ code, constant }: Mutant, bundle: RuleBundle): RuleBundle | null {
  if (code !== undefined) {
    const functions = bundle.functions.map(code);
    return isDeepStrictEqual(functions, bundle.functions) ? null : { ...bundle, functions };
  }
  const routes = bundle.routes.map((program) => ({
    ...program,
    constants: [
      program.constants[0]!,
      ...program.constants.slice(1).map((list) => (list as readonly ProgramConstant[]).map(constant!)),
    ],
  }));
  return isDeepStrictEqual(routes, bundle.routes) ? null : { ...bundle, routes };
}
