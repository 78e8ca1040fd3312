import { expect, it } from 'vitest';
import { type CountedLimit, LimitAlerts } from './limit-alerts.ts';

const LIMIT: CountedLimit = {
  region: 7,
  identity: JSON.stringify(['p', 'few', 'requests', 60_000, ['request.ip'], null]),
  keysMax: 2_000,
  keysWanted: 2_000,
  overflowTakes: 0,
  lockTimeouts: 0,
  whenNotKept: 'refused',
};
const FULL = 'limit-keys-full p/few for each request.ip';
const UNAVAILABLE = 'limit-unavailable p/few for each request.ip';

function rig() {
  let nowMs = 1_000_000;
  let limits: readonly CountedLimit[] = [LIMIT];
  let room = true;
  const open = new Map<string, { times: number; message: string; remedy: string }>();
  const resolved: string[] = [];
  const alerts = new LimitAlerts({
    clock: { monotonicMs: () => nowMs },
    alerts: {
      raise({ kind, subject, message, remedy }, times = 1) {
        if (!room) return false;
        const before = open.get(`${kind} ${subject}`)?.times ?? 0;
        open.set(`${kind} ${subject}`, { times: before + times, message, remedy });
        return true;
      },
      resolve({ kind, subject }) {
        resolved.push(`${kind} ${subject}`);
        open.delete(`${kind} ${subject}`);
      },
    },
    limits: () => limits,
  });
  return {
    open,
    resolved,
    kinds: () => [...open.keys()],
    look(next: readonly Partial<CountedLimit>[], afterMs = 1_000): void {
      nowMs += afterMs;
      limits = next.map((changed) => ({ ...LIMIT, ...changed }));
      alerts.look();
    },
    haveRoom: (has: boolean) => {
      room = has;
    },
  };
}

it('keys that share a counter are told while it goes on, and a minute longer', () => {
  const { look, open, kinds, resolved } = rig();
  look([{}]);
  expect(kinds()).toEqual([]);
  look([{ overflowTakes: 3 }]);
  look([{ overflowTakes: 8 }]);
  expect(kinds()).toEqual([FULL]);
  expect(open.get(FULL)).toEqual({
    times: 8,
    message:
      'p/few for each request.ip keeps 2,000 keys apart, and all are in use: further ones share one counter of the same size, so one caller can use up what another had.',
    remedy:
      'Raise its `max keys` (limits.counterKeys where it says none) and start the gateway anew, or count for each of something that callers can not make up.',
  });
  look([{ overflowTakes: 8 }], 59_999);
  expect(kinds()).toEqual([FULL]);
  look([{ overflowTakes: 8 }], 1);
  expect([kinds(), resolved]).toEqual([[], [FULL]]);
  look([{ overflowTakes: 9, keysWanted: 5_000 }]);
  expect(open.get(FULL)).toMatchObject({
    times: 1,
    remedy: 'Start the gateway anew: from then on it keeps 5,000 keys apart.',
  });
});

it('a limit that could not be counted is told, with what its requests got', () => {
  const { look, open, kinds } = rig();
  look([{ lockTimeouts: 2 }]);
  expect(kinds()).toEqual([UNAVAILABLE]);
  expect(open.get(UNAVAILABLE)).toMatchObject({
    times: 2,
    message:
      'p/few for each request.ip could not be counted, as its memory was in use for over 100 ms. Such requests were refused (503 limit_unavailable).',
  });
  look([{ lockTimeouts: 3, whenNotKept: 'uncounted' }]);
  expect(open.get(UNAVAILABLE)!.message).toMatch(/Such requests were let in uncounted\.$/);
  look([{ lockTimeouts: 3 }], 60_000);
  expect(kinds()).toEqual([]);
});

it('a count that begins anew is no gap, and each limit has a count of its own', () => {
  const { look, open } = rig();
  look([{ overflowTakes: 2 ** 32 - 1 }]);
  const before = open.get(FULL)!.times;
  // The same limit in other memory: its window was edited, and the rules of before are still in use.
  look([{ overflowTakes: 2 }, { region: 8, overflowTakes: 4 }]);
  expect(open.get(FULL)!.times - before).toBe(3 + 4);
  look([{ region: 8, overflowTakes: 4 }]);
  expect(open.get(FULL)!.times - before).toBe(3 + 4);
});

it('a limit that is gone is not told of any longer, nor one for whose alert there was no room', () => {
  const { look, kinds, resolved, haveRoom } = rig();
  look([{ overflowTakes: 1, lockTimeouts: 1 }]);
  expect(kinds()).toEqual([FULL, UNAVAILABLE]);
  look([{ region: 9, identity: JSON.stringify(['p', 'other', 'requests', 60_000, [], null]) }]);
  expect(resolved).toEqual([FULL, UNAVAILABLE]);
  haveRoom(false);
  look([{ overflowTakes: 1 }]);
  look([]);
  expect(resolved).toEqual([FULL, UNAVAILABLE]);
});
