import { describe, expect, it } from 'vitest';
import type { JsonDocument, JsonNode } from './document.ts';
import { JSON_FAULTS } from './faults.ts';
import { readWhole } from './generated.cases.ts';
import type { JsonBounds } from './reading-head.ts';
import { CASE_BOUNDS, SCAN_CASES, type ScanCase } from './scan.cases.ts';
import { scanJson } from './scan.ts';

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function accepted(text: string, bounds: Partial<JsonBounds> = {}): JsonDocument {
  const scanned = scanJson(new TextEncoder().encode(text), { ...CASE_BOUNDS, ...bounds });
  if (!scanned.ok) throw new Error(`refused: ${scanned.error.code} at ${scanned.error.offset}`);
  return scanned.value;
}

describe('the JSON scanner', () => {
  const named = SCAN_CASES.map((scanCase): [string, ScanCase] => [
    `RFC ${scanCase.rule}: ${scanCase.name}: ${JSON.stringify(scanCase.bytes).slice(0, 60)}`,
    scanCase,
  ]);

  it.each(named)('%s', (_name, { bytes, bounds, expected }) => {
    const scanned = scanJson(latin1(bytes), { ...CASE_BOUNDS, ...bounds });
    if ('value' in expected) {
      if (!scanned.ok) expect(scanned.error).toBe(undefined);
      else expect(readWhole(scanned.value, scanned.value.root)).toStrictEqual(expected.value);
      return;
    }
    const { fault, offset } = expected;
    expect(scanned).toStrictEqual({
      ok: false,
      error: { code: fault, offset, why: JSON_FAULTS[fault].why },
    });
  });

  it('has a case for every fault', () => {
    const shown = new Set(SCAN_CASES.map(({ expected }) => ('fault' in expected ? expected.fault : '')));
    expect(Object.keys(JSON_FAULTS).filter((code) => !shown.has(code as keyof typeof JSON_FAULTS))).toEqual(
      [],
    );
  });

  it('reads a part of a larger buffer with offsets of its own', () => {
    const larger = new TextEncoder().encode('junk[1,22]junk');
    const scanned = scanJson(larger.subarray(4, 10), CASE_BOUNDS);
    if (!scanned.ok) throw new Error(scanned.error.why);
    const item = scanned.value.find([1]);
    expect(item === undefined ? undefined : scanned.value.span(item)).toEqual({ start: 3, end: 5 });
  });

  it('takes a nesting far beyond what a call stack would', () => {
    const depth = 200_000;
    const bounds = { bytesMax: 1_000_000, depthMax: depth, nodesMax: depth };
    const document = accepted('['.repeat(depth) + ']'.repeat(depth), bounds);
    expect(document.span(document.root)).toEqual({ start: 0, end: 2 * depth });
    expect(document.find(Array.from({ length: depth - 1 }, () => 0))).toBe(depth - 1);
  });

  it('will not keep offsets that 32 bits do not hold', () => {
    expect(() => scanJson(latin1('1'), { ...CASE_BOUNDS, bytesMax: 2 ** 31 })).toThrow(/32 bits/);
  });
});

describe('a scanned document', () => {
  const TEXT = '{ "a" : [10, {"b\\u0063": "x\\ty"} , true], "é😀": null, "n": -1.5e1, "empty": {} }';
  const document = accepted(TEXT);

  const text = (node: JsonNode | undefined) => {
    if (node === undefined) return undefined;
    const { start, end } = document.span(node);
    return new TextDecoder().decode(document.bytes.subarray(start, end));
  };

  it.each([
    [[], TEXT],
    [['a'], '[10, {"b\\u0063": "x\\ty"} , true]'],
    [['a', 0], '10'],
    [['a', 1, 'bc'], '"x\\ty"'],
    [['a', 2], 'true'],
    [['é😀'], 'null'],
    [['n'], '-1.5e1'],
    [['empty'], '{}'],
    [['a', 3], undefined],
    [['a', -1], undefined],
    [['a', 0.5], undefined],
    [['a', Number.NaN], undefined],
    [['a', '0'], undefined],
    [[0], undefined],
    [['n', 0], undefined],
    [['n', 'a'], undefined],
    [['no', 'a'], undefined],
    [['empty', 'a'], undefined],
    [['b\\u0063'], undefined],
    [['é'], undefined],
    [['é😀x'], undefined],
    [['é\ud83d'], undefined],
    [[''], undefined],
    [['emptyx'], undefined],
  ] as [(string | number)[], string | undefined][])('finds %j', (path, expected) => {
    expect(text(document.find(path))).toBe(expected);
  });

  it('reads values by their type, and nothing else by it', () => {
    const at = (...path: (string | number)[]) => document.find(path) ?? expect.fail(`nothing at ${path}`);
    expect(document.text(at('a', 1, 'bc'))).toBe('x\ty');
    expect(document.number(at('n'))).toBe(-15);
    expect(document.number(at('a', 0))).toBe(10);
    expect(document.boolean(at('a', 2))).toBe(true);
    expect(document.size(document.root)).toBe(4);
    expect(document.size(at('a'))).toBe(3);
    expect(() => document.text(at('n'))).toThrow('a number has no text');
    expect(() => document.number(at('a', 2))).toThrow('a boolean is not a number');
    expect(() => document.boolean(at('n'))).toThrow('a number is not a boolean');
    expect(() => document.size(at('n'))).toThrow('a number has no size');
    expect(() => document.valueOf(at('a', 0))).toThrow('only a name');
  });

  it('walks names and items in the order of the text', () => {
    expect(Object.keys(readWhole(document, document.root) as object)).toEqual(['a', 'é😀', 'n', 'empty']);
    expect(document.next(document.root)).toBe(undefined);
    const name = document.first(document.root) ?? expect.fail('no member');
    expect(document.typeOf(name)).toBe('name');
    expect(text(name)).toBe('"a"');
    expect(document.next(document.valueOf(name))).toBe(undefined);
  });
});
