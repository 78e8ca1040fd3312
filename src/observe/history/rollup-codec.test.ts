import { expect, it } from 'vitest';
import { record } from '../record.cases.ts';
import { RollupCell, RollupRequest } from './rollup-cell.ts';
import { decodeCells, encodeCells, StoredCells } from './rollup-codec.ts';

function cellOf(requests: number): RollupCell {
  const cell = new RollupCell();
  for (let number = 1; number <= requests; number++)
    cell.count(
      new RollupRequest().of(record({ status: 500, finishedUs: 1_000 * number, requestBytes: number })),
    );
  return cell;
}

const CELLS = new Map([
  ['acme', cellOf(3)],
  ['globex', cellOf(1)],
]);

it('cells that are cut short anywhere are no cells, and nothing of the cut one is added', () => {
  const bytes = encodeCells(CELLS);
  expect(decodeCells(bytes)).toEqual(CELLS);
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length);
    expect(decodeCells(cut)).toBeNull();
    const total = new RollupCell();
    const added = new StoredCells(cut);
    for (const [, cell] of added) cell.addTo(total);
    expect([added.whole, [0, 3].includes(total.sums.requests)]).toEqual([false, true]);
    const passed = new StoredCells(cut);
    for (const _ of passed);
    expect(passed.whole).toBe(false);
  }
});
