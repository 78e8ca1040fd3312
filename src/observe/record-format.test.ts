import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessRecord } from '../pipeline/record.ts';
import { anyRecord, record } from './record.cases.ts';
import { RecordDecoder } from './record-decoder.ts';
import { RecordEncoder } from './record-encoder.ts';
import { FORMAT_VERSION, FORMER_VERSION, FRAME_BYTES_MAX, FRAME_BYTES_MIN } from './record-format.ts';
import { CALLER_NAMES, NAME_FIELDS } from './record-names.ts';

const BASE = 64;

function codec() {
  const memory = new SharedArrayBuffer(BASE + 2 * FRAME_BYTES_MAX);
  const encoder = new RecordEncoder(memory, BASE, 2 * FRAME_BYTES_MAX);
  const decoder = new RecordDecoder(memory, BASE, 2 * FRAME_BYTES_MAX);
  return { memory, encoder, decoder };
}

function roundTrip(original: AccessRecord): AccessRecord {
  const { encoder, decoder } = codec();
  const bytes = encoder.encode(original, 0, FRAME_BYTES_MAX);
  expect(decoder.decode(0, bytes)).toBe(bytes);
  return decoder.record;
}

describe('the binary form of an access record', () => {
  it('gives back every record as it was, at every aligned place', () => {
    const { encoder, decoder } = codec();
    fc.assert(
      fc.property(anyRecord, fc.integer({ min: 0, max: FRAME_BYTES_MAX >> 3 }), (original, word) => {
        const at = word * 8;
        const bytes = encoder.encode(original, at, 2 * FRAME_BYTES_MAX);
        expect(bytes % 8).toBe(0);
        expect(bytes).toBeGreaterThanOrEqual(FRAME_BYTES_MIN);
        expect(bytes).toBeLessThanOrEqual(FRAME_BYTES_MAX);
        expect(decoder.decode(at, at + bytes)).toBe(bytes);
        expect(decoder.record).toEqual(original);
      }),
      { numRuns: 500 },
    );
  });

  it('needs exactly the room it says: one byte less and nothing is written', () => {
    const { encoder } = codec();
    fc.assert(
      fc.property(anyRecord, (original) => {
        encoder.forgetNames();
        const bytes = encoder.encode(original, 0, FRAME_BYTES_MAX);
        encoder.forgetNames();
        expect(encoder.encode(original, 0, bytes)).toBe(bytes);
        encoder.forgetNames();
        expect(encoder.encode(original, 0, bytes - 8)).toBe(0);
      }),
    );
  });

  it('never writes at or behind its limit', () => {
    const { memory, encoder } = codec();
    const bytes = new Uint8Array(memory, BASE);
    fc.assert(
      fc.property(anyRecord, fc.integer({ min: 0, max: 2_000 }), (original, words) => {
        const limit = words * 8;
        bytes.fill(0xee, limit);
        encoder.encode(original, 0, limit);
        expect(bytes.subarray(limit).every((byte) => byte === 0xee)).toBe(true);
      }),
    );
  });

  it('cuts long texts, and never through a surrogate pair', () => {
    expect(roundTrip(record({ path: `/${'a'.repeat(5_000)}` })).path).toBe(`/${'a'.repeat(2_047)}`);
    expect(roundTrip(record({ consumer: `${'a'.repeat(199)}😀` })).consumer).toBe('a'.repeat(199));
    expect(roundTrip(record({ consumer: `${'a'.repeat(198)}😀b` })).consumer).toBe(`${'a'.repeat(198)}😀`);
  });

  it('keeps the first eight of each list of rules', () => {
    const rules = Array.from({ length: 12 }, (_, index) => `policy/rule-${index}`);
    const kept = roundTrip(
      record({ alsoDenied: rules, shadowDenied: rules, waivedRules: rules, warnedRules: rules }),
    );
    expect(kept.alsoDenied).toEqual(rules.slice(0, 8));
    expect(kept.shadowDenied).toEqual(rules.slice(0, 8));
    expect(kept.warnedRules).toEqual(rules.slice(0, 8));
    expect(kept.waivedRules).toEqual(rules.slice(0, 8));
  });

  it('writes half a surrogate pair as the replacement character', () => {
    expect(roundTrip(record({ path: '/\ud800' })).path).toBe('/\ufffd');
  });

  it.each([
    ['printable ASCII', {}, 'plain'],
    ['a quotation mark in a name', { decidingRule: 'p/forbid when tenant is "a"' }, 'plain'],
    ['a quotation mark', { path: '/a"b' }, 'any'],
    ['a backslash', { path: '/a\\b' }, 'any'],
    ['a line break', { path: '/a\nb' }, 'any'],
    ['DEL', { path: '/\u007f' }, 'any'],
    ['other letters', { path: '/müller' }, 'any'],
    ['a mark in a list', { shadowDenied: ['p/"x"'] }, 'plain'],
  ] as const)('says whether its own texts are plain: %s', (_what, changes, texts) => {
    const { encoder, decoder } = codec();
    const bytes = encoder.encode(record(changes), 0, FRAME_BYTES_MAX);
    decoder.decode(0, bytes);
    expect(decoder.texts).toBe(texts);
    expect(decoder.record).toEqual(record(changes));
  });

  it('refuses a frame of another version', () => {
    const { memory, encoder, decoder } = codec();
    const bytes = encoder.encode(record(), 0, FRAME_BYTES_MAX);
    const flags = new Int32Array(memory, BASE);
    flags[1] = (flags[1]! & ~0xff) | 1;
    expect(decoder.decode(0, bytes)).toBe(0);
  });

  it('carries names once, then their number, until they are forgotten', () => {
    const { encoder, decoder } = codec();
    const sizes = [record(), record(), record({ tenant: 'other' }), record({ tenant: 'other' }), record()];
    const bytes = sizes.map((one) => {
      const size = encoder.encode(one, 0, FRAME_BYTES_MAX);
      expect(decoder.decode(0, size)).toBe(size);
      expect(decoder.record).toEqual(one);
      return size;
    });
    const [told, referring] = [bytes[0]!, bytes[1]!];
    expect(referring).toBeLessThan(told - 100);
    expect(bytes[2]).toBeGreaterThan(referring);
    expect(bytes.slice(3)).toEqual([referring, referring]);
    encoder.forgetNames();
    expect(encoder.encode(record(), 0, FRAME_BYTES_MAX)).toBe(told);
  });

  it('tells apart records that differ in one name alone, whichever', () => {
    const { encoder, decoder } = codec();
    for (const name of NAME_FIELDS) {
      for (const one of [record(), record({ [name]: 'another' }), record()]) {
        const size = encoder.encode(one, 0, FRAME_BYTES_MAX);
        expect(decoder.decode(0, size)).toBe(size);
        expect(decoder.record).toEqual(one);
      }
    }
  });

  it('knows a bounded number of names, also when all differ', () => {
    const { encoder, decoder } = codec();
    const one = record();
    let wrong = 0;
    for (let round = 0; round < 2; round++) {
      for (let consumer = 0; consumer < CALLER_NAMES.knownMax + 10; consumer++) {
        one.consumer = `web-${consumer}`;
        const size = decoder.decode(0, encoder.encode(one, 0, FRAME_BYTES_MAX));
        if (size === 0 || decoder.record.consumer !== one.consumer) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });

  it('reads the numbers of names where version 4 had them', () => {
    const { memory, encoder, decoder } = codec();
    const words = new Int32Array(memory, BASE);
    const asVersion4 = (): void => {
      const [route, decision, caller] = [words[6]! & 0xfffff, words[6]! >>> 20, words[7]!];
      words[6] = (route & 0xfff) | ((caller & 0xfff) << 12);
      words[7] = decision;
      words[1] = (words[1]! & ~0xff) | FORMER_VERSION;
    };
    const several = ['web', 'app', 'web'].map((consumer) => record({ consumer, route: `of-${consumer}` }));
    for (const one of several) {
      const size = encoder.encode(one, 0, FRAME_BYTES_MAX);
      asVersion4();
      expect(decoder.decode(0, size)).toBe(size);
      expect(decoder.record).toEqual(one);
    }
  });

  it('refuses a frame of a version that it does not know', () => {
    const { memory, encoder, decoder } = codec();
    const size = encoder.encode(record(), 0, FRAME_BYTES_MAX);
    const words = new Int32Array(memory, BASE);
    for (const version of [FORMER_VERSION - 1, FORMAT_VERSION + 1]) {
      words[1] = (words[1]! & ~0xff) | version;
      expect(decoder.decode(0, size)).toBe(0);
    }
  });

  it('refuses a number that no writer gives', () => {
    const { memory, encoder, decoder } = codec();
    const size = encoder.encode(record(), 0, FRAME_BYTES_MAX);
    new Int32Array(memory, BASE)[7] = -1;
    expect(decoder.decode(0, size)).toBe(0);
  });

  it('refuses a frame whose names it was never told', () => {
    const { encoder, decoder } = codec();
    encoder.encode(record(), 0, FRAME_BYTES_MAX);
    const bytes = encoder.encode(record(), 0, FRAME_BYTES_MAX);
    expect(decoder.decode(0, bytes)).toBe(0);
  });

  it('refuses a frame that is cut short', () => {
    const { encoder, decoder } = codec();
    const bytes = encoder.encode(record(), 0, FRAME_BYTES_MAX);
    for (let limit = 0; limit < bytes; limit += 8) expect(decoder.decode(0, limit)).toBe(0);
  });
});
