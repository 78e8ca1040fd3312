/** Which counter each number of a region stands for, in journals and snapshots. Written anew whenever there are others. */
import { renameSync, writeFileSync } from 'node:fs';
import type { RateRegion } from '../counter-registry.ts';
import { sealed, unsealed } from './sealed-text.ts';

export interface CataloguedRegion {
  readonly region: number;
  readonly signature: string;
  readonly shards: number;
  readonly recordCells: number;
}

interface Catalogue {
  readonly run: number;
  readonly regions: readonly CataloguedRegion[];
}

/** Throws what the file system throws; the file is the old or the new one. */
export function writeCatalogue(path: string, run: number, regions: readonly RateRegion[]): void {
  const listed = regions.map(({ region, signature, layout }): CataloguedRegion => {
    return { region, signature, shards: layout.shards, recordCells: layout.recordCells };
  });
  writeFileSync(`${path}.new`, sealed({ run, regions: listed } satisfies Catalogue), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Null when it is not as it was written, or of another process. */
export function readCatalogue(text: string, run: number): readonly CataloguedRegion[] | null {
  const catalogue = unsealed<Catalogue>(text);
  return catalogue?.run === run ? catalogue.regions : null;
}
