import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Moments } from './moments.ts';

test('whatever is set, moved and taken out, the first one that is due is at hand', () => {
  const item = fc.nat(12);
  const atMs = fc.nat(9);
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('set' as const, 'soonen' as const), item, atMs }),
    fc.record({ kind: fc.constant('delete' as const), item, atMs }),
    fc.record({ kind: fc.constant('take' as const), item, atMs }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const moments = new Moments<number>();
      const plain = new Map<number, number>();
      const firstMs = () => Math.min(...plain.values(), Number.POSITIVE_INFINITY);
      for (const { kind, item, atMs } of steps) {
        if (kind === 'set') {
          moments.set(item, atMs);
          plain.set(item, atMs);
        } else if (kind === 'soonen') {
          moments.soonen(item, atMs);
          plain.set(item, Math.min(atMs, plain.get(item) ?? atMs));
        } else if (kind === 'delete') {
          moments.delete(item);
          plain.delete(item);
        } else {
          const taken = moments.takeDue(atMs);
          if (firstMs() > atMs) expect(taken).toBeUndefined();
          else {
            expect(plain.get(taken!)).toBe(firstMs());
            plain.delete(taken!);
          }
        }
        expect(moments.firstMs).toBe(firstMs());
      }
    }),
  );
});
