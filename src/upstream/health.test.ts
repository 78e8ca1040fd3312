import { describe, expect, test } from 'vitest';
import { healthOf, PEERS } from '../../test/upstream/endpoint-health.ts';
import { SERVICE_SETTINGS } from '../../test/upstream/service-settings.ts';
import { bringBack, CELL, createEndpointMemory, endpointMemory, STATE } from './endpoint-memory.ts';
import { endpointState } from './endpoint-state.ts';
import type { AttemptOutcome, EndpointHealth, Peers } from './health.ts';

const FIRST_MS = SERVICE_SETTINGS.outliers.firstMs;

/** An exchange from its choice to its end. */
function attempt(health: EndpointHealth, outcome: AttemptOutcome, nowMs: number): void {
  health.attemptEnds(outcome, health.attemptBegins(nowMs), nowMs);
}

function failTimes(health: EndpointHealth, count: number, nowMs: number): void {
  for (let round = 0; round < count; round++) attempt(health, 'broken', nowMs);
}

function ejectedMs(health: EndpointHealth, nowMs: number): number {
  return health.outForMs(nowMs);
}

describe('failures in a row', () => {
  test('one failed connect takes an endpoint out for a second', () => {
    const health = healthOf();
    attempt(health, 'connect-failed', 100);
    expect(health.isAvailable(100)).toBe(false);
    expect(health.isAvailable(100 + FIRST_MS - 10)).toBe(false);
    expect(health.isAvailable(100 + FIRST_MS)).toBe(true);
  });

  test('broken exchanges take it out when three come in a row', () => {
    const health = healthOf();
    failTimes(health, 2, 0);
    attempt(health, 'answered', 0);
    failTimes(health, 2, 0);
    attempt(health, 'answered-error', 0);
    failTimes(health, 2, 0);
    expect(health.isAvailable(0)).toBe(true);
    failTimes(health, 1, 0);
    expect(health.isAvailable(0)).toBe(false);
  });

  test('what says nothing about the endpoint changes nothing', () => {
    const health = healthOf();
    failTimes(health, 2, 0);
    attempt(health, 'unknown', 0);
    expect(health.isAvailable(0)).toBe(true);
    failTimes(health, 1, 0);
    expect(health.isAvailable(0)).toBe(false);
  });

  test('broken exchanges take nothing out when too much of the service is out; refused connections do', () => {
    const health = healthOf({ peers: { ...PEERS, mayEject: () => false } });
    failTimes(health, 50, 0);
    expect(health.isOut).toBe(false);
    attempt(health, 'connect-failed', 0);
    expect(health.isOut).toBe(true);
  });
});

describe('half-open', () => {
  test('one request gets through, whose fate decides', () => {
    const health = healthOf();
    attempt(health, 'connect-failed', 0);
    const isProbe = health.attemptBegins(FIRST_MS);
    expect(isProbe).toBe(true);
    expect(health.isAvailable(FIRST_MS)).toBe(false);
    health.attemptEnds('answered', isProbe, FIRST_MS);
    expect(health.isAvailable(FIRST_MS)).toBe(true);
    failTimes(health, 2, FIRST_MS);
    expect(health.isAvailable(FIRST_MS)).toBe(true);
  });

  test('the end of an older exchange lets no second one through', () => {
    const health = healthOf();
    const older = health.attemptBegins(0);
    attempt(health, 'connect-failed', 0);
    expect(health.attemptBegins(FIRST_MS)).toBe(true);
    health.attemptEnds('unknown', older, FIRST_MS);
    expect(health.isAvailable(FIRST_MS)).toBe(false);
  });

  test('a probe given up by its caller leaves it half-open', () => {
    const health = healthOf();
    attempt(health, 'connect-failed', 0);
    attempt(health, 'unknown', FIRST_MS);
    expect(health.isAvailable(FIRST_MS)).toBe(true);
    expect(health.attemptBegins(FIRST_MS)).toBe(true);
    expect(health.isAvailable(FIRST_MS)).toBe(false);
  });

  test('each failed probe doubles the time, up to a bound', () => {
    const health = healthOf();
    let nowMs = 0;
    const times: number[] = [];
    for (let round = 0; round < 8; round++) {
      attempt(health, round === 0 ? 'connect-failed' : 'broken', nowMs);
      times.push(ejectedMs(health, nowMs));
      nowMs += times.at(-1)!;
    }
    expect(times).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('an endpoint that fails again soon after it came back is left alone for longer; after a quiet time it is not', () => {
    const health = healthOf();
    attempt(health, 'connect-failed', 0);
    attempt(health, 'answered', 1_000);
    attempt(health, 'connect-failed', 5_000);
    expect(ejectedMs(health, 5_000)).toBe(2_000);
    attempt(health, 'answered', 8_000);
    attempt(health, 'connect-failed', 60_000);
    expect(ejectedMs(health, 60_000)).toBe(1_000);
  });

  test('exchanges that were under way when it was ejected do not prolong the ejection', () => {
    const health = healthOf();
    attempt(health, 'connect-failed', 0);
    for (let round = 0; round < 20; round++) health.attemptEnds('broken', false, 10);
    expect(ejectedMs(health, 0)).toBe(FIRST_MS);
  });
});

describe('the share of errors', () => {
  const outliers = { requestsMin: 10, errorShare: 0.5 };

  function answers(health: EndpointHealth, outcomes: readonly AttemptOutcome[], nowMs: number): void {
    for (const outcome of outcomes) attempt(health, outcome, nowMs);
  }
  const half: AttemptOutcome[] = Array.from({ length: 10 }, (_, index) =>
    index % 2 === 0 ? 'answered' : 'answered-error',
  );

  test('an endpoint that fails half of its requests while others do not is taken out', () => {
    const health = healthOf({ outliers });
    answers(health, half.slice(0, 9), 0);
    expect(health.isOut).toBe(false);
    answers(health, ['answered-error'], 0);
    expect(health.isOut).toBe(true);
  });

  test.each([
    ['others fail as well', 0.3],
    ['nothing is known of others', null],
  ])('it stays where %s', (_, share) => {
    const health = healthOf({ outliers, peers: { ...PEERS, errorShareBeside: () => share } });
    answers(health, half, 0);
    expect(health.isOut).toBe(false);
  });

  test('each window begins anew', () => {
    const health = healthOf({ outliers });
    answers(health, half.slice(0, 9), 0);
    answers(health, ['answered-error'], 10_000);
    expect(health.isOut).toBe(false);
  });

  test('good answers of exchanges under way do not end it, a good probe does, a bad one does not', () => {
    const health = healthOf({ outliers });
    answers(health, half, 0);
    health.attemptEnds('answered', false, 0);
    expect(health.isOut).toBe(true);
    attempt(health, 'answered-error', FIRST_MS);
    expect(ejectedMs(health, FIRST_MS)).toBe(2_000);
    attempt(health, 'answered', FIRST_MS + 2_000);
    expect(health.isOut).toBe(false);
    // What was counted before is forgotten.
    attempt(health, 'answered-error', FIRST_MS + 2_000);
    expect(health.isOut).toBe(false);
  });

  test('after refused connections an error is an answer, too', () => {
    const health = healthOf({ outliers });
    attempt(health, 'connect-failed', 0);
    attempt(health, 'answered-error', FIRST_MS);
    expect(health.isOut).toBe(false);
  });
});

describe('slow start', () => {
  test('an endpoint that is back gets a tenth of its share, then ever more', () => {
    const health = healthOf({ slowStartMs: 10_000 });
    expect(health.shareNow(0)).toBe(1);
    attempt(health, 'connect-failed', 0);
    attempt(health, 'answered', 1_000);
    const shares = [1_000, 2_000, 6_000, 10_990, 11_000].map((nowMs) => health.shareNow(nowMs));
    expect(shares).toEqual([0.1, 0.1, 0.5, 0.999, 1]);
  });

  test('0 is at once', () => {
    const health = healthOf({ slowStartMs: 0 });
    attempt(health, 'connect-failed', 0);
    attempt(health, 'answered', 1_000);
    expect(health.shareNow(1_000)).toBe(1);
  });
});

describe('shared memory', () => {
  const memory = () => endpointMemory(createEndpointMemory(2));

  test('two threads see one endpoint: failures add up, one probe is out, and neighbours are not touched', () => {
    const shared = memory();
    const [one, other] = [healthOf({ memory: shared, slot: 1 }), healthOf({ memory: shared, slot: 1 })];
    failTimes(one, 2, 0);
    failTimes(other, 1, 0);
    expect([one.isAvailable(0), other.isAvailable(0)]).toEqual([false, false]);
    expect(one.attemptBegins(FIRST_MS)).toBe(true);
    expect(other.attemptBegins(FIRST_MS)).toBe(false);
    expect(other.isAvailable(FIRST_MS)).toBe(false);
    one.attemptEnds('answered', true, FIRST_MS);
    expect(other.isAvailable(FIRST_MS)).toBe(true);
    expect(healthOf({ memory: shared, slot: 0 }).isOut).toBe(false);
  });

  test('both threads that see a failing probe count it once', () => {
    const shared = memory();
    const [one, other] = [healthOf({ memory: shared }), healthOf({ memory: shared })];
    attempt(one, 'connect-failed', 0);
    one.attemptEnds('connect-failed', one.attemptBegins(FIRST_MS), FIRST_MS);
    other.attemptEnds('connect-failed', false, FIRST_MS);
    expect(Atomics.load(shared, CELL.ejections)).toBe(2);
  });

  test('checks that fail take an endpoint out for good, until they say that it is back', () => {
    const shared = memory();
    const health = healthOf({ memory: shared });
    Atomics.or(shared, CELL.state, STATE.unhealthy);
    expect(health.isAvailable(1e9)).toBe(false);
    expect(health.outForMs(0)).toBe(Number.POSITIVE_INFINITY);
    attempt(health, 'answered', 0);
    expect(health.isAvailable(0)).toBe(false);
    bringBack(shared, 0, 50_000);
    expect(health.isAvailable(50_000)).toBe(true);
    expect(health.shareNow(51_000)).toBe(0.1);
  });

  test('the control thread reads what data threads wrote', () => {
    const shared = memory();
    const health = healthOf({ memory: shared });
    const state = (nowMs: number) => endpointState(shared, 0, 10_000, nowMs);
    expect(state(0)).toEqual({ kind: 'well' });
    attempt(health, 'connect-failed', 0);
    expect(state(400)).toEqual({ kind: 'ejected', why: 'connections to it fail', forMs: 600 });
    expect(state(4_000)).toMatchObject({ kind: 'ejected', forMs: 0 });
    attempt(health, 'answered', 4_000);
    expect(state(4_000)).toEqual({ kind: 'warming' });
    expect(state(14_000)).toEqual({ kind: 'well' });
  });
});

describe('an endpoint that is judged alone', () => {
  const outliers = { judged: 'alone', failures: 3, outMax: 1 } as const;
  const alone = (peers: Partial<Peers> = {}) =>
    healthOf({
      outliers,
      peers: { ...PEERS, errorShareBeside: () => null, othersServe: () => false, ...peers },
    });

  test.each(['answered-error', 'broken', 'timed-out', 'connect-failed'] as const)(
    'is left alone when %s comes three times in a row, be there others or not',
    (outcome) => {
      const health = alone();
      for (const each of [outcome, outcome, 'answered', outcome, outcome] as const) attempt(health, each, 0);
      expect(health.isOut).toBe(false);
      attempt(health, outcome, 0);
      expect(health.outForMs(0)).toBe(FIRST_MS);
    },
  );

  test('comes back by a good probe alone, whatever it was left alone for', () => {
    const health = alone();
    failTimes(health, 3, 0);
    attempt(health, 'answered-error', FIRST_MS);
    expect(health.outForMs(FIRST_MS)).toBe(2 * FIRST_MS);
    attempt(health, 'timed-out', 3 * FIRST_MS);
    expect(health.outForMs(3 * FIRST_MS)).toBe(4 * FIRST_MS);
    attempt(health, 'answered', 7 * FIRST_MS);
    expect(health.isOut).toBe(false);
  });

  test('is left alone by its own share of failures, though they are never in a row', () => {
    const health = healthOf({
      outliers: { ...outliers, requestsMin: 10, errorShare: 0.5 },
      peers: { ...PEERS, errorShareBeside: () => 1 },
    });
    for (let nth = 0; nth < 9; nth++) attempt(health, nth % 2 === 0 ? 'answered' : 'answered-error', 0);
    expect(health.isOut).toBe(false);
    attempt(health, 'answered-error', 0);
    expect(health.isOut).toBe(true);
  });

  test('refuses no second connection where others serve meanwhile', () => {
    const health = alone({ othersServe: () => true });
    attempt(health, 'connect-failed', 0);
    expect(health.isOut).toBe(true);
  });

  test('stays where no more may be left alone', () => {
    const health = alone({ mayEject: () => false });
    failTimes(health, 50, 0);
    expect(health.isOut).toBe(false);
  });

  test('is tried by another one when a probe takes longer than it would be left alone for anew', () => {
    const health = alone();
    failTimes(health, 3, 0);
    expect(health.attemptBegins(FIRST_MS)).toBe(true);
    expect(health.isAvailable(2 * FIRST_MS - 10)).toBe(false);
    expect(health.attemptBegins(2 * FIRST_MS - 10)).toBe(false);
    expect(health.isAvailable(3 * FIRST_MS)).toBe(true);
    expect(health.attemptBegins(3 * FIRST_MS)).toBe(true);
    expect(health.attemptBegins(3 * FIRST_MS)).toBe(false);
  });
});
