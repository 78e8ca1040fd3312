import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  countSeenSignatures,
  createSeenSignatures,
  createSeenSignaturesMemory,
  signaturesWithoutRoom,
} from './seen-signatures.ts';

function signature(n: number): Uint8Array {
  return createHash('sha256').update(`${n}`).digest();
}

it('each is new once, until it may be forgotten, for every thread', () => {
  const step = fc.record({
    n: fc.nat(30),
    thread: fc.nat(1),
    lifeS: fc.integer({ min: 1, max: 5 }),
    passedS: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const memory = createSeenSignaturesMemory(1_000);
      const threads = [createSeenSignatures(memory), createSeenSignatures(memory)];
      const model = new Map<number, number>();
      let nowS = 1_795_000_000;
      for (const { n, thread, lifeS, passedS } of steps) {
        nowS += passedS;
        const isSeen = (model.get(n) ?? 0) > nowS;
        const untilS = nowS + lifeS;
        const outcome = threads[thread]!.remember(signature(n), untilS * 1_000, nowS * 1_000);
        expect(outcome).toBe(isSeen ? 'seen' : 'new');
        if (!isSeen) model.set(n, untilS);
      }
    }),
    { numRuns: 50 },
  );
});

it('takes as many as it is made for, refuses what it has no room for, and takes others when those are over', () => {
  const memory = createSeenSignaturesMemory(4_000);
  const seen = createSeenSignatures(memory);
  const [nowMs, untilMs] = [1_795_000_000_000, 1_795_000_060_000];
  for (let n = 0; n < 4_000; n++) expect(seen.remember(signature(n), untilMs, nowMs)).toBe('new');
  expect(signaturesWithoutRoom(memory)).toBe(0);
  let n = 4_000;
  while (seen.remember(signature(n), untilMs, nowMs) === 'new') n++;
  expect(seen.remember(signature(n), untilMs, nowMs)).toBe('full');
  expect(signaturesWithoutRoom(memory)).toBe(2);
  expect(n).toBeLessThan(8_000 + 64);
  for (let before = 0; before < n; before++)
    expect(seen.remember(signature(before), untilMs, nowMs)).toBe('seen');
  expect(seen.remember(signature(n), untilMs + 60_000, untilMs)).toBe('new');
});

it('tells apart what differs in any of the bytes that are kept', () => {
  const seen = createSeenSignatures(createSeenSignaturesMemory(1_000));
  const first = signature(1);
  seen.remember(first, 2_000_000_000_000, 1_795_000_000_000);
  for (const at of [4, 7, 8, 11, 12, 15]) {
    const other = Uint8Array.from(first);
    other[at]! ^= 1;
    expect(seen.remember(other, 2_000_000_000_000, 1_795_000_000_000)).toBe('new');
  }
});

it('remembers behind 2038', () => {
  const seen = createSeenSignatures(createSeenSignaturesMemory(1_000));
  const nowMs = Date.UTC(2050, 0, 1);
  expect(seen.remember(signature(1), nowMs + 60_000, nowMs)).toBe('new');
  expect(seen.remember(signature(1), nowMs + 60_000, nowMs)).toBe('seen');
});

it('are counted while they are remembered, where there are many by a part of them', () => {
  const nowMs = 1_795_000_000_000;
  const counted = (memory: SharedArrayBuffer, count: number, laterMs: number): number => {
    const seen = createSeenSignatures(memory);
    for (let n = 0; n < count; n++)
      seen.remember(signature(n), nowMs + (n % 2 === 0 ? 60_000 : 120_000), nowMs);
    return countSeenSignatures(memory, nowMs + laterMs);
  };
  expect(counted(createSeenSignaturesMemory(1_000), 500, 0)).toBe(500);
  expect(counted(createSeenSignaturesMemory(1_000), 500, 60_000)).toBe(250);
  // Of four million slots an eighth is looked at: some 2,500 signatures, give or take 2 % in one of two cases.
  const estimate = counted(createSeenSignaturesMemory(2_000_000), 20_000, 0);
  expect(Math.abs(estimate - 20_000)).toBeLessThan(2_500);
});
