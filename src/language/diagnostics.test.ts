import { describe, expect, it } from 'vitest';
import { LANGUAGE_CODES } from '../diagnostics/catalogue/language.ts';
import { POOL_CODES } from '../diagnostics/catalogue/pools.ts';
import { placeOf, SourceText } from '../diagnostics/source.ts';
import { checkPolicies } from './check.ts';
import { DIAGNOSTIC_CASES } from './diagnostics.cases.ts';
import { AI_WORLD, WORLD } from './world.cases.ts';

/** Of one policy file. */
const CODES = { ...LANGUAGE_CODES, ...POOL_CODES };

/** Days since 1970-01-01. */
function dayOf(date: string | undefined): number | null {
  return date === undefined ? null : Date.parse(date) / 86_400_000;
}

describe('every mistake says what is wrong, where, and what to do', () => {
  it.each(DIAGNOSTIC_CASES)(
    '$code: $what',
    ({ code, text, path = 'a.policy', routes, today, at, message, help, related = [] }) => {
      const world = routes === 'models' ? AI_WORLD : WORLD;
      const { diagnostics } = checkPolicies([new SourceText(path, text)], world, dayOf(today));
      const shown = diagnostics.map((diagnostic) => ({
        code: diagnostic.code,
        at: placeOf(diagnostic.span!).replace(`${path}:`, ''),
        message: diagnostic.message,
        help: diagnostic.help,
        related: diagnostic.related.map((place) => `${placeOf(place.span)} ${place.message}`),
        severity: diagnostic.severity,
      }));
      const { severity } = CODES[code as keyof typeof CODES];
      expect(shown).toEqual([{ code, at, message, help, related, severity }]);
    },
  );

  it('shows every code of the catalogue', () => {
    const shown = new Set(DIAGNOSTIC_CASES.map(({ code }) => code));
    expect(Object.keys(CODES).filter((code) => !shown.has(code))).toEqual([]);
  });

  it('leaves out policies with errors and keeps those with warnings', () => {
    for (const { code, text, path = 'a.policy', routes, today } of DIAGNOSTIC_CASES) {
      const world = routes === 'models' ? AI_WORLD : WORLD;
      const { policies } = checkPolicies([new SourceText(path, text)], world, dayOf(today));
      const { severity } = CODES[code as keyof typeof CODES];
      // of two policies with one name the first is kept
      const kept = text.includes('policy "p"') && !BESIDE_THE_POLICY.has(code);
      if (severity === 'warning') expect(policies.policies).toHaveLength(1);
      else if (kept) expect(policies.policies).toEqual([]);
    }
  });
});

/** Mistakes outside the braces of a policy, in its second copy, or in what it makes of others. */
const BESIDE_THE_POLICY = new Set(['PT0101', 'PT0102', 'PT1105', 'PT2107', 'PT2310']);

describe('one run reports every mistake', () => {
  const text = [
    'language 1',
    'zone Mars/Phobos',
    'policy "a" owner ops {',
    '  permit when tenant.plan is "fre"',
    '  forbid when',
    '  limit at most 5M requests in any 1m  in total',
    '  foo',
    '  permit when consumer has role "byer"',
    '}',
    'policy "b" applies to {',
    '  forbid status 200',
    '}',
    'policy "c" {',
    '  timeout 0s',
  ].join('\n');

  it('in every rule, policy and file, in the order of the text', () => {
    const { diagnostics } = checkPolicies(
      [new SourceText('b.policy', text), new SourceText('a.policy', 'permit')],
      WORLD,
    );
    expect(diagnostics.map(({ code, span }) => `${code} ${placeOf(span!)}`)).toEqual([
      'PT0102 a.policy:1:1',
      'PT1104 b.policy:2:6',
      'PT0101 b.policy:3:18',
      'PT1301 b.policy:4:15',
      'PT0119 b.policy:5:10',
      'PT0112 b.policy:6:17',
      'PT0101 b.policy:7:3',
      'PT1101 b.policy:8:33',
      'PT0101 b.policy:10:23',
      'PT2104 b.policy:11:17',
      'PT0119 b.policy:14:11',
    ]);
  });

  it('at most one per line and 50 per file', () => {
    const lines = Array.from({ length: 80 }, () => 'permit when tenant.plan == "fre" and route is "nowhere"');
    const many = ['language 1', 'policy "p" {', ...lines, '}'].join('\n');
    const { diagnostics } = checkPolicies([new SourceText('a.policy', many)], WORLD);
    expect(diagnostics).toHaveLength(50);
    const places = diagnostics.map(({ span }) => span!.source.position(span!.start).line);
    expect(new Set(places).size).toBe(50);
    expect(new Set(diagnostics.map(({ code }) => code))).toEqual(new Set(['PT0111']));
  });

  it('names the other place of a policy defined in two files', () => {
    const files = ['b.policy', 'a.policy'].map(
      (path) => new SourceText(path, 'language 1\npolicy "p" { permit }'),
    );
    const { diagnostics, policies } = checkPolicies(files, WORLD);
    expect(diagnostics.map(({ code, span }) => [code, placeOf(span!)])).toEqual([['PT1105', 'b.policy:2:8']]);
    expect(diagnostics[0]!.related.map(({ span }) => placeOf(span))).toEqual(['a.policy:2:8']);
    expect(policies.policies.map(({ span }) => span.source.path)).toEqual(['a.policy']);
  });
});
