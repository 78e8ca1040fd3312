import { expect, test } from 'vitest';
import { DROPPED_BYTES_MAX, DroppedMemory } from './dropped-memory.ts';
import { IdentityCache } from './identity-cache.ts';
import { EPOCH_CELLS } from './messages.ts';
import type { RuleVersion } from './rule-version.ts';
import { VersionStore } from './version-store.ts';

test('a collection is asked for once enough was dropped, and then again', () => {
  let asked = 0;
  const dropped = new DroppedMemory(() => asked++);
  const piece = DROPPED_BYTES_MAX / 4;
  const heard = Array.from({ length: 9 }, () => {
    dropped.add(piece);
    return asked;
  });
  expect(heard).toEqual([0, 0, 0, 1, 1, 1, 1, 2, 2]);
});

test('V8 lets go of shared memory that was dropped, as it does not by itself', async () => {
  const dropped = new DroppedMemory();
  const bytes = DROPPED_BYTES_MAX / 2;
  const held = (): number => process.memoryUsage().arrayBuffers;
  let [before, versions] = [held(), 0];
  // it marks in steps, between turns; the memory is never touched, so never resident
  while (held() >= before && versions++ < VERSIONS_MAX) {
    before = held();
    dropped.add(new SharedArrayBuffer(bytes).byteLength);
    await new Promise(setImmediate);
  }
  expect(versions).toBeLessThan(VERSIONS_MAX);
});

const VERSIONS_MAX = 50;

test('a data thread counts the memory of versions that it lets go of, once each', () => {
  let asked = 0;
  const epochs = new SharedArrayBuffer(4 * EPOCH_CELLS.count);
  const versions = new VersionStore(epochs, new IdentityCache(1), () => {}, new DroppedMemory(() => asked++));
  const go = (epoch: number): void => {
    versions.addRules(versionOf(epoch));
    Atomics.store(new Int32Array(epochs), EPOCH_CELLS.rules, epoch);
    versions.refresh();
  };
  go(1);
  const held = versions.enter()!;
  go(2);
  expect(asked).toBe(0);
  versions.leave(held);
  expect(asked).toBe(1);
  versions.addRules(versionOf(3));
  versions.discardRules(3);
  versions.discardRules(3);
  expect(asked).toBe(2);
});

/** What is asked of one that serves nothing. */
function versionOf(epoch: number): RuleVersion {
  const version: Pick<RuleVersion, 'epoch' | 'inFlight' | 'services'> & { readonly rules: object } = {
    epoch,
    inFlight: 0,
    services: [],
    rules: { ownBytes: DROPPED_BYTES_MAX },
  };
  return version as RuleVersion;
}
