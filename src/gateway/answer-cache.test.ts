import { describe, expect, test } from 'vitest';
import { AnswerCache, type StoredAnswer } from './answer-cache.ts';

const OBJECTS = 512;

function answer(bytes: number, lifeMs = 1_000, place = ''): StoredAnswer {
  const body = new Uint8Array(bytes);
  return {
    fields: [],
    bodyBytes: bytes,
    hasBody: true,
    body,
    place,
    pool: '',
    storedMs: 0,
    ageMs: 0,
    lifeMs,
  };
}

function cacheOf(limits: { cachedAnswersPerThread?: number; cachedBytesPerThread?: number } = {}) {
  return new AnswerCache({ cachedAnswersPerThread: 100, cachedBytesPerThread: 100_000, ...limits });
}

describe('answers that are kept', () => {
  test('are found until their time is over, and then no more', () => {
    const cache = cacheOf();
    cache.keep(1, 'a', answer(10));
    expect(cache.find(1, 'a', 999)).toMatchObject({ bodyBytes: 10 });
    expect(cache.find(1, 'a', 1_000)).toBe('stale');
    expect(cache.find(1, 'a', 1_000)).toBe('none');
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });

  test('go in the order in which they were asked for, when there are too many', () => {
    const cache = cacheOf({ cachedAnswersPerThread: 2 });
    cache.keep(1, 'a', answer(10));
    cache.keep(1, 'b', answer(10));
    cache.find(1, 'a', 0);
    cache.keep(1, 'c', answer(10));
    expect(['a', 'b', 'c'].filter((key) => cache.find(1, key, 0) !== 'none')).toEqual(['a', 'c']);
    expect([cache.size, cache.evicted]).toEqual([2, 1]);
  });

  test('go the same way when they take too much memory; one larger than all of it is not kept', () => {
    const cache = cacheOf({ cachedBytesPerThread: 2 * (OBJECTS + 101) });
    for (const key of ['a', 'b', 'c']) cache.keep(1, key, answer(100));
    expect([cache.size, cache.bytes, cache.evicted]).toEqual([2, 2 * (OBJECTS + 101), 1]);
    cache.keep(1, 'd', answer(2_000));
    expect([cache.size, cache.evicted]).toEqual([2, 1]);
  });

  test('make room for those that are still coming', () => {
    const cache = cacheOf({ cachedBytesPerThread: OBJECTS + 101 });
    cache.keep(1, 'a', answer(100));
    expect(cache.take(OBJECTS + 101)).toBe(true);
    expect([cache.size, cache.take(1)]).toEqual([0, false]);
    cache.give(OBJECTS + 101);
    expect(cache.bytes).toBe(0);
  });

  test('take the place of what was kept under the same key', () => {
    const cache = cacheOf();
    cache.keep(1, 'a', answer(10));
    cache.keep(1, 'a', answer(20));
    expect([cache.size, cache.bytes]).toEqual([1, OBJECTS + 21]);
  });

  test('are forgotten by the place that they were asked for at', () => {
    const cache = cacheOf();
    cache.keep(1, 'a', answer(10, 1_000, 'x'));
    cache.keep(1, 'b', answer(10, 1_000, 'x'));
    cache.keep(1, 'c', answer(10, 1_000, 'y'));
    cache.forget('x');
    cache.forget('z');
    expect(['a', 'b', 'c'].filter((key) => cache.find(1, key, 0) !== 'none')).toEqual(['c']);
  });

  test('are of one version of the rules: a new one forgets them, and requests of the old one find and keep nothing', () => {
    const cache = cacheOf();
    cache.keep(1, 'a', answer(10));
    expect(cache.find(2, 'a', 0)).toBe('none');
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
    cache.keep(1, 'a', answer(10));
    expect([cache.find(2, 'a', 0), cache.find(1, 'a', 0)]).toEqual(['none', 'none']);
  });
});
