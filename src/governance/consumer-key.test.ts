import { createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BASE62_DIGITS, uint32ToBase62 } from './base62.ts';
import { hashConsumerKey, issueKey, parseKey, readHashDigest } from './consumer-key.ts';
import { digestWords } from './key-table.ts';
import { seededRandom } from './seeded-random.cases.ts';

const PEPPER = new Uint8Array(32).fill(7);
const environment = fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/);
const seed = fc.integer();

describe('a consumer key', () => {
  it('has the published form', () => {
    const { key, keyId, hash } = issueKey({ random: seededRandom(1), environment: 'live', pepper: PEPPER });
    expect(key).toMatch(/^ptn_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}$/);
    expect(key.slice(9, 21)).toBe(keyId);
    const digest = createHmac('sha256', PEPPER).update(key).digest('base64url');
    expect(hash).toBe(`ptnh1:${keyId}:${digest}`);
  });

  it('reads back, whatever the environment and the dice', () => {
    fc.assert(
      fc.property(seed, environment, (dice, word) => {
        const { key, keyId, hash } = issueKey({
          random: seededRandom(dice),
          environment: word,
          pepper: PEPPER,
        });
        expect(parseKey(key)).toEqual({ environment: word, keyId });
        const words = new Int32Array(8).fill(-1);
        expect(hash.split(':')[1]).toBe(keyId);
        expect(readHashDigest(hash, words)).toBe(true);
        expect(words).toEqual(
          digestWords(createHmac('sha256', PEPPER).update(key).digest(), new Int32Array(8)),
        );
      }),
    );
  });

  it('is known as mistyped when one character differs, is missing, or two are swapped', () => {
    const places = fc.record({
      dice: seed,
      place: fc.nat(),
      digit: fc.constantFrom(...BASE62_DIGITS, '_', '-', '€'),
    });
    fc.assert(
      fc.property(places, ({ dice, place, digit }) => {
        const { key } = issueKey({ random: seededRandom(dice), environment: 'live', pepper: PEPPER });
        const at = place % key.length;
        const changed = key.slice(0, at) + digit + key.slice(at + 1);
        const shortened = key.slice(0, at) + key.slice(at + 1);
        const swapped = key.slice(0, at) + (key[at + 1] ?? '') + key[at] + key.slice(at + 2);
        for (const typo of [changed, shortened, swapped]) {
          if (typo !== key) expect(parseKey(typo), typo).toBeNull();
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is told from any other text, and no text makes the parser fail', () => {
    const lookalike = fc
      .tuple(fc.string({ maxLength: 20 }), fc.string({ maxLength: 90 }))
      .map(([word, rest]) => `ptn_${word}_${rest}`);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), lookalike), (text) => {
        expect(parseKey(text)).toBeNull();
        expect(readHashDigest(text, new Int32Array(8))).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  it('has its parts in their places, even where a checksum fits', () => {
    const body = `ptn_live_${'a'.repeat(12)}_${'b'.repeat(32)}`;
    const sealed = (text: string) => text + uint32ToBase62(crc32(text));
    expect(parseKey(sealed(body))).toEqual({ environment: 'live', keyId: 'a'.repeat(12) });
    for (const other of [
      `ptn_live_${'a'.repeat(12)}x${'b'.repeat(32)}`,
      `ptn_live_${'a'.repeat(11)}_${'b'.repeat(33)}`,
      `ptn_live_${'a'.repeat(12)}_${'b'.repeat(31)}`,
      `ptn_live_${'a'.repeat(12)}_${'b'.repeat(65)}`,
      `ptn_live_${'a'.repeat(12)}_${'b'.repeat(31)}_`,
      `ptn_Live_${'a'.repeat(12)}_${'b'.repeat(32)}`,
      `ptn__${'a'.repeat(12)}_${'b'.repeat(32)}`,
      `ptn_${'e'.repeat(17)}_${'a'.repeat(12)}_${'b'.repeat(32)}`,
      `ptm_live_${'a'.repeat(12)}_${'b'.repeat(32)}`,
    ]) {
      expect(parseKey(sealed(other)), other).toBeNull();
    }
  });

  it.each(['', 'Live', 'live_1', '1live', 'a'.repeat(17), 'prod-eu'])('has no environment "%s"', (word) => {
    expect(() => issueKey({ random: seededRandom(1), environment: word, pepper: PEPPER })).toThrow(
      'no environment',
    );
  });
});

describe('the hash of a consumer key', () => {
  it('depends on the pepper', () => {
    const { key, keyId, hash } = issueKey({ random: seededRandom(1), environment: 'live', pepper: PEPPER });
    expect(hashConsumerKey(new Uint8Array(32), keyId, key)).not.toBe(hash);
  });

  it('has exactly one spelling', () => {
    const { hash } = issueKey({ random: seededRandom(3), environment: 'live', pepper: PEPPER });
    expect(readHashDigest(hash, new Int32Array(8))).toBe(true);
    // 43 digits carry 258 bits for 256: decoding ignores the two spare ones, so two spellings give one digest.
    const spare = hash.slice(0, -1) + String.fromCharCode(hash.charCodeAt(hash.length - 1) + 1);
    const wide = hash.slice(0, -1) + String.fromCharCode(hash.charCodeAt(hash.length - 1) + 0x100);
    for (const other of [
      spare,
      wide,
      `${hash}=`,
      hash.replace('ptnh1', 'ptnh2'),
      hash.slice(0, -1),
      `${hash}A`,
    ]) {
      expect(readHashDigest(other, new Int32Array(8)), other).toBe(false);
    }
  });
});
