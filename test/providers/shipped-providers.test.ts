import { describe, expect, test } from 'vitest';
import shipped from '../../providers/all.json' with { type: 'json' };
import { callErrorOf, waitOf } from '../../src/ai/call-errors.ts';
import { limitReports, retryAfterMs } from '../../src/ai/limit-headers.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import type { ErrorRule, Provider } from '../../src/model/pools.ts';
import { answersAt, type ProviderAnswer } from './answers.cases.ts';

const NAMES = Object.keys(shipped);
const NOW_MS = Date.parse('2026-11-30T12:00:00Z');
const ANSWERS = answersAt(NOW_MS);
/** What needs an address of one's own. */
const WITHOUT_ADDRESS = NAMES.filter((name) => !('baseUrl' in shipped[name as keyof typeof shipped]));

const PROVIDERS = load();

function load(): ReadonlyMap<string, Provider> {
  const lines = NAMES.map((name) => {
    const own = WITHOUT_ADDRESS.includes(name) ? ', baseUrl: "https://own.example/openai/v1"' : '';
    return `  ${name}: { extends: builtin/${name}${own} }`;
  });
  const { world, diagnostics } = loadWorld(
    [
      new SourceText('portunus.yaml', 'portunus: 1\n'),
      new SourceText('providers/all.yaml', `providers:\n${lines.join('\n')}\n`),
    ],
    { projectFolder: '/srv/gateway' },
  );
  expect(diagnostics).toEqual([]);
  return world!.models.providers;
}

function fieldsOf({ fields = {} }: ProviderAnswer): string[] {
  return Object.entries(fields).flat();
}

test('at least fifteen speak OpenAI’s dialect, and Anthropic is there', () => {
  const dialects = [...PROVIDERS.values()].map(({ dialect }) => dialect);
  expect(dialects.filter((dialect) => dialect === 'openai').length).toBeGreaterThanOrEqual(15);
  expect(PROVIDERS.get('anthropic')?.dialect).toBe('anthropic');
  expect(WITHOUT_ADDRESS).toEqual(['azure-openai']);
});

test('what a project says takes the place of what a description says: maps field by field, lists as a whole', () => {
  const own = `providers:
  own:
    extends: builtin/anthropic
    auth: { prefix: "Key " }
    headers: { x-team: shop }
    retry: []
`;
  const { world } = loadWorld(
    [new SourceText('portunus.yaml', 'portunus: 1\n'), new SourceText('providers/own.yaml', own)],
    { projectFolder: '/srv/gateway' },
  );
  const { auth, headers, retryHeaders, ...rest } = world!.models.providers.get('own')!;
  expect(auth).toEqual({ header: 'x-api-key', prefix: 'Key ' });
  expect(headers).toEqual([
    { name: 'x-team', value: 'shop' },
    { name: 'anthropic-version', value: '2023-06-01' },
  ]);
  expect(retryHeaders).toEqual([]);
  const { limitHeaders, errors } = PROVIDERS.get('anthropic')!;
  expect(rest).toMatchObject({ limitHeaders, errors, dialect: 'anthropic', name: 'own' });
});

test.each(ANSWERS)('$provider answers $status: $means', (answer) => {
  const { limitHeaders, retryHeaders, errors } = PROVIDERS.get(answer.provider)!;
  const fields = fieldsOf(answer);
  if (answer.reports !== undefined)
    expect(limitReports(fields, limitHeaders, NOW_MS)).toEqual(answer.reports);
  if (answer.status < 400) return;
  expect(callErrorOf(answer.status, answer.body, errors)).toBe(answer.means);
  const told = retryAfterMs(fields, retryHeaders, NOW_MS);
  const waitMs = Number.isNaN(told) ? waitOf(answer.body) : told;
  if (answer.waitMs === undefined) expect(waitMs).toBeNaN();
  else expect(waitMs).toBeCloseTo(answer.waitMs, 6);
});

describe.each(NAMES)('%s', (name) => {
  const { limitHeaders, errors } = PROVIDERS.get(name)!;
  const own = ANSWERS.filter(({ provider }) => provider === name);

  test('has an answer for each limit that it reports', () => {
    const seen = own.flatMap(({ reports = [] }) => reports);
    for (const { unit, windowMs } of limitHeaders)
      expect(seen).toContainEqual(expect.objectContaining({ unit, windowMs }));
  });

  test('has an answer for each error that is known by more than its status', () => {
    const isTold = ({ codes, messageContains }: ErrorRule) => codes.length > 0 || messageContains !== null;
    const decided = own.map(({ status, body }) =>
      errors.findIndex((rule) => callErrorOf(status, body, [rule]) !== null),
    );
    const unseen = errors.filter((rule, index) => isTold(rule) && !decided.includes(index));
    expect(unseen).toEqual([]);
  });

  test('has an answer for each meaning that its errors have', () => {
    const seen = new Set(own.map(({ means }) => means));
    expect(errors.map(({ means }) => means).filter((means) => !seen.has(means))).toEqual([]);
  });

  test('marks no key for what is a fault of the provider or of the request', () => {
    for (const status of [400, 404, 500, 502, 503])
      expect(['overloaded', 'request', null]).toContain(callErrorOf(status, null, errors));
  });
});
