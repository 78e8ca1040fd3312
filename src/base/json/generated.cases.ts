import fc from 'fast-check';
import type { JsonDocument, JsonNode } from './document.ts';
import type { JsonBounds } from './reading-head.ts';

/** Wide enough that no generated text meets a bound. */
export const WIDE_BOUNDS: JsonBounds = {
  bytesMax: 1 << 24,
  depthMax: 100,
  nodesMax: 100_000,
  membersMax: 10_000,
  stringBytesMax: 1 << 20,
  numberBytesMax: 1_000,
};

/** The whole value under a node, by the document's public walk alone. */
export function readWhole(document: JsonDocument, node: JsonNode): unknown {
  switch (document.typeOf(node)) {
    case 'object': {
      const members: [string, unknown][] = [];
      for (let name = document.first(node); name !== undefined; name = document.next(name)) {
        members.push([document.text(name), readWhole(document, document.valueOf(name))]);
      }
      return Object.fromEntries(members);
    }
    case 'array': {
      const items: unknown[] = [];
      for (let item = document.first(node); item !== undefined; item = document.next(item)) {
        items.push(readWhole(document, item));
      }
      return items;
    }
    case 'string':
      return document.text(node);
    case 'number':
      return document.number(node);
    case 'boolean':
      return document.boolean(node);
    default:
      return null;
  }
}

/** How a value is written: which white space and which escapes are taken, in turn. */
export type Style = () => number;

export const styles: fc.Arbitrary<readonly number[]> = fc.array(fc.nat(255), {
  minLength: 1,
  maxLength: 64,
});

export function styleOf(choices: readonly number[]): Style {
  let turn = 0;
  return () => choices[turn++ % choices.length] ?? 0;
}

/** Writes a value as some client might. */
export function write(value: unknown, style: Style): string {
  const gap = () => GAPS[style() % GAPS.length] ?? '';
  const inner = () => {
    if (typeof value === 'string') return writeString(value, style);
    if (typeof value === 'number') return writeNumber(value, style);
    if (Array.isArray(value)) return `[${value.map((item) => write(item, style)).join(',') || gap()}]`;
    if (value === null || typeof value !== 'object') return String(value);
    const members = Object.entries(value).map(
      ([name, member]) => `${gap()}${writeString(name, style)}${gap()}:${write(member, style)}`,
    );
    return `{${members.join(',') || gap()}}`;
  };
  return `${gap()}${inner()}${gap()}`;
}

const GAPS = ['', '', '', ' ', '\n', '\r\n\t'];

export function writeString(text: string, style: Style): string {
  const written = Array.from(text, (character) => {
    const short = JSON.stringify(character).slice(1, -1);
    const choice = style() % 8;
    if (choice === 0) return unitEscapes(character);
    if (choice === 1) return unitEscapes(character).toUpperCase().replaceAll('\\U', '\\u');
    return choice === 2 && character === '/' ? '\\/' : short;
  });
  return `"${written.join('')}"`;
}

function unitEscapes(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('');
}

function writeNumber(value: number, style: Style): string {
  // Neither String nor toExponential writes the sign of a zero.
  if (Object.is(value, -0)) return '-0';
  const asDouble = style() % 2 === 0 || Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return asDouble ? value.toExponential() : String(value);
}

/** Values with every kind of character that UTF-8 has, and with every finite double. */
export const values: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(fc.string({ unit: 'binary', maxLength: 6 }), tie('value'), { maxKeys: 12 }),
  ),
})).value;
