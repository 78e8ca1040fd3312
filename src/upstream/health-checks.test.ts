import { describe, expect, test } from 'vitest';
import { NO_CHANCE, VirtualTime } from '../../test/upstream/virtual-time.ts';
import { CELL, createEndpointMemory, ENDPOINT_CELLS, endpointMemory, STATE } from './endpoint-memory.ts';
import { type CheckTarget, HealthChecks } from './health-checks.ts';
import { statusFault } from './health-probe.ts';

const SETTINGS = {
  path: '/healthz',
  everyMs: 10_000,
  timeoutMs: 1_000,
  healthyAfter: 2,
  unhealthyAfter: 3,
  expect: [],
};

function target(slot: number, settings: Partial<CheckTarget['settings']> = {}): CheckTarget {
  return {
    slot,
    endpoint: { protocol: 'http', host: '127.0.0.1', port: 9_000 + slot, basePath: '', weight: 1 },
    address: null,
    settings: { ...SETTINGS, ...settings },
    tls: { caFile: null, certificateFile: null, keyFile: null, serverName: null },
    files: { ca: null, certificate: null, key: null },
  };
}

/** Checks whose answers the test gives, by slot; null is good. */
class Rig {
  readonly time = new VirtualTime();
  readonly memory = endpointMemory(createEndpointMemory(10));
  readonly answers = new Map<number, string | null>();
  readonly asked: number[] = [];
  random = NO_CHANCE;
  readonly checks: HealthChecks;

  constructor(atOnceMax = 10, answer?: (slot: number) => Promise<string | null>) {
    this.checks = new HealthChecks({
      clock: this.time.clock,
      random: { fill: (bytes) => bytes, uint32: () => this.random.uint32() } as typeof NO_CHANCE,
      after: this.time.after,
      memory: this.memory,
      atOnceMax,
      probe: ({ slot }) => {
        this.asked.push(slot);
        return answer?.(slot) ?? Promise.resolve(this.answers.get(slot) ?? null);
      },
    });
  }

  isUnhealthy(slot: number): boolean {
    return (Atomics.load(this.memory, slot * ENDPOINT_CELLS + CELL.state) & STATE.unhealthy) !== 0;
  }
}

describe('health checks', () => {
  test('failures in a row take an endpoint out, good answers in a row bring it back, slowly', async () => {
    const rig = new Rig();
    rig.checks.use([target(1)]);
    rig.answers.set(1, 'status 503');
    await rig.time.advance(20_000);
    expect(rig.asked).toHaveLength(2);
    expect(rig.isUnhealthy(1)).toBe(false);
    await rig.time.advance(10_000);
    expect(rig.isUnhealthy(1)).toBe(true);
    expect(rig.checks.why(1)).toBe('status 503');
    rig.answers.set(1, null);
    await rig.time.advance(10_000);
    expect(rig.isUnhealthy(1)).toBe(true);
    await rig.time.advance(10_000);
    expect(rig.isUnhealthy(1)).toBe(false);
    expect(rig.checks.why(1)).toBeNull();
    expect(Atomics.load(rig.memory, ENDPOINT_CELLS + CELL.state)).toBe(STATE.warming);
  });

  test('one good answer among failures begins the count anew', async () => {
    const rig = new Rig();
    rig.checks.use([target(1)]);
    for (const answer of ['down', 'down', null, 'down', 'down']) {
      rig.answers.set(1, answer);
      await rig.time.advance(10_000);
    }
    expect(rig.isUnhealthy(1)).toBe(false);
  });

  test('a good check ends an ejection as well', async () => {
    const rig = new Rig();
    rig.checks.use([target(0, { unhealthyAfter: 1, healthyAfter: 1 })]);
    rig.answers.set(0, 'down');
    await rig.time.advance(1_000);
    Atomics.or(rig.memory, CELL.state, STATE.ejected);
    rig.answers.set(0, null);
    await rig.time.advance(10_000);
    expect(Atomics.load(rig.memory, CELL.state)).toBe(STATE.warming);
  });

  test('times differ by up to a tenth, and the first ones lie within a second', async () => {
    const rig = new Rig();
    rig.random = { ...NO_CHANCE, uint32: () => 0 };
    rig.checks.use([target(1)]);
    expect(rig.time.due).toEqual([0]);
    await rig.time.advance(1);
    expect(rig.time.due).toEqual([8_999]);
    rig.random = { ...NO_CHANCE, uint32: () => 2 ** 32 - 1 };
    rig.checks.use([target(1), target(2)]);
    expect(rig.time.due.map(Math.round)).toEqual([1_000, 8_999]);
    await rig.time.advance(1_000);
    expect(Math.round(rig.time.due[1]!)).toBe(11_000);
  });

  test('no more at a time than the limit; others wait their turn', async () => {
    const answer: (() => void)[] = [];
    const rig = new Rig(2, () => new Promise((resolve) => answer.push(() => resolve(null))));
    rig.checks.use([target(1), target(2), target(3)]);
    await rig.time.advance(1_000);
    expect(rig.asked).toEqual([1, 2]);
    answer[0]!();
    await rig.time.advance(0);
    expect(rig.asked).toEqual([1, 2, 3]);
  });

  test('a probe that breaks is a failure', async () => {
    const rig = new Rig(1, () => Promise.reject(new Error('no such file')));
    rig.checks.use([target(1, { unhealthyAfter: 1 })]);
    await rig.time.advance(1_000);
    expect(rig.checks.why(1)).toBe('no such file');
  });

  test('what is not checked any more is not held out, and asks nothing', async () => {
    const rig = new Rig();
    rig.answers.set(1, 'down');
    rig.checks.use([target(1, { unhealthyAfter: 1 }), target(2)]);
    await rig.time.advance(1_000);
    expect(rig.isUnhealthy(1)).toBe(true);
    rig.checks.use([target(2)]);
    expect(rig.isUnhealthy(1)).toBe(false);
    expect(rig.checks.isChecked(1)).toBe(false);
    rig.checks.stop();
    expect(rig.time.timers).toBe(0);
  });

  test('a reload that changes nothing about an endpoint keeps what was counted', async () => {
    const rig = new Rig();
    rig.answers.set(1, 'down');
    rig.checks.use([target(1)]);
    await rig.time.advance(20_000);
    rig.checks.use([target(1)]);
    await rig.time.advance(10_000);
    expect(rig.isUnhealthy(1)).toBe(true);
  });

  test.each([
    [200, [], null],
    [299, [], null],
    [301, [], 'status 301'],
    [500, [], 'status 500'],
    [401, [401], null],
    [200, [401], 'status 200'],
  ])('status %i, where %j is expected', (status, expected, fault) => {
    expect(statusFault(status, expected)).toBe(fault);
  });
});
