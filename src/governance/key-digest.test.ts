import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyDigest } from './key-digest.ts';

test('is the HMAC of RFC 2104, whatever was asked before', () => {
  const secrets = fc.uint8Array({ maxLength: 64 });
  const texts = fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 120 }), { minLength: 1 });
  fc.assert(
    fc.property(secrets, texts, (secret, asked) => {
      const digest = new KeyDigest(secret, 120);
      for (const text of asked)
        expect(digest.of(text).equals(createHmac('sha256', secret).update(text).digest())).toBe(true);
    }),
  );
});

test('is the one of RFC 4231, case 2', () => {
  expect(new KeyDigest(Buffer.from('Jefe'), 120).of('what do ya want for nothing?').toString('hex')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

test('takes no secret that is longer than a block', () => {
  expect(() => new KeyDigest(Buffer.alloc(65), 120)).toThrow('would have to be hashed');
});
