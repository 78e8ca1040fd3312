import { expect, test } from 'vitest';
import { PROJECT_CODES } from '../diagnostics/catalogue/project.ts';
import { renderText } from '../diagnostics/render/text.ts';
import { SourceText } from '../diagnostics/source.ts';
import { areUnchanged } from '../language/due.ts';
import { PROJECT_CASES } from './build-project.cases.ts';
import { buildProject } from './build-project.ts';

/** What is due is due on this day. */
const WALL_MS = Date.UTC(2027, 0, 15);

test.each(PROJECT_CASES)('$code: $what', ({ texts, rendered }) => {
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const { built, diagnostics } = buildProject(sources, '/srv/gateway', WALL_MS);
  expect(renderText(diagnostics, { colour: 'off' })).toBe(rendered);
  expect(built === null).toBe(diagnostics.some(({ severity }) => severity === 'error'));
});

test('on the days that a project names its findings stay the same', () => {
  const DAY_MS = 86_400_000;
  const kinds = new Set<string>();
  for (const { texts } of PROJECT_CASES) {
    const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
    const at = (wallMs: number) => buildProject(sources, '/srv/gateway', wallMs);
    const { built, diagnostics } = at(WALL_MS);
    if (built === null) continue;
    const said = renderText(diagnostics, { colour: 'off' });
    for (const days of [-400, -60, -2, -1, 0.4, 1, 2, 13, 14, 15, 74, 75, 76, 400]) {
      const wallMs = WALL_MS + days * DAY_MS;
      const isUnchanged = areUnchanged(built.days, wallMs);
      const isSame = renderText(at(wallMs).diagnostics, { colour: 'off' }) === said;
      kinds.add(`${isUnchanged ? 'unchanged' : 'changed'}, ${isSame ? 'same' : 'other'} findings`);
    }
  }
  expect([...kinds].sort()).toEqual(['changed, other findings', 'unchanged, same findings']);
});

test('holidays change nothing that is said until they end soon, and then each day', () => {
  const texts = {
    'portunus.yaml': 'portunus: 1\n',
    'policies/hours.policy':
      'language 1\nholidays "berlin" 2027-04-25\ncalendar "office" mon..fri 08:00..18:00 except holidays "berlin"\n',
  };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const at = (day: number) => buildProject(sources, '/srv/gateway', WALL_MS + day * 86_400_000);
  for (const from of [0, 40, 41]) {
    const { built, diagnostics } = at(from);
    for (const day of [from, 39, 40, 41, 42, 100, 101].filter((each) => each >= from)) {
      const isSame =
        renderText(at(day).diagnostics, { colour: 'off' }) === renderText(diagnostics, { colour: 'off' });
      expect([day, areUnchanged(built!.days, WALL_MS + day * 86_400_000)]).toEqual([day, isSame]);
    }
  }
});

test('a budget refuses a model until the day that its price is from, and that is told until then', () => {
  const day = (days: number) => new Date(WALL_MS + days * 86_400_000).toISOString().slice(0, 10);
  const texts = {
    'portunus.yaml': 'portunus: 1\nzone: UTC\n',
    'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools: { main: { provider: openai, keys: { k: { secret: env:K } } } }
models:
  house-model: { pools: [main], outputTokensMax: 100, pricesFrom: { ${day(3)}: { input: $1, output: $2 } } }
`,
    'routes/ai.yaml': 'routes: { chat: { ai: openai/chat } }\n',
    'policies/a.policy': 'language 1\npolicy "p" {\n  permit\n  budget "b" $5 per day  in total\n}\n',
  };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const at = (days: number) => buildProject(sources, '/srv/gateway', WALL_MS + days * 86_400_000);
  const { built } = at(0);
  expect(
    [0, 2, 4].map((days) => [
      at(days).diagnostics.map(({ code }) => code),
      areUnchanged(built!.days, WALL_MS + days * 86_400_000),
    ]),
  ).toEqual([
    [['PT2129'], true],
    [['PT2129'], true],
    [[], false],
  ]);
});

test('every code about policies and routes together has a case', () => {
  const shown = new Set<string>(PROJECT_CASES.map(({ code }) => code));
  expect(Object.keys(PROJECT_CODES).filter((code) => !shown.has(code))).toEqual([]);
});

/** The findings about the project in which `texts` stand beside a sound portunus.yaml. */
function findings(texts: Readonly<Record<string, string>>): readonly string[] {
  const sources = Object.entries({ 'portunus.yaml': 'portunus: 1\n', ...texts }).map(
    ([path, text]) => new SourceText(path, text),
  );
  return buildProject(sources, '/srv/gateway', WALL_MS).diagnostics.map(
    ({ code, message }) => `${code} ${message}`,
  );
}

test('policies are held to the limits on files, as YAML is', () => {
  const policy = `language 1\n# ${' '.repeat(1_024)}\n`;
  const settings = (limits: string) => `portunus: 1\nlimits: { ${limits} }\n`;
  const bytes = Buffer.byteLength(policy);
  expect(
    findings({ 'portunus.yaml': settings('configurationFileBytes: 1KiB'), 'policies/p.policy': policy }),
  ).toEqual([`PT3004 policies/p.policy has ${bytes} bytes; a file may have 1024.`]);
  const two = { 'policies/p.policy': policy, 'policies/q.policy': 'language 1\n' };
  expect(findings({ 'portunus.yaml': settings('configurationFiles: 2'), ...two })).toEqual([
    'PT3004 The project has 3 configuration files; it may have 2.',
  ]);
  expect(findings({ 'portunus.yaml': settings('configurationFiles: 3'), ...two })).toEqual([]);
});

test('mistakes in the writing of policies are told beside those of YAML files', () => {
  const found = findings({
    'routes/a.yaml': 'routes: { a: { match: { path: /a } } }\n',
    'policies/p.policy': 'language 1\npolicy "p" { permt when tenant.plam is "free" }\n',
  });
  expect(found.map((one) => one.slice(0, 6))).toEqual(['PT3109', 'PT0101']);
});
