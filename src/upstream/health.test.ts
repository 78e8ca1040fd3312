import { describe, expect, test } from 'vitest';
import { EJECTION_MS, EndpointHealth } from './health.ts';

function failTimes(health: EndpointHealth, count: number, nowMs: number): void {
  for (let round = 0; round < count; round++) {
    health.attemptBegins(nowMs);
    health.attemptEnds('broken', nowMs);
  }
}

describe('health of an endpoint', () => {
  test('one failed connect takes it out for a second', () => {
    const health = new EndpointHealth();
    health.attemptEnds('connect-failed', 100);
    expect(health.isAvailable(100)).toBe(false);
    expect(health.isAvailable(100 + EJECTION_MS.first - 1)).toBe(false);
    expect(health.isAvailable(100 + EJECTION_MS.first)).toBe(true);
  });

  test('broken exchanges take it out when three come in a row', () => {
    const health = new EndpointHealth();
    failTimes(health, 2, 0);
    health.attemptEnds('answered', 0);
    failTimes(health, 2, 0);
    expect(health.isAvailable(0)).toBe(true);
    failTimes(health, 1, 0);
    expect(health.isAvailable(0)).toBe(false);
  });

  test('what says nothing about the endpoint changes nothing', () => {
    const health = new EndpointHealth();
    failTimes(health, 2, 0);
    health.attemptEnds('unknown', 0);
    expect(health.isAvailable(0)).toBe(true);
    failTimes(health, 1, 0);
    expect(health.isAvailable(0)).toBe(false);
  });

  test('half-open lets one request through, whose fate decides', () => {
    const health = new EndpointHealth();
    health.attemptEnds('connect-failed', 0);
    const back = EJECTION_MS.first;
    health.attemptBegins(back);
    expect(health.isAvailable(back)).toBe(false);
    health.attemptEnds('answered', back);
    expect(health.isAvailable(back)).toBe(true);
    failTimes(health, 2, back);
    expect(health.isAvailable(back)).toBe(true);
  });

  test('a probe given up by its caller leaves it half-open', () => {
    const health = new EndpointHealth();
    health.attemptEnds('connect-failed', 0);
    const back = EJECTION_MS.first;
    health.attemptBegins(back);
    health.attemptEnds('unknown', back);
    expect(health.isAvailable(back)).toBe(true);
    health.attemptBegins(back);
    expect(health.isAvailable(back)).toBe(false);
  });

  test('each failed probe doubles the time, up to a bound', () => {
    const health = new EndpointHealth();
    let nowMs = 0;
    const times: number[] = [];
    for (let round = 0; round < 8; round++) {
      health.attemptBegins(nowMs);
      health.attemptEnds(round === 0 ? 'connect-failed' : 'broken', nowMs);
      times.push(health.ejectedUntilMs - nowMs);
      nowMs = health.ejectedUntilMs;
    }
    expect(times).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('exchanges that were under way when it was ejected do not prolong the ejection', () => {
    const health = new EndpointHealth();
    health.attemptEnds('connect-failed', 0);
    for (let round = 0; round < 20; round++) health.attemptEnds('broken', 10);
    expect(health.ejectedUntilMs).toBe(EJECTION_MS.first);
  });
});
