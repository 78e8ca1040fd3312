import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonDocument, JsonNode } from './document.ts';
import { editJson, type JsonEdit, setMember } from './edit.ts';
import { readWhole, styleOf, styles, values, WIDE_BOUNDS, write } from './generated.cases.ts';
import { scanJson } from './scan.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

function scan(bytes: Uint8Array): JsonDocument {
  const scanned = scanJson(bytes, WIDE_BOUNDS);
  if (!scanned.ok) throw new Error(`${scanned.error.code} at ${scanned.error.offset}: ${decode(bytes)}`);
  return scanned.value;
}

function replace(document: JsonDocument, path: readonly (string | number)[], text: string): JsonEdit {
  const node = document.find(path) ?? expect.fail(`nothing at ${path}`);
  return { span: document.span(node), replacement: encode(text) };
}

describe('editJson', () => {
  const TEXT = '{ "model" : "gpt-4o",\r\n\t"n":1e0, "messages":[ {"role":"user"} ] }';

  it('changes the value asked for and keeps white space and spelling of the rest', () => {
    const document = scan(encode(TEXT));
    const edited = editJson(document.bytes, [replace(document, ['model'], '"small"')]);
    expect(decode(edited)).toBe(TEXT.replace('gpt-4o', 'small'));
  });

  it('takes several edits in any order', () => {
    const document = scan(encode(TEXT));
    const edited = editJson(document.bytes, [
      replace(document, ['messages', 0, 'role'], '"system"'),
      replace(document, ['model'], '""'),
      setMember(document, document.root, 'user', encode('null')),
      replace(document, ['n'], '22'),
    ]);
    expect(decode(edited)).toBe(
      '{ "model" : "",\r\n\t"n":22, "messages":[ {"role":"system"} ],"user":null }',
    );
  });

  it('without edits answers the same bytes, in a copy', () => {
    const bytes = encode(TEXT);
    const edited = editJson(bytes, []);
    expect([...edited]).toEqual([...bytes]);
    expect(edited.buffer).not.toBe(bytes.buffer);
  });

  it.each([
    ['overlap', [0, 3], [2, 4]],
    ['one within the other', [0, 9], [2, 4]],
    ['insertions at one place', [3, 3], [3, 3]],
    ['an insertion where another span begins', [3, 3], [3, 5]],
  ] as [string, [number, number], [number, number]][])('will not take %s', (_name, one, other) => {
    const edits = [one, other].map(([start, end]) => ({ span: { start, end }, replacement: encode('0') }));
    expect(() => editJson(encode(TEXT), edits)).toThrow('overlap');
    expect(() => editJson(encode(TEXT), edits.toReversed())).toThrow('overlap');
  });

  it.each([
    [-1, 0],
    [4, 3],
    [0, 1_000],
    [1_000, 1_000],
  ])('will not take the span %d to %d', (start, end) => {
    expect(() => editJson(encode(TEXT), [{ span: { start, end }, replacement: encode('0') }])).toThrow();
  });
});

describe('setMember', () => {
  const withMember = (text: string, name: string, value: string, path: readonly string[] = []) => {
    const document = scan(encode(text));
    const object = document.find(path) ?? expect.fail(`nothing at ${path}`);
    return decode(editJson(document.bytes, [setMember(document, object, name, encode(value))]));
  };

  it.each([
    ['{}', 'a', '1', [], '{"a":1}'],
    [' { } ', 'a', '1', [], ' {"a":1 } '],
    ['{ "b" : 2 }', 'a', '1', [], '{ "b" : 2,"a":1 }'],
    ['{ "b" : [2 ]\n}', 'a', '{}', [], '{ "b" : [2 ],"a":{}\n}'],
    ['{ "a" : 2 }', 'a', '1', [], '{ "a" : 1 }'],
    ['{ "\\u0061" : 2, "b":0 }', 'a', '1', [], '{ "\\u0061" : 1, "b":0 }'],
    ['{"o":{"x":{}},"z":1}', 'a', '1', ['o'], '{"o":{"x":{},"a":1},"z":1}'],
    ['{"o":{"x":{}},"z":1}', 'a', '1', ['o', 'x'], '{"o":{"x":{"a":1}},"z":1}'],
    ['{}', 'q"\\\n', '1', [], '{"q\\"\\\\\\n":1}'],
    ['{}', '__proto__', '1', [], '{"__proto__":1}'],
  ] as [string, string, string, string[], string][])(
    '%j with %j: %j in %j',
    (text, name, value, path, expected) => {
      expect(withMember(text, name, value, path)).toBe(expected);
    },
  );

  it('wants an object, and a name that UTF-8 can hold', () => {
    expect(() => withMember('[]', 'a', '1')).toThrow('in an object');
    expect(() => withMember('{}', '\ud800', '1')).toThrow('surrogate');
  });
});

describe('edits of generated texts', () => {
  it('replace one value, keep every other byte, and scan again to the value expected', () => {
    fc.assert(
      fc.property(values, styles, values, fc.nat(), (value, choices, replacement, which) => {
        const document = scan(encode(write(value, styleOf(choices))));
        const paths = pathsOf(value);
        const path = paths[which % paths.length] ?? [];
        const span = document.span(document.find(path) ?? expect.fail(`nothing at ${path}`));
        const written = encode(write(replacement, styleOf(choices)));
        const edited = editJson(document.bytes, [{ span, replacement: written }]);
        expect(decode(edited.subarray(0, span.start))).toBe(decode(document.bytes.subarray(0, span.start)));
        expect(decode(edited.subarray(span.start + written.length))).toBe(
          decode(document.bytes.subarray(span.end)),
        );
        const again = scan(edited);
        expect(readWhole(again, again.root)).toStrictEqual(replacedAt(value, path, replacement));
      }),
      { numRuns: 800 },
    );
  });

  it('set a member of an object, keep every other byte, and scan again to the value expected', () => {
    const objects = fc.dictionary(fc.string({ unit: 'binary', maxLength: 2 }), values, { maxKeys: 12 });
    const names = fc.string({ unit: 'binary', maxLength: 2 });
    fc.assert(
      fc.property(objects, styles, names, values, (value, choices, name, member) => {
        const document = scan(encode(write(value, styleOf(choices))));
        const edit = setMember(document, document.root, name, encode(write(member, styleOf([0]))));
        const edited = editJson(document.bytes, [edit]);
        const kept = [
          ...edited.subarray(0, edit.span.start),
          ...edited.subarray(edit.span.start + edit.replacement.length),
        ];
        const before = document.bytes;
        expect(kept).toEqual([...before.subarray(0, edit.span.start), ...before.subarray(edit.span.end)]);
        const again = scan(edited);
        expect(readWhole(again, again.root)).toStrictEqual(replacedAt(value, [name], member));
      }),
      { numRuns: 800 },
    );
  });

  it('find each value of a text by its path', () => {
    fc.assert(
      fc.property(values, styles, (value, choices) => {
        const document = scan(encode(write(value, styleOf(choices))));
        for (const path of pathsOf(value)) {
          const node: JsonNode = document.find(path) ?? expect.fail(`nothing at ${path}`);
          expect(readWhole(document, node)).toStrictEqual(at(value, path));
        }
      }),
      { numRuns: 300 },
    );
  });
});

type Path = readonly (string | number)[];

function pathsOf(value: unknown): Path[] {
  if (value === null || typeof value !== 'object') return [[]];
  const steps: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [[], ...steps.flatMap(([step, child]) => pathsOf(child).map((path) => [step, ...path]))];
}

function at(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) found = (found as Record<string | number, unknown>)[step];
  return plain(found);
}

function replacedAt(value: unknown, [step, ...rest]: Path, replacement: unknown): unknown {
  if (step === undefined) return plain(replacement);
  if (Array.isArray(value)) {
    return value.map((item, i) => (i === step ? replacedAt(item, rest, replacement) : plain(item)));
  }
  const members = Object.entries(value as object).map(([name, member]) => [name, plain(member)] as const);
  const changed = new Map(members);
  changed.set(String(step), replacedAt((value as Record<string, unknown>)[step], rest, replacement));
  return Object.fromEntries(changed);
}

/** Objects of `fc.dictionary` may have no prototype; those read from a text do. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}
