import { join } from 'node:path';
import { regionSignature } from '../../src/state/counter-layout.ts';
import { LmdbFile } from '../../src/state/lmdb-file.ts';
import { createQuotaMarks } from '../../src/state/quota-marks.ts';
import { STORE_FILE } from '../../src/state/store.ts';
import { StoreTables } from '../../src/state/store-tables.ts';

/**
 * What the store of a killed gateway says was used at most, over all keys of each counter: where the next one goes on. Read with
 * the gateway's own code, because no gateway runs that could be asked.
 */
export async function readMarks(
  dataFolder: string,
  identities: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const tables = new StoreTables(new LmdbFile(join(dataFolder, STORE_FILE), 'as-is', { readOnly: true }));
  try {
    const marks = createQuotaMarks(tables, tables);
    return new Map(identities.map((identity) => [identity, usedOf(marks, identity)]));
  } finally {
    await tables.close();
  }
}

function usedOf(marks: ReturnType<typeof createQuotaMarks>, identity: string): number {
  const window = { kind: 'calendar', amount: 0, period: 'year', zone: 'UTC' } as const;
  const kept = marks.of(regionSignature({ identity, window }));
  if (!kept.ok) throw new Error(kept.error.message);
  return kept.value.reduce((sum, { mark }) => sum + mark.used, 0);
}
