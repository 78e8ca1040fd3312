/** What is masked in a body is not told of it by texts, fields and alerts either (language-rules #32). */
import { describe, expect, it } from 'vitest';
import { type CorpusStep, caseOf } from './corpus.ts';
import { compiledJudge, interpretedJudge, type Observation, play } from './run.ts';

const CARD = 4_111_111_111_111_111;
const POLICY = `policy "p" {
  permit
  mask email in request with "(who)"
  mask pattern /left\\sright/ in request with "(gap)"
  mask card in request and response when request.body.currency is present and request.body.currency is "EUR"
  forbid "no" when request.body.labels is present and request.body.labels contains "no"
    because "{request.body.note}, {request.body.labels}, {request.body.amount} for {request.header[\\"x-color\\"]}"
  warn "hm" when request.body.note is present because "{request.body.note}"
  set header "x-note" to "{request.body.note}" in request
  limit "once" at most 1 requests in any 1m  in total  when exceeded because "again, {request.body.note}"
  alert "told" when response.status >= 200  for each request.body.note and route otherwise request.ip  because "{request.body.note}"
}`;

const BODY = { note: 'ann@example.org', amount: CARD, currency: 'EUR', labels: ['no', 'bob@example.org'] };
const FORBIDDEN = { body: BODY, headers: ['x-color', 'eve@example.org'] };

describe.each([
  ['compiled', compiledJudge],
  ['interpreted', interpretedJudge],
] as const)('%s texts', (_, judge) => {
  const observed = (steps: readonly CorpusStep[], { policies = POLICY, modes = {} } = {}): Observation[] => {
    const one = caseOf({ what: '', routes: { orders: { body: 'open' } }, policies, modes, steps, ends: [] });
    return play(one, judge(one));
  };

  it('tell values of the body as its masks leave them, and nothing else so', () => {
    const [refused] = observed([FORBIDDEN]);
    expect(refused!.refusal!.detail).toBe('(who), no, (who), [removed] for eve@example.org');
    expect(refused!.warnings.map(({ detail }) => detail)).toEqual(['(who)']);
  });

  it('mask what characters that nobody is shown stand in', () => {
    for (const note of ['ann\u0001@example.org', 'ann@exa\u200emple.org']) {
      const [permitted, exceeded] = observed([{ body: { note } }, { body: { note } }]);
      expect(permitted!.headers).toMatchObject({ request: { set: ['x-note: (who)'] } });
      expect(exceeded!.refusal!.detail).toBe('again, (who)');
      expect(permitted!.alerts.map((told) => JSON.parse(told)[2])).toEqual([['each', '(who)', 'orders']]);
    }
  });

  it('ask what masks ask', () => {
    const [refused] = observed([{ ...FORBIDDEN, body: { ...BODY, currency: 'USD' } }]);
    expect(refused!.refusal!.detail).toContain(`, ${CARD} for`);
  });

  it('mask what fields, limits and alerts tell', () => {
    const body = { note: 'ann@example.org' };
    const [permitted, exceeded] = observed([{ body }, { body }]);
    expect(permitted!.headers).toMatchObject({ request: { set: ['x-note: (who)'] } });
    expect(exceeded!.refusal!.detail).toBe('again, (who)');
    expect(permitted!.alerts.map((told) => JSON.parse(told).slice(1))).toEqual([
      [['each', 'ann@example.org', 'orders'], ['each', '(who)', 'orders'], '(who)'],
    ]);
  });

  it('are cut after what is masked has gone, so that no half of it is left', () => {
    const note = `${'x'.repeat(190)} ann@example.org`;
    const [refused] = observed([{ ...FORBIDDEN, body: { ...BODY, note } }]);
    expect(refused!.refusal!.detail).toContain(`${'x'.repeat(190)} (who), no`);
  });

  it.each([
    ['ann@exa\u200emple.org', '(who)'],
    ['ann@exa\u0001mple.org', '(who)'],
    ['41111111\u000111111111', '[removed]'],
    ['one\u0001 ann@example.org', 'one (who)'],
    ['left\nright', '(gap)'],
  ])('do not make %j whole again', (note, told) => {
    const [refused] = observed([{ ...FORBIDDEN, body: { ...BODY, note } }]);
    expect(refused!.refusal!.detail).toMatch(new RegExp(`^${told.replace(/[()[\]]/g, '\\$&')}, no, `));
    const [permitted] = observed([{ body: { note, currency: 'EUR' } }]);
    expect(permitted!.headers).toMatchObject({ request: { set: [`x-note: ${told}`] } });
    const [, , shownKey, text] = JSON.parse(permitted!.alerts[0]!);
    expect([shownKey[1], text]).toEqual([told, told]);
  });

  it('tell all where the mask only watches, or is of answers', () => {
    const rest = POLICY.replace(/ {2}mask .*\n/g, '');
    const watching = `${rest} policy "masks" { mask email in request  mask card in response }`;
    const [refused] = observed([FORBIDDEN], { policies: watching, modes: { masks: 'warn' } });
    expect(refused!.refusal!.detail).toBe(
      `ann@example.org, no, bob@example.org, ${CARD} for eve@example.org`,
    );
  });
});
