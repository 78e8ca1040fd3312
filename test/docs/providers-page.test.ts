/** The examples of docs/providers.md are accepted, and what the page lists is what there is. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import prices from '../../providers/prices.json' with { type: 'json' };
import { loadWorld } from '../../src/config/load.ts';
import { SHIPPED_NAMES } from '../../src/config/shape/shipped.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkPolicies } from '../../src/language/check.ts';
import { CALL_ERRORS, OPERATION_TARGETS } from '../../src/model/pools.ts';

const PAGE = readFileSync(new URL('../../docs/providers.md', import.meta.url), 'utf8');
const FILES = [...PAGE.matchAll(/^```yaml (\S+)\n([\s\S]*?)^```$/gm)].map(
  ([, path, text]) => new SourceText(path!, text!),
);

function modelsOf(files: readonly SourceText[]) {
  const { world, diagnostics } = loadWorld([new SourceText('portunus.yaml', 'portunus: 1\n'), ...files], {
    projectFolder: '/project',
  });
  expect(diagnostics).toEqual([]);
  return world!.models;
}

test('the examples are accepted together', () => {
  const { models } = modelsOf(FILES);
  expect([...models.keys()]).toEqual(['gpt-4o', 'llama', 'gpt-4o-mini', 'gpt-4.1']);
  expect([...models.values()].every(({ price }) => price !== null)).toBe(true);
});

test('the policies are accepted with them', () => {
  const texts = [...PAGE.matchAll(/^```policy\n([\s\S]*?)^```$/gm)].map(([, text], at) => {
    const calendar = at === 0 ? 'calendar "office" mon..fri 08:00..18:00\n' : '';
    return new SourceText(`policies/${at}.policy`, `language 1\n${calendar}${text}`);
  });
  expect(texts.length).toBeGreaterThan(0);
  const deliveries =
    'portunus: 1\ndeliveries: { oncall: { webhook: "https://oncall.example/portunus", secretFile: /run/secrets/oncall } }\n';
  const files = [new SourceText('portunus.yaml', deliveries), ...FILES];
  const { world } = loadWorld(files, { projectFolder: '/project' });
  expect(checkPolicies(texts, world!).diagnostics).toEqual([]);
});

/** What the tables name besides, and who calls. */
const AROUND = [
  new SourceText(
    'tenants/acme.yaml',
    'tenants: { acme: { plan: free, consumers: { web: { subscriptions: [openai] } } } }\n',
  ),
  new SourceText(
    'providers/around.yaml',
    'models: { mini: { pools: [openai-main], as: gpt-4o-mini, tags: [large] } }\n',
  ),
];

test('the rules in its tables are accepted with them', () => {
  const tables = [...PAGE.matchAll(/^\| rule \| says \|\n\|[-|]+\|\n((?:\|.*\n)+)/gm)];
  const cells = tables.flatMap(([, rows]) => [...rows!.matchAll(/^\| `([^`]+)` \|/gm)]);
  const rules = cells.map(([, cell]) => cell!.replace(/^… /, 'budget $20 per day  for each consumer  '));
  expect(rules.length).toBeGreaterThan(5);
  const policies = rules.map(
    (rule, at) =>
      new SourceText(
        `policies/${at}.policy`,
        `language 1\npolicy "p${at}" applies to route "openai/chat" {\n  permit\n  ${rule}\n}\n`,
      ),
  );
  const { world, diagnostics } = loadWorld(
    [new SourceText('portunus.yaml', 'portunus: 1\n'), ...FILES, ...AROUND],
    { projectFolder: '/project' },
  );
  expect(diagnostics).toEqual([]);
  const found = policies.flatMap((policy) => checkPolicies([policy], world!).diagnostics);
  expect(found.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
});

test('all operations are named, with where they are asked for', () => {
  const rows = [...PAGE.matchAll(/^\| `([a-z]+\/[a-z-]+)` \| `([A-Z]+) \/v1([^`]+)`/gm)];
  const named = rows.map(([, name, method, path]) => [name, method, path]);
  expect(named).toEqual(
    Object.entries(OPERATION_TARGETS).map(([name, { method, path }]) => [name, method, path]),
  );
});

test('lines that say what holds without them do', () => {
  const [openai] = FILES;
  const unsaid = openai!.text.replace(/^ +choose: .*\n/m, '').replace(/^ +queue: .*\n/m, '');
  expect(unsaid.split('\n').length).toBe(openai!.text.split('\n').length - 2);
  const { choose, queue } = modelsOf([openai!]).pools.get('openai-main')!;
  expect(modelsOf([new SourceText(openai!.path, unsaid)]).pools.get('openai-main')).toMatchObject({
    choose,
    queue,
  });
  const { timeouts } = modelsOf([openai!]).providers.get('openai')!.service;
  const minute = 60_000;
  expect(timeouts).toEqual({
    connectMs: 5_000,
    firstByteMs: 5 * minute,
    idleMs: 2 * minute,
    totalMs: 10 * minute,
  });
});

test('all shipped descriptions, meanings of errors and the catalogue are named', () => {
  const named = [...PAGE.matchAll(/`(builtin\/[a-z-]+)`/g)].map(([, name]) => name);
  expect(named).toEqual(SHIPPED_NAMES);
  const meanings = [...PAGE.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect(meanings).toEqual(expect.arrayContaining([...CALL_ERRORS]));
  expect(PAGE).toContain(`(${prices.source.split(' (')[0]}, prices of ${prices.asOf})`);
});
