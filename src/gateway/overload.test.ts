import { describe, expect, test } from 'vitest';
import { LIMIT_DEFAULTS } from '../base/limits.ts';
import type { Priority } from '../model/world.ts';
import { Overload } from './overload.ts';

const LIMITS = {
  ...LIMIT_DEFAULTS,
  exchangesPerThread: 30,
  normalExchangesPerThread: 20,
  lowExchangesPerThread: 10,
  eventLoopDelayMs: 100,
};
const ALL: readonly Priority[] = ['low', 'normal', 'high'];

function shed(overload: Overload, inFlight: number): readonly Priority[] {
  return ALL.filter((priority) => overload.sheds(priority, inFlight));
}

describe('requests in flight', () => {
  test.each([
    [10, []],
    [11, ['low']],
    [20, ['low']],
    [21, ['low', 'normal']],
    [30, ['low', 'normal']],
    [31, ['low', 'normal', 'high']],
  ])('with %i of them %j are turned away', (inFlight, expected) => {
    const overload = new Overload(LIMITS);
    expect(shed(overload, inFlight)).toEqual(expected);
    // The cheap question never hides the dear one.
    expect(inFlight > overload.calmUpTo).toBe(expected.length > 0);
    const once = (priority: Priority): number => (expected.includes(priority as never) ? 1 : 0);
    expect(overload.refused).toEqual({
      lowExchangesPerThread: once('low'),
      normalExchangesPerThread: once('normal'),
      exchangesPerThread: once('high'),
      eventLoopDelayMs: 0,
    });
    // Before its priority is known.
    expect(overload.shedsAll(inFlight)).toBe(inFlight > 30);
    expect(overload.refused.exchangesPerThread).toBe(inFlight > 30 ? 2 : 0);
  });

  test('a last bound below the others holds for all', () => {
    expect(shed(new Overload({ ...LIMITS, exchangesPerThread: 5 }), 6)).toEqual(ALL);
    expect(shed(new Overload({ ...LIMITS, exchangesPerThread: 5 }), 5)).toEqual([]);
  });
});

describe('a thread that is late', () => {
  test.each([
    [99, []],
    [100, ['low']],
    [199, ['low']],
    [200, ['low', 'normal']],
    [400, ['low', 'normal', 'high']],
    [9_999, ['low', 'normal', 'high']],
  ])('by %i ms turns away %j', (delayMs, expected) => {
    const overload = new Overload(LIMITS);
    overload.observe(delayMs);
    // One pause says nothing.
    expect(shed(overload, 1)).toEqual([]);
    overload.observe(delayMs);
    expect(shed(overload, 1)).toEqual(expected);
    expect(1 > overload.calmUpTo).toBe(expected.length > 0);
    expect([overload.level, overload.refused.eventLoopDelayMs]).toEqual([expected.length, expected.length]);
  });

  test('takes them back one priority after the other', () => {
    const overload = new Overload(LIMITS);
    overload.observe(450);
    overload.observe(450);
    const seen = Array.from({ length: 7 }, () => {
      overload.observe(10);
      return shed(overload, 1).length;
    });
    expect(seen).toEqual([3, 2, 2, 1, 1, 0, 0]);
    expect(overload.calmUpTo).toBe(10);
  });
});
