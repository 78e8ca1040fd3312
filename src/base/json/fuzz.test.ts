import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonFaultCode } from './faults.ts';
import { readWhole, styleOf, styles, values, WIDE_BOUNDS, write, writeString } from './generated.cases.ts';
import { scanJson } from './scan.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What `JSON.parse` takes and the scanner must not, as readers differ on it. */
const STRICTER: readonly JsonFaultCode[] = [
  'duplicate_name',
  'lone_surrogate',
  'integer_range',
  'number_range',
];

/** The scanner against `JSON.parse`; answers whether it accepted. */
function holdAgainstParse(bytes: Uint8Array): boolean {
  let reference: { value: unknown } | undefined;
  try {
    reference = { value: JSON.parse(decoder.decode(bytes)) };
  } catch {
    reference = undefined;
  }
  const scanned = scanJson(bytes, WIDE_BOUNDS);
  if (scanned.ok) {
    expect({ value: readWhole(scanned.value, scanned.value.root) }).toStrictEqual(reference);
    return true;
  }
  const { code, offset } = scanned.error;
  expect(offset).toBeGreaterThanOrEqual(0);
  expect(offset).toBeLessThanOrEqual(bytes.length);
  if (reference !== undefined) expect(STRICTER).toContain(code);
  return false;
}

describe('the JSON scanner, against JSON.parse', () => {
  it('accepts what is well formed, however it is written, and reads the same value', () => {
    fc.assert(
      fc.property(values, styles, (value, choices) => {
        const text = write(value, styleOf(choices));
        const scanned = scanJson(encoder.encode(text), WIDE_BOUNDS);
        if (!scanned.ok) return expect.fail(`${scanned.error.code} at ${scanned.error.offset}: ${text}`);
        expect(readWhole(scanned.value, scanned.value.root)).toStrictEqual(JSON.parse(text));
      }),
      { numRuns: 1_500 },
    );
  });

  it('agrees on texts that were damaged, but for what it refuses on purpose', () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(values, styles, damages, (value, choices, damage) => {
        let bytes: Uint8Array = encoder.encode(write(value, styleOf(choices)));
        for (const one of damage) bytes = damaged(bytes, one);
        if (holdAgainstParse(bytes)) accepted++;
        else refused++;
      }),
      { numRuns: 4_000 },
    );
    // The property says little if all damage is fatal, or none is.
    expect(accepted).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(200);
  });

  it('agrees on random runs of tokens', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 10 }), (pieces) => {
        holdAgainstParse(Uint8Array.from(pieces.join(''), (character) => character.charCodeAt(0)));
      }),
      { numRuns: 4_000 },
    );
  });

  it('agrees on random bytes within a string', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), (inside) => {
        holdAgainstParse(Uint8Array.from([0x22, ...inside, 0x22]));
      }),
      { numRuns: 2_000 },
    );
  });

  it('agrees on every string of one or two bytes', () => {
    for (let first = 0; first < 256; first++) {
      for (let second = -1; second < 256; second++) {
        const bytes = Uint8Array.from(second < 0 ? [0x22, first, 0x22] : [0x22, first, second, 0x22]);
        const scanned = scanJson(bytes, WIDE_BOUNDS).ok;
        if (scanned !== parses(bytes)) expect.fail(`${bytes} was ${scanned ? 'accepted' : 'refused'}`);
      }
    }
  });

  it('refuses every text that is cut short', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 4 }), styles, (value, choices) => {
        const bytes = encoder.encode(write(value, styleOf(choices)).trim());
        for (let length = 0; length < bytes.length; length++) {
          expect(scanJson(bytes.subarray(0, length), WIDE_BOUNDS).ok).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('duplicate names', () => {
  const names = fc.array(
    fc.oneof(fc.string({ unit: 'binary', maxLength: 2 }), fc.constantFrom('a', 'é', '😀')),
    {
      minLength: 1,
      maxLength: 30,
    },
  );

  it('are found wherever a set of the names is smaller, at the first that was seen before', () => {
    fc.assert(
      fc.property(names, styles, (list, choices) => {
        const style = styleOf(choices);
        const seen = new Set<string>();
        let text = '{';
        let duplicateAt = -1;
        for (const name of list) {
          if (text.length > 1) text += ',';
          if (seen.has(name) && duplicateAt < 0) duplicateAt = encoder.encode(text).length;
          seen.add(name);
          text += `${writeString(name, style)}:{"a":[0]}`;
        }
        const scanned = scanJson(encoder.encode(`${text}}`), WIDE_BOUNDS);
        expect(scanned.ok ? -1 : [scanned.error.code, scanned.error.offset]).toEqual(
          duplicateAt < 0 ? -1 : ['duplicate_name', duplicateAt],
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('are found among thousands', () => {
    const members = Array.from({ length: 5_000 }, (_, i) => `"${i}":0`).join(',');
    expect(scanJson(encoder.encode(`{${members}}`), WIDE_BOUNDS).ok).toBe(true);
    expect(scanJson(encoder.encode(`{${members},"4711":1}`), WIDE_BOUNDS)).toMatchObject({
      error: { code: 'duplicate_name', offset: members.length + 2 },
    });
  });

  it('are told apart where their hashes collide', () => {
    const [one, other] = collidingNames();
    const members = Array.from({ length: 10 }, (_, i) => `"${i}":0`).join(',');
    const distinct = encoder.encode(`{${members},"${one}":1,"${other}":2}`);
    expect(scanJson(distinct, WIDE_BOUNDS).ok).toBe(true);
    const few = encoder.encode(`{"${one}":1,"${other}":2}`);
    expect(scanJson(few, WIDE_BOUNDS).ok).toBe(true);
    const repeated = encoder.encode(`{${members},"${one}":1,"${other}":2,"${one}":3}`);
    expect(scanJson(repeated, WIDE_BOUNDS)).toMatchObject({ ok: false, error: { code: 'duplicate_name' } });
  });
});

/** Two names with one FNV-1a hash and one first character, found by a walk over second characters. */
function collidingNames(): readonly [string, string] {
  const prime = 0x0100_0193;
  const begun = Math.imul(0x811c_9dc5 ^ 0x78, prime);
  const after = (point: number) => Math.imul(begun ^ point, prime);
  const seen = new Map<number, number>();
  for (let point = 0x1_0000; point < 0x1_ffff; point++) {
    // States that agree in the upper 16 bits can be made to agree in the lower ones by the last character.
    const upper = after(point) >>> 16;
    const earlier = seen.get(upper);
    if (earlier !== undefined) {
      const last = 0x1_1234;
      const match = last ^ ((after(point) ^ after(earlier)) & 0xffff);
      return [String.fromCodePoint(0x78, point, last), String.fromCodePoint(0x78, earlier, match)];
    }
    seen.set(upper, point);
  }
  throw new Error('no two of 65,535 states share their upper half');
}

function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(decoder.decode(bytes));
    return true;
  } catch {
    return false;
  }
}

interface Damage {
  readonly kind: 'drop' | 'insert' | 'replace' | 'repeat' | 'cut';
  readonly at: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

const PIECES = [
  ...['{', '}', '[', ']', ',', ':', '"', '"a"', '"\\u0061"', '"a":', '{}', '[]', ' ', '\n', '\\', '\\u', '/'],
  ...['0', '1', '-', '-0', '.', '.5', 'e', 'E+1', '01', '1e999', '9007199254740993', '1e-999'],
  ...['true', 'false', 'null', 'NaN', 'tru', '\0', '\x1f', '\x7f', '\\ud83d', '\\ude00', '\ufeff'],
  ...['\xef\xbb\xbf', '\xc3', '\xa9', '\xed\xa0\x80', '\xf0\x9f\x98\x80', '\xc0\xaf', '\xff'],
];

const damages: fc.Arbitrary<Damage[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('drop', 'insert', 'insert', 'replace', 'repeat', 'cut'),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 6 }),
    bytes: fc
      .constantFrom(...PIECES)
      .map((piece) => Uint8Array.from(piece, (character) => character.charCodeAt(0))),
  }),
  { minLength: 1, maxLength: 2 },
);

function damaged(bytes: Uint8Array, { kind, at: anywhere, length, bytes: piece }: Damage): Uint8Array {
  const at = anywhere % (bytes.length + 1);
  const before = bytes.subarray(0, at);
  const there = bytes.subarray(at, at + length);
  const behind = bytes.subarray(at + length);
  switch (kind) {
    case 'drop':
      return Uint8Array.from([...before, ...behind]);
    case 'insert':
      return Uint8Array.from([...before, ...piece, ...there, ...behind]);
    case 'replace':
      return Uint8Array.from([...before, ...piece, ...behind]);
    case 'repeat':
      return Uint8Array.from([...before, ...there, ...there, ...behind]);
    case 'cut':
      return before;
  }
}
