/** Which counter each number of a region stands for, in journals and snapshots. Written anew whenever there are others. */
import { renameSync, writeFileSync } from 'node:fs';
import type { RateRegion } from '../counter-registry.ts';
import { sealed, unsealed } from './sealed-text.ts';

export interface CataloguedRegion {
  readonly region: number;
  readonly signature: string;
  readonly shards: number;
  readonly recordCells: number;
  /** No rule set has it any more, but the snapshot speaks of it. Absent in files of earlier versions: none is. */
  readonly gone?: boolean;
}

interface Catalogue {
  readonly run: number;
  readonly regions: readonly CataloguedRegion[];
}

export function catalogued({ region, signature, layout }: RateRegion): CataloguedRegion {
  return { region, signature, shards: layout.shards, recordCells: layout.recordCells };
}

/** The regions that there are, and those of `spokenOf` that are gone. */
export function withGone(
  present: readonly CataloguedRegion[],
  spokenOf: readonly CataloguedRegion[],
): readonly CataloguedRegion[] {
  const listed = new Map(present.map((each) => [each.region, each]));
  for (const each of spokenOf) if (!listed.has(each.region)) listed.set(each.region, { ...each, gone: true });
  return [...listed.values()];
}

/** Throws what the file system throws; the file is the old or the new one. */
export function writeCatalogue(path: string, run: number, regions: readonly CataloguedRegion[]): void {
  writeFileSync(`${path}.new`, sealed({ run, regions } satisfies Catalogue), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Null when it is not as it was written, or of another process. */
export function readCatalogue(text: string, run: number): readonly CataloguedRegion[] | null {
  const catalogue = unsealed<Catalogue>(text);
  return catalogue?.run === run ? catalogue.regions : null;
}
