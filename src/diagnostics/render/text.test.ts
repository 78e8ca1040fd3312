import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../diagnostic.ts';
import { SourceText } from '../source.ts';
import { renderJson } from './json.ts';
import { renderText } from './text.ts';

const ORDERS = new SourceText(
  'routes/orders.yaml',
  'services:\n  orders: {}\nroutes:\n  list:\n    service: order\n',
);

function at(source: SourceText, needle: string): { source: SourceText; start: number; end: number } {
  const start = source.text.indexOf(needle);
  return { source, start, end: start + needle.length };
}

function finding(changes: Partial<Diagnostic> = {}): Diagnostic {
  return {
    code: 'PT3201',
    severity: 'error',
    message: 'There is no service "order".',
    span: { source: ORDERS, start: 52, end: 57 },
    related: [],
    help: 'Did you mean "orders"?',
    ...changes,
  };
}

function text(...diagnostics: readonly Diagnostic[]): string {
  return renderText(diagnostics, { colour: 'off' });
}

/** The lines with the source and the mark. */
function shown(source: SourceText, start: number, end: number): readonly string[] {
  const lines = text(finding({ span: { source, start, end } })).split('\n');
  return [lines[3]!.slice(5), lines[4]!.slice(5)];
}

describe('text', () => {
  test('a finding shows code, place, line, span and help', () => {
    expect(
      text(finding({ span: { source: ORDERS, start: 52, end: 57 } })),
    ).toBe(`error[PT3201]: There is no service "order".
  --> routes/orders.yaml:5:14
   |
 5 |     service: order
   |              ^^^^^
   = help: Did you mean "orders"?

1 error.
`);
  });

  test('related places follow, with their own lines', () => {
    const long = new SourceText('routes/long.yaml', `${'\n'.repeat(1_233)}  orders: {}\n`);
    const related = [{ span: at(long, 'orders'), message: 'first defined here' }];
    expect(
      text(
        finding({
          code: 'PT3202',
          message: 'Twice.',
          span: at(ORDERS, 'orders'),
          related,
          help: 'Keep one.',
        }),
      ),
    ).toBe(`error[PT3202]: Twice.
    --> routes/orders.yaml:2:3
     |
   2 |   orders: {}
     |   ^^^^^^
note: first defined here
    --> routes/long.yaml:1234:3
     |
1234 |   orders: {}
     |   ------
     = help: Keep one.

1 error.
`);
  });

  test('a finding about the whole project has no place', () => {
    expect(
      text(finding({ code: 'PT3111', message: 'No portunus.yaml.', span: null, help: 'Make one.' })),
    ).toBe('error[PT3111]: No portunus.yaml.\n   = help: Make one.\n\n1 error.\n');
  });

  test('nothing found is said', () => {
    expect(text()).toBe('No findings.\n');
  });

  test('findings come in the order of files and positions, and are counted', () => {
    const other = new SourceText('a.yaml', 'x: 1\ny: 2\n');
    const rendered = text(
      finding({ message: 'third', span: at(ORDERS, 'list') }),
      finding({ message: 'second', span: at(other, 'y'), severity: 'warning' }),
      finding({ message: 'first', span: at(other, 'x') }),
      finding({ message: 'last', span: null }),
    );
    expect([...rendered.matchAll(/\]: (\w+)/g)].map((match) => match[1])).toEqual([
      'first',
      'second',
      'third',
      'last',
    ]);
    expect(rendered.endsWith('\n\n3 errors, 1 warning.\n')).toBe(true);
  });

  test('colour adds nothing but escapes', () => {
    const coloured = renderText([finding()], { colour: 'on' });
    expect(coloured).toContain('\u001b[1;31merror[PT3201]\u001b[0m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escapes are what is looked for
    expect(coloured.replaceAll(/\u001b\[[0-9;]*m/g, '')).toBe(text(finding()));
  });
});

describe('the marked line', () => {
  test('tabs are shown as four blanks', () => {
    const source = new SourceText('t.yaml', 'a:\t\tbad\n');
    expect(shown(source, 4, 7)).toEqual(['a:        bad', '          ^^^']);
  });

  test('wide characters take two columns, combining ones none', () => {
    const source = new SourceText('w.yaml', '名前: e\u0301x 🙂 bad\n');
    const start = source.text.indexOf('bad');
    expect(shown(source, start, start + 3)).toEqual(['名前: e\u0301x 🙂 bad', '            ^^^']);
    expect(shown(source, 0, 2)[1]).toBe('^^^^');
  });

  test('a span over several lines is marked to the end of the first', () => {
    const source = new SourceText('m.yaml', 'one two\nthree\n');
    expect(shown(source, 4, 12)).toEqual(['one two', '    ^^^']);
  });

  test('an empty span, and one behind the end, have one mark', () => {
    const source = new SourceText('e.yaml', 'ab');
    expect(shown(source, 1, 1)).toEqual(['ab', ' ^']);
    expect(shown(source, 9, 12)).toEqual(['ab', '  ^']);
  });

  test('a long line is cut around the span', () => {
    const source = new SourceText('l.yaml', `${'a'.repeat(500)}BAD${'b'.repeat(500)}`);
    expect(shown(source, 500, 503)).toEqual([
      `…${'a'.repeat(30)}BAD${'b'.repeat(66)}…`,
      `${' '.repeat(31)}^^^`,
    ]);
  });

  test('a span that is longer than a line can be is cut', () => {
    const source = new SourceText('l.yaml', 'x'.repeat(500));
    expect(shown(source, 10, 490)).toEqual([`${'x'.repeat(100)}…`, `${' '.repeat(10)}${'^'.repeat(90)}`]);
  });

  test('nothing of a file or message can steer the terminal', () => {
    const source = new SourceText('evil\u001b[2J.yaml', 'a: \u001b[31m\u202Ebad\r\n');
    const rendered = text(finding({ span: at(source, 'bad'), message: 'x\u001by', help: 'a\nb' }));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what may not be there
    expect(rendered).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/);
    expect(rendered).toContain('error[PT3201]: x\ufffdy\n');
    expect(rendered).toContain('help: a\ufffdb\n');
  });

  test('the mark always stands under the span, whatever the line holds', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('\t', '名', '🙂', '\r', 'e\u0301', 'x'.repeat(150)),
    );
    fc.assert(
      fc.property(
        fc.array(piece),
        fc.constantFrom('BAD', 'Ж', 'BAD NAME'),
        fc.array(piece),
        (before, bad, after) => {
          const line = before.join('').replaceAll('\n', ' ');
          const source = new SourceText('p.yaml', `${line}${bad}${after.join('').replaceAll('\n', ' ')}`);
          const [shownLine = '', mark = ''] = shown(source, line.length, line.length + bad.length);
          expect(mark.trimStart()).toBe('^'.repeat(bad.length));
          const cells = [...shownLine].flatMap((character) =>
            Array<string>(columns(character)).fill(character),
          );
          expect(cells.slice(mark.length - bad.length, mark.length).join('')).toBe(bad);
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** Columns as `columns.ts` counts them is under test elsewhere; here only which characters are wide matters. */
function columns(character: string): number {
  if (/\p{Mn}|\p{Me}|[\u200b-\u200d]/u.test(character)) return 0;
  return /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u.test(
    character,
  )
    ? 2
    : 1;
}

describe('JSON', () => {
  test('holds what the text says, with ranges', () => {
    const related = [{ span: at(ORDERS, 'orders'), message: 'first defined here' }];
    const span = { source: ORDERS, start: 52, end: 57 };
    expect(
      JSON.parse(renderJson([finding({ span, related }), finding({ span: null, severity: 'warning' })])),
    ).toEqual({
      errors: 1,
      warnings: 1,
      diagnostics: [
        {
          code: 'PT3201',
          severity: 'error',
          message: 'There is no service "order".',
          help: 'Did you mean "orders"?',
          at: { file: 'routes/orders.yaml', line: 5, column: 14, endLine: 5, endColumn: 19 },
          related: [
            {
              message: 'first defined here',
              at: { file: 'routes/orders.yaml', line: 2, column: 3, endLine: 2, endColumn: 9 },
            },
          ],
        },
        {
          code: 'PT3201',
          severity: 'warning',
          message: 'There is no service "order".',
          help: 'Did you mean "orders"?',
          at: null,
          related: [],
        },
      ],
    });
  });

  test('of nothing is a report of nothing', () => {
    expect(renderJson([])).toBe('{\n  "errors": 0,\n  "warnings": 0,\n  "diagnostics": []\n}\n');
  });
});
