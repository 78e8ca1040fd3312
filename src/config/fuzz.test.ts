import fc from 'fast-check';
import { dump } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { LIMIT_DEFAULTS } from '../base/limits.ts';
import { renderText } from '../diagnostics/render/text.ts';
import { SourceText } from '../diagnostics/source.ts';
import { COMPLETE, PROJECT_FOLDER, sources } from './config.cases.ts';
import { DIAGNOSTIC_CASES } from './diagnostics.cases.ts';
import { loadWorld } from './load.ts';
import { yamlSoup, yamlValue } from './text/yaml.cases.ts';

const PATHS = ['portunus.yaml', 'routes/a.yaml', 'tenants/a.yaml', 'enforcement.yaml', 'elsewhere/a.yaml'];
const CORPUS = [COMPLETE, ...DIAGNOSTIC_CASES.map(({ texts }) => texts)];

/** Loading answers with a world or with findings that can be shown: nothing else, whatever the texts are. */
function expectAnswer(files: readonly SourceText[]): void {
  const { world, diagnostics } = loadWorld(files, { projectFolder: PROJECT_FOLDER });
  expect(world === null).toBe(diagnostics.some(({ severity }) => severity === 'error'));
  expect(renderText(diagnostics, { colour: 'off' })).toMatch(
    /^(No findings\.|[\s\S]+\d+ (errors?|warnings?)\.)\n$/,
  );
  for (const { message, help, span } of diagnostics) {
    expect(message).toMatch(/^\S.*[.:)]$/s);
    expect(message.length).toBeLessThan(600);
    expect(help).not.toBe('');
    if (span !== null) expect(span.start).toBeLessThanOrEqual(span.source.text.length);
  }
}

describe('nothing but findings come', () => {
  test('from fragments of YAML', () => {
    const project = fc.dictionary(fc.constantFrom(...PATHS), yamlSoup, { minKeys: 1, noNullPrototype: true });
    fc.assert(
      fc.property(project, (texts) => expectAnswer(sources(texts))),
      { numRuns: 2_000 },
    );
  });

  test('from any value in any file', () => {
    const project = fc.dictionary(fc.constantFrom(...PATHS), yamlValue, {
      minKeys: 1,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(project, (values) => {
        expectAnswer(Object.entries(values).map(([path, value]) => new SourceText(path, dump(value))));
      }),
      { numRuns: 1_500 },
    );
  });

  test('from projects in which something was cut, doubled or put elsewhere', () => {
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.nat(12),
      insert: yamlSoup,
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...CORPUS),
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        (texts, edits) => {
          const paths = Object.keys(texts);
          const edited: Record<string, string> = { ...texts };
          for (const { at, length, insert } of edits) {
            const path = paths[Math.floor(at * (paths.length - 1))]!;
            const text = edited[path]!;
            const start = Math.floor(at * text.length);
            edited[path] = text.slice(0, start) + insert.slice(0, 16) + text.slice(start + length);
          }
          expectAnswer(sources(edited));
        },
      ),
      { numRuns: 1_500 },
    );
  });

  test('from documents of the right shape with values of any kind', () => {
    const values = [
      '',
      'x',
      '5',
      5,
      -1,
      1.5,
      true,
      null,
      [],
      {},
      ['x'],
      { x: 1 },
      '5s',
      '1MiB',
      '../..',
      '__proto__',
    ];
    const value = fc.oneof(fc.constantFrom(...values), yamlValue);
    const name = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'toString', 'A', '<<');
    const fields = [
      'service',
      'match',
      'path',
      'methods',
      'hosts',
      'headers',
      'endpoints',
      'url',
      'weight',
      'timeouts',
    ];
    const map = fc.dictionary(fc.constantFrom(...fields), value, { noNullPrototype: true });
    const section = fc.dictionary(name, fc.oneof(map, value), { noNullPrototype: true });
    fc.assert(
      fc.property(section, section, section, (services, routes, tenants) => {
        expectAnswer([
          new SourceText('portunus.yaml', 'portunus: 1\n'),
          new SourceText('routes/a.yaml', dump({ services, routes })),
          new SourceText('tenants/a.yaml', dump({ tenants })),
        ]);
        expect(Object.prototype).not.toHaveProperty('service');
      }),
      { numRuns: 500 },
    );
  });
});

/** Each was, for one of the readers, slow, deep or fatal. 64 KiB each: what grows faster than its text shows at that size. */
const HOSTILE: Readonly<Record<string, string>> = {
  brackets: '['.repeat(65_536),
  braces: '{'.repeat(65_536),
  'braces of names': '{a: '.repeat(16_384),
  dashes: '- '.repeat(32_768),
  'question marks': '? '.repeat(32_768),
  colons: 'a: '.repeat(21_845),
  'closed brackets': '[]'.repeat(8_192),
  'open quotes': '"a'.repeat(8_192),
  commas: `[${','.repeat(16_384)}`,
  anchors: '&a '.repeat(8_192),
  'anchors in brackets': '&a ['.repeat(16_384),
  tags: '!a '.repeat(8_192),
  directives: '%A\n'.repeat(8_192),
  documents: '---\n'.repeat(16_384),
  stairs: Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  'unknown fields': Array.from({ length: 5_000 }, (_, index) => `f${index}: 1`).join('\n'),
  'almost keys': 'sk-'.repeat(21_845),
  'almost tokens': 'eyJ'.repeat(21_845),
  'almost URLs': '://'.repeat(21_845),
  'almost private keys': '-----BEGIN '.repeat(6_000),
};

describe('hostile files are answered in time', () => {
  test.each(Object.entries(HOSTILE))('%s', (_name, text) => {
    expectAnswer([new SourceText('portunus.yaml', 'portunus: 1\n'), new SourceText('routes/a.yaml', text)]);
  });

  test('ten aliases of ten aliases of ten …', () => {
    const levels = 'abcdefghijklmnop'.split('');
    const line = (level: string, index: number) =>
      `${level}: &${level} [${Array(9)
        .fill(index === 0 ? 'x' : `*${levels[index - 1]}`)
        .join(', ')}]\n`;
    expectAnswer([
      new SourceText('portunus.yaml', `portunus: 1\nlimits: { yamlAliases: 10_000 }\n`),
      new SourceText('routes/a.yaml', `${levels.map(line).join('')}routes: { r: *p }\n`),
    ]);
  });

  test('aliases beyond the limit', () => {
    const text = `routes: { a: &a {}${Array.from({ length: LIMIT_DEFAULTS.yamlAliases + 1 }, (_, index) => `, r${index}: *a`).join('')} }\n`;
    const { diagnostics } = loadWorld(sources({ 'portunus.yaml': 'portunus: 1\n', 'routes/a.yaml': text }), {
      projectFolder: PROJECT_FOLDER,
    });
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'PT3008 The file has more than 100 aliases.',
    ]);
  });
});

test('no secret is shown, wherever it stands', () => {
  const secret = fc.constantFrom(
    'sk-proj-abcdEFGH1234ijklMNOPqrst',
    'sk-ant-api03-abcdEFGH1234ijklMNOPqrst',
    'ptn_live_0123456789ab_0123456789abcdef0123456789abcdef',
    'AIzaSyA1234567890abcdefghijklmnopqrstuv',
    'ghp_0123456789abcdefghijklmnopqrstuvwxyz',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl',
  );
  fc.assert(
    fc.property(
      secret,
      fc.constantFrom(...CORPUS),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (key, texts, at) => {
        const [path, text] = Object.entries(texts).at(-1)!;
        const lines = text.split('\n');
        const line = Math.floor(at * (lines.length - 1));
        lines[line] = `${lines[line]} ${key} "${key}"`;
        const edited = { ...texts, [path]: lines.join('\n') };
        const { diagnostics } = loadWorld(sources(edited), { projectFolder: PROJECT_FOLDER });
        expect(renderText(diagnostics, { colour: 'off' })).not.toContain(key);
        expect(JSON.stringify(diagnostics)).not.toContain(key);
        const tooLarge = diagnostics.some(
          ({ code, message }) => code === 'PT3004' && message.startsWith(path),
        );
        if (!tooLarge) expect(diagnostics.map(({ code }) => code)).toContain('PT3401');
      },
    ),
    { numRuns: 300 },
  );
});
