/** Rate windows over the ends of their process: what the property beside this one does not meet by chance. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RateFiles } from '../../src/state/rates/rate-files.ts';
import { readSnapshot } from '../../src/state/rates/snapshot-reading.ts';
import { readState } from '../../src/state/rates/state-file.ts';
import { spec } from './counters-rig.ts';
import { RatesRig, THREADS } from './rates-rig.ts';

const HOUR = { kind: 'window', amount: 10, windowMs: 3_600_000 } as const;

let rig: RatesRig;
afterEach(() => rig.remove());

const rigOf = (maxKeys = 64) => {
  rig = new RatesRig([spec('hour', HOUR, { maxKeys })]);
  return rig;
};

describe('a snapshot', () => {
  it('and the journals count each take once, whenever it came between two steps', () => {
    const keys = 12_000;
    rigOf(20_000);
    const left = new Map<number, number>();
    const take = (key: number): void => {
      if (rig.take(key % THREADS, 0, key, 1)) left.set(key, (left.get(key) ?? HOUR.amount) - 1);
    };
    for (let key = 1; key <= keys; key++) take(key);
    rig.endTurns();
    // The journals are more than half full.
    rig.tend();
    const { checkpoints } = rig.life;
    checkpoints.beginSnapshot();
    let next = 0;
    let steps = 0;
    do {
      for (let times = 0; times < 500; times++, next += 7_919) take(1 + (next % keys));
      rig.endTurns();
      steps++;
    } while (checkpoints.step() !== 'done');
    expect(steps).toBeGreaterThan(2);
    rig.crash();
    expect(rig.life.checkpoints.leftBehind.kind).toBe('contents');
    expect([...left.keys()].map((key) => rig.remaining(0, key))).toEqual([...left.values()]);
  });

  it('is made when a journal is half full, so that it never is', () => {
    rigOf();
    rig.specs = [spec('hour', { ...HOUR, amount: 1_000_000 })];
    rig.bind();
    for (let second = 0; second < 40; second++) {
      for (let turn = 0; turn < 20; turn++) {
        for (let take = 0; take < 50; take++) rig.take(0, 0, 1, 1);
        rig.endTurn(0);
      }
      rig.tend();
      expect(rig.life.checkpoints.inspect()).toMatchObject({ state: 'exact', problem: null });
    }
    rig.crash();
    expect(rig.remaining(0, 1)).toBe(1_000_000 - 40_000);
  });
});

describe('after edits that remove a limit', () => {
  const [first, second, third] = ['a', 'b', 'c'].map((name) => spec(name, HOUR, { maxKeys: 64 }));
  const take = (counter: number, weight: number): void => {
    rig.take(0, counter, 1, weight);
    rig.endTurns();
  };

  it('a crash loses nothing of the others', () => {
    rig = new RatesRig([first!, second!]);
    take(1, 4);
    rig.edit([second!]);
    rig.edit([second!, third!]);
    take(0, 3);
    rig.crash();
    expect(rig.life.checkpoints.leftBehind).toEqual({ kind: 'contents', why: null });
    expect([rig.remaining(0, 1), rig.remaining(1, 1)]).toEqual([3, 10]);
  });

  it.each(['under way', 'whole'])('a crash loses nothing where a snapshot that speaks of it is %s', (how) => {
    rig = new RatesRig([second!]);
    rig.edit([first!, second!]);
    take(1, 4);
    rig.life.checkpoints.beginSnapshot();
    rig.edit([second!]);
    rig.edit([second!, third!]);
    if (how === 'whole') while (rig.life.checkpoints.step() !== 'done');
    rig.crash();
    expect(rig.life.checkpoints.leftBehind).toEqual({ kind: 'contents', why: null });
    expect(rig.remaining(0, 1)).toBe(6);
  });

  it('one of its name that came later knows after a crash what it knew before, and its list ends with a snapshot', () => {
    rig = new RatesRig([first!, second!]);
    take(0, 4);
    rig.edit([second!]);
    rig.edit([second!, first!]);
    take(1, 1);
    expect(rig.remaining(1, 1)).toBe(9);
    rig.crash();
    expect(rig.remaining(1, 1)).toBe(9);
    const listed = () => readFileSync(rig.file('limits-1'), 'utf8').split('"signature"').length - 1;
    rig.edit([second!]);
    rig.edit([second!, third!]);
    expect(listed()).toBe(3);
    rig.life.checkpoints.beginSnapshot();
    while (rig.life.checkpoints.step() !== 'done');
    rig.bind();
    expect(listed()).toBe(2);
  });
});

it('recognises each changed byte of a snapshot', () => {
  rigOf();
  for (let key = 1; key <= 3; key++) rig.take(0, 0, key, key);
  rig.endTurns();
  rig.life.checkpoints.close('whole');
  const state = readState(rig.file('state'));
  if (state === 'absent' || state === 'unreadable') throw new Error(`the state is ${state}`);
  const expected = { ...state.snapshot, run: state.run, threads: THREADS };
  const file = readFileSync(rig.file(`snapshot-${state.snapshot.side}`));
  expect(readSnapshot(file, expected)!.chunks.reduce((sum, { records }) => sum + records, 0)).toBe(3);
  for (let at = 0; at < expected.bytes; at++) {
    file[at]! ^= 1 << (at % 8);
    expect(readSnapshot(file, expected)).toBeNull();
    file[at]! ^= 1 << (at % 8);
  }
});

describe('where files can not be written', () => {
  it('counters go on in memory, and the next process finds them once they can be again', () => {
    rigOf();
    rig.life.checkpoints.close('in-doubt');
    rmSync(rig.file('.'), { recursive: true });
    mkdirSync(rig.file('limits-0.new'), { recursive: true });
    rig.crash();
    expect(rig.take(0, 0, 1, 4)).toBe(true);
    rig.endTurns();
    rig.tend();
    expect(rig.life.checkpoints.inspect()).toMatchObject({
      state: 'in-doubt',
      problem: expect.stringMatching(/EISDIR/) as string,
    });
    rmSync(rig.file('limits-0.new'), { recursive: true });
    rig.wait(5_000);
    rig.tend();
    expect(rig.life.checkpoints.inspect()).toMatchObject({ state: 'exact', problem: null });
    rig.take(1, 0, 1, 3);
    rig.endTurns();
    rig.crash();
    expect(rig.remaining(0, 1)).toBe(3);
  });

  it('a state that can not be made durable names its snapshot all the same, and is tried again', () => {
    const sync = vi.spyOn(RateFiles.prototype, 'syncState').mockImplementationOnce(() => {
      throw new Error('EIO');
    });
    try {
      rigOf();
      expect(rig.life.checkpoints.inspect()).toMatchObject({ state: 'exact', problem: 'EIO' });
      rig.take(0, 0, 1, 4);
      rig.endTurns();
      rig.life.checkpoints.beginSnapshot();
      rig.crash();
      expect(rig.life.checkpoints.leftBehind).toEqual({ kind: 'contents', why: null });
      expect(rig.remaining(0, 1)).toBe(6);
      sync.mockImplementationOnce(() => {
        throw new Error('EIO');
      });
      rig.crash();
      const tries = sync.mock.calls.length;
      rig.wait(5_000);
      rig.tend();
      expect(sync.mock.calls.length - tries).toBe(1);
      expect(rig.life.checkpoints.inspect()).toMatchObject({ state: 'exact', problem: null });
    } finally {
      sync.mockRestore();
    }
  });

  it('a journal that can not be written is told, and made up for by a snapshot; one that is gone makes windows full', () => {
    rigOf();
    rmSync(rig.file('journal-1'));
    mkdirSync(rig.file('journal-1'));
    rig.take(1, 0, 1, 4);
    rig.endTurns();
    rig.tend();
    expect(rig.life.checkpoints.inspect().state).toBe('exact');
    rmSync(rig.file('journal-1'), { recursive: true });
    rig.crash();
    expect(rig.life.checkpoints.leftBehind).toEqual({ kind: 'unknown', why: 'damaged' });
    expect(rig.remaining(0, 2)).toBe(0);
    // A window is as usual when its T has passed.
    rig.wait(HOUR.windowMs * (17 / 16));
    expect(rig.remaining(0, 2)).toBe(10);
  });
});

describe('nothing is free early', () => {
  const taken = () => {
    rigOf();
    rig.take(0, 0, 1, 4);
    rig.endTurns();
    rig.tend();
  };

  it('when the clock was set forward over the end of the machine', () => {
    taken();
    rig.wallMs += 24 * HOUR.windowMs;
    rig.reboot(60_000);
    expect(rig.life.checkpoints.leftBehind).toEqual({ kind: 'unknown', why: 'machine-ended' });
    expect(rig.remaining(0, 1)).toBe(0);
    rig.wait(HOUR.windowMs - 60_000 - 1);
    expect(rig.remaining(0, 1)).toBe(0);
    rig.wait(HOUR.windowMs / 16 + 1);
    expect(rig.remaining(0, 1)).toBe(10);
  });

  it('when the folder has moved to a machine that runs for long', () => {
    taken();
    rig.wait(20_000);
    rig.reboot(100 * HOUR.windowMs);
    rig.wait(HOUR.windowMs - 10_000 - 1);
    expect(rig.remaining(0, 1)).toBe(0);
  });

  it('when the clock was set back', () => {
    taken();
    rig.wallMs -= HOUR.windowMs;
    rig.crash();
    expect(rig.remaining(0, 1)).toBe(6);
    rig.life.checkpoints.close('whole');
    rig.reboot(10_000);
    expect(rig.remaining(0, 1)).toBe(6);
    rig.wait(HOUR.windowMs - 1);
    expect(rig.remaining(0, 1)).toBe(6);
  });

  it('when the keys are the hashes of another store', () => {
    taken();
    rig.keys = 'another secret';
    rig.crash();
    expect(rig.life.checkpoints.leftBehind).toEqual({ kind: 'unknown', why: 'other-keys' });
    expect(rig.remaining(0, 1)).toBe(0);
  });

  it('when the process ends before it has taken anything', () => {
    taken();
    rig.life.checkpoints.close('in-doubt');
    for (let start = 0; start < 3; start++) rig.crash();
    expect(rig.remaining(0, 1)).toBe(6);
  });
});

it('knows what a key had taken from the shared counter before it got one of its own', () => {
  rig = new RatesRig([spec('seconds', { kind: 'window', amount: 8, windowMs: 16_000 }, { maxKeys: 1 })]);
  rig.take(0, 0, 1, 1);
  rig.wait(10_000);
  rig.take(0, 0, 2, 5);
  rig.wait(8_000);
  // The only record is free again, and its new owner begins with what the shared counter holds.
  rig.take(1, 0, 2, 1);
  rig.endTurns();
  rig.crash();
  expect(rig.remaining(0, 2)).toBe(2);
});

it('writes nothing where there are no rate windows', () => {
  rig = new RatesRig([spec('slots', { kind: 'concurrency', amount: 3 })]);
  rig.take(0, 0, 1, 1);
  rig.endTurns();
  rig.tend();
  expect(rig.life.checkpoints.inspect()).toMatchObject({ state: 'unused', journalBytes: 0 });
  expect(() => rmSync(rig.file('.'))).toThrow('ENOENT');
});

it('keeps what a limit counted under the name that it had', () => {
  rigOf();
  rig.take(0, 0, 1, 4);
  rig.endTurns();
  rig.specs = [spec('sixty minutes', HOUR, { maxKeys: 64, formerIdentity: 'hour' })];
  rig.crash();
  expect(rig.remaining(0, 1)).toBe(6);
});
