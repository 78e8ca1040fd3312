/** The random policies of the differential test, written as text: what people write is what is judged, however they write it. */
import { describe, expect, it } from 'vitest';
import { placeOf, SourceText } from '../../src/diagnostics/source.ts';
import { canonicalRule } from '../../src/language/canonical.ts';
import { checkPolicies } from '../../src/language/check.ts';
import { formatPolicyFile } from '../../src/language/format.ts';
import { lex } from '../../src/language/lexer.ts';
import type { CheckedPolicies } from '../../src/language/typed.ts';
import type { Model, Pool, Provider } from '../../src/model/pools.ts';
import type { World } from '../../src/model/world.ts';
import { drawnNumbers, withRandomGaps } from '../language/random-sentences.ts';
import { Choices } from './choices.ts';
import { type PolicyTexts, textsOf, writable } from './policy-text.ts';
import { NAMES } from './random-world.ts';
import { type Case, compiledJudge, type Observation, play, randomCase } from './run.ts';
import { randomNumbers } from './seeds.ts';

const CASES = 120;
const SEED = 20_261_124;
/**
 * Of the rules as drawn some cannot be written, and some the checker refuses (what reads or changes a body that not every route
 * describes, what names pools of no project): they are left out of their case.
 */
const WRITTEN_MIN = 0.45;

/** Names that the random conditions ask for; others are made while the gateway runs. */
const DIRECTORY: World['directory'] = {
  tenants: new Map(),
  plans: new Set(NAMES.plans),
  roles: new Set(NAMES.roles),
};

/** As limits name them, each with a pool of one provider. */
const MODELS: World['models'] = {
  providers: new Map([['openai', { name: 'openai', dialect: 'openai' } as Provider]]),
  pools: new Map([['main', { name: 'main', provider: 'openai' } as Pool]]),
  models: new Map(
    NAMES.models.map((name) => [name, { name, pools: ['main'], tags: [], place: '' } as unknown as Model]),
  ),
};

/** Of a policy in a file of its own; each of its rules has a line below. */
const HEAD_LINE = 2;

const DRAWN: readonly Case[] = Array.from({ length: CASES }, (_, number) =>
  randomCase(new Choices(randomNumbers(SEED, number))),
);
const WRITTEN: readonly Case[] = DRAWN.map((one) => ({ ...one, policies: accepted(one) }));

describe('random policies, written as text', () => {
  it('are accepted, most rules of them', () => {
    expect(rulesOf(WRITTEN) / rulesOf(DRAWN)).toBeGreaterThanOrEqual(WRITTEN_MIN);
  });

  it('mean what they were drawn to mean', () => {
    for (const one of WRITTEN) {
      expect(judged(one, checked(filesOf(one.policies), one.world)).map(seen)).toEqual(
        judged(one, one.policies).map(seen),
      );
    }
  });

  it('mean the same after formatting, however they were laid out before', () => {
    for (const [number, one] of WRITTEN.entries()) {
      const files = filesOf(one.policies);
      const formatted = files.map((file) => {
        const words = lex(file, 64, () => {}).tokens.map(({ image }) => image);
        const laidOut = withRandomGaps(words, new Choices(drawnNumbers(number, words.length + 2)));
        const result = formatPolicyFile(new SourceText(file.path, laidOut), 64);
        return new SourceText(file.path, result.kind === 'formatted' ? result.text : '');
      });
      expect(judged(one, checked(formatted, one.world))).toEqual(judged(one, checked(files, one.world)));
    }
  });

  it('mean the same in another order of files, policies and rules', () => {
    for (const one of WRITTEN) {
      const turned = [...one.policies.policies]
        .reverse()
        .map((policy) => ({ ...policy, rules: [...policy.rules].reverse() }));
      const { declarations, policies } = textsOf({ policies: turned });
      const together = [new SourceText('z.policy', `${written(policies)}\n${declarations}`)];
      const expected = judged(one, checked(filesOf(one.policies), one.world));
      expect(judged(one, checked(filesOf({ policies: turned }), one.world))).toEqual(expected);
      expect(judged(one, checked(together, one.world))).toEqual(expected);
    }
  });
});

function rulesOf(cases: readonly Case[]): number {
  return cases.flatMap(({ policies }) => policies.policies.flatMap(({ rules }) => rules)).length;
}

/** Without the rules that the checker refuses: each is a line of its own. */
function accepted({ policies, world }: Case): CheckedPolicies {
  let kept = rekeyed(writable(policies));
  for (;;) {
    const { diagnostics } = check(filesOf(kept), world);
    const refused = new Set(
      diagnostics.flatMap(({ span }) => (span === null ? [] : [placeOf(span).replace(/:\d+$/, '')])),
    );
    if (refused.size === 0) return kept;
    kept = {
      policies: kept.policies.flatMap((policy, at) =>
        refused.has(`${at}.policy:${HEAD_LINE}`)
          ? []
          : [
              {
                ...policy,
                rules: policy.rules.filter((_, line) => !refused.has(`${at}.policy:${HEAD_LINE + 1 + line}`)),
              },
            ],
      ),
    };
  }
}

/** Rules without a name are told apart by their text, as the checker does: of several that deny, the key decides which is named. */
function rekeyed({ policies }: CheckedPolicies): CheckedPolicies {
  return {
    policies: policies.map((policy) => ({
      ...policy,
      rules: policy.rules.map((rule) => ({ ...rule, key: rule.name ?? canonicalRule(rule) })),
    })),
  };
}

/** Declarations in a file of their own, and each policy in one. */
function filesOf(policies: CheckedPolicies): SourceText[] {
  const { declarations, policies: texts } = textsOf(policies);
  const own = texts.map((policy, index) => new SourceText(`${index}.policy`, written([policy])));
  return [...own, new SourceText('calendars.policy', `language 1\n${declarations}`)];
}

function written(policies: PolicyTexts['policies']): string {
  return `language 1\n${policies.map(({ head, rules }) => `${head} {\n${rules.join('\n')}\n}`).join('\n')}`;
}

/** The policies, and their errors. */
function check(files: readonly SourceText[], world: World) {
  const { policies, diagnostics } = checkPolicies(files, { ...world, directory: DIRECTORY, models: MODELS });
  return { policies, diagnostics: diagnostics.filter(({ severity }) => severity === 'error') };
}

function checked(files: readonly SourceText[], world: World): CheckedPolicies {
  const { policies, diagnostics } = check(files, world);
  expect(diagnostics).toEqual([]);
  return policies;
}

function judged(one: Case, policies: CheckedPolicies): readonly Observation[] {
  return play(
    { steps: one.steps.map((step) => ({ ...step, trouble: null })), policies },
    compiledJudge({ ...one, policies }),
  );
}

/** Without what names rules and counters: the checker names those without a name otherwise than the generator. */
function seen({
  decision,
  refusal,
  headers,
  totalTimeoutMs,
  reservations,
  warnings,
  alsoDenied,
  model,
}: Observation) {
  const answer = refusal === null ? null : { status: refusal.status, code: refusal.code };
  const counts = { warnings: warnings.length, alsoDenied: alsoDenied.length };
  return { decision, answer, model, headers, totalTimeoutMs, reservations, ...counts };
}
