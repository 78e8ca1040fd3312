import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IdCounts } from './id-counts.ts';

it('counts like a map does', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(20), fc.nat(500_000)), { maxLength: 100 }), (ids) => {
      const counts = new IdCounts();
      const model = new Map<number, number>();
      for (const id of ids) {
        model.set(id, (model.get(id) ?? 0) + 1);
        expect(counts.add(id)).toBe(model.get(id));
      }
      expect(counts.distinct).toBe(model.size);
      expect(counts.repeated).toBe(ids.length - model.size);
    }),
  );
});

it('stops at 255 but goes on counting repetitions', () => {
  const counts = new IdCounts();
  for (let time = 0; time < 300; time++) counts.add(3);
  expect(counts.add(3)).toBe(255);
  expect(counts.repeated).toBe(300);
});

it.each([-1, 1.5, Number.NaN, 1 << 28])('refuses %s', (id) => {
  expect(() => new IdCounts().add(id)).toThrow('not an id');
});
