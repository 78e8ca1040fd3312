import { describe, expect, test } from 'vitest';
import { KEEP_ALIVE, KeepAlive } from './keep-alive.ts';

describe('how long an idle connection is kept', () => {
  test('our own bound where nothing is known', () => {
    expect(new KeepAlive().idleMs(-1, 0)).toBe(KEEP_ALIVE.longestMs);
  });

  test.each([
    [5_000, 4_000],
    [1_000, 500],
    [0, 0],
    [3_600_000, KEEP_ALIVE.longestMs],
  ])('announced %i ms: kept %i ms', (announcedMs, keptMs) => {
    expect(new KeepAlive().idleMs(announcedMs, 0)).toBe(keptMs);
  });

  test('the shortest idle time after which the peer closed is learned', () => {
    const keepAlive = new KeepAlive();
    keepAlive.peerClosedAfter(30_000, 0);
    keepAlive.peerClosedAfter(20_000, 0);
    keepAlive.peerClosedAfter(25_000, 0);
    expect(keepAlive.idleMs(-1, 0)).toBe(19_000);
    expect(keepAlive.idleMs(5_000, 0)).toBe(4_000);
  });

  test('a restart teaches nothing, and what was learned is forgotten', () => {
    const keepAlive = new KeepAlive();
    keepAlive.peerClosedAfter(10, 0);
    expect(keepAlive.idleMs(-1, 0)).toBe(KEEP_ALIVE.longestMs);
    keepAlive.peerClosedAfter(10_000, 0);
    expect(keepAlive.idleMs(-1, KEEP_ALIVE.learnedForMs)).toBe(9_000);
    expect(keepAlive.idleMs(-1, KEEP_ALIVE.learnedForMs + 1)).toBe(KEEP_ALIVE.longestMs);
  });
});
