import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import shipped from '../../providers/all.json' with { type: 'json' };
import { callErrorOf, waitOf } from '../../src/ai/call-errors.ts';
import { limitReports, retryAfterMs } from '../../src/ai/limit-headers.ts';
import { OPERATIONS } from '../../src/ai/operations.ts';
import { StreamUsage, usageIn } from '../../src/ai/usage.ts';
import { AS_THE_DIALECT } from '../../src/ai/usage-fields.cases.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import type { TokenUsage } from '../../src/model/model-call.ts';
import type { ErrorRule, Provider, UsageFields } from '../../src/model/pools.ts';
import { answersAt, type ProviderAnswer } from './answers.cases.ts';

const NAMES = Object.keys(shipped);
const NOW_MS = Date.parse('2026-11-30T12:00:00Z');
const ANSWERS = answersAt(NOW_MS);
/** What needs an address of one's own. */
const WITHOUT_ADDRESS = NAMES.filter((name) => !('baseUrl' in shipped[name as keyof typeof shipped]));

const PROVIDERS = load();

function loadProviders(lines: string) {
  return loadWorld(
    [
      new SourceText('portunus.yaml', 'portunus: 1\n'),
      new SourceText('providers/all.yaml', `providers:\n  ${lines}\n`),
    ],
    { projectFolder: '/srv/gateway' },
  );
}

function load(): ReadonlyMap<string, Provider> {
  const lines = NAMES.map((name) => {
    const own = WITHOUT_ADDRESS.includes(name) ? ', baseUrl: "https://own.example/openai/v1"' : '';
    return `${name}: { extends: builtin/${name}${own} }`;
  });
  const { world, diagnostics } = loadProviders(lines.join('\n  '));
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

/** What the answer says of its use to who knows these fields. */
function usageOf({ provider, operation, body }: ProviderAnswer, fields: UsageFields): TokenUsage | null {
  const { dialect } = PROVIDERS.get(provider)!;
  const asked = operation ?? (dialect === 'anthropic' ? 'anthropic/messages' : 'openai/chat');
  const { usage } = OPERATIONS[asked];
  if (!Array.isArray(body)) return usageIn(body, usage, fields);
  const stream = new StreamUsage(usage, fields, 1);
  for (const event of body) stream.event(typeof event === 'string' ? event : JSON.stringify(event));
  return stream.usage;
}

const TELLING = ANSWERS.filter(({ usage }) => usage !== undefined);

test.each(TELLING)('$provider tells $usage', (answer) => {
  expect(usageOf(answer, PROVIDERS.get(answer.provider)!.usage)).toMatchObject(answer.usage!);
});

test('what a description says of usage is needed to read an answer of its provider', () => {
  const saying = [...PROVIDERS.values()].filter(({ usage }) => !isDeepStrictEqual(usage, AS_THE_DIALECT));
  const needed = TELLING.filter(
    (answer) =>
      !isDeepStrictEqual(
        usageOf(answer, PROVIDERS.get(answer.provider)!.usage),
        usageOf(answer, AS_THE_DIALECT),
      ),
  );
  expect(new Set(needed.map(({ provider }) => provider))).toEqual(new Set(saying.map(({ name }) => name)));
});

const REGIONS = Object.entries(shipped).flatMap(([name, description]) =>
  'regions' in description
    ? Object.entries(description.regions as object).map(([region, url]) => ({
        name,
        region,
        url: String(url),
      }))
    : [],
);

test.each(REGIONS)('$name is called at its address in $region', ({ name, region, url }) => {
  const { world, diagnostics } = loadProviders(`own: { extends: builtin/${name}, region: ${region} }`);
  expect(diagnostics).toEqual([]);
  const own = world!.models.providers.get('own')!;
  const [endpoint] = own.service.endpoints;
  expect(own.region).toBe(region);
  expect(`${endpoint!.protocol}://${endpoint!.host}${endpoint!.basePath}`).toBe(url);
});

test('an address of all regions is that of none of them, and whose address is given may be anywhere', () => {
  const regionOf = (provider: string): string | null | undefined =>
    loadProviders(`own: ${provider}`).world?.models.providers.get('own')?.region;
  expect(regionOf('{ extends: builtin/mistral }')).toBeNull();
  expect(regionOf('{ extends: builtin/mistral, region: mars }')).toBeUndefined();
  expect(regionOf('{ extends: builtin/mistral, region: mars, baseUrl: "https://mars.example/v1" }')).toBe(
    'mars',
  );
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
