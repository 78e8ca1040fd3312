import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WaitingLine } from './waiting-line.ts';

it('does what an array with push and shift does, up to its capacity', () => {
  const steps = fc.array(fc.oneof(fc.nat(100), fc.constant(null)), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 5 }), (items, capacity) => {
      const line = new WaitingLine<number>(capacity);
      const model: number[] = [];
      for (const item of items) {
        if (item === null) expect(line.next()).toBe(model.shift() ?? null);
        else {
          const fits = model.length < capacity;
          if (fits) model.push(item);
          expect(line.join(item)).toBe(fits);
        }
      }
    }),
  );
});
