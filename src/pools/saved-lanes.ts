/** Whether cells of a lane that were kept in a file can be those of one: a file may be damaged, or somebody's. */
import { METER_KINDS, METER_UNITS } from '../model/provider-limits.ts';
import { LANE_METERS_MAX } from '../pipeline/key-pool.ts';
import { LANE, METER } from './lane-layout.ts';

export function areLaneCells(cells: readonly unknown[]): cells is readonly number[] {
  const meters = (cells.length - LANE.cells) / METER.cells;
  if (!Number.isInteger(meters) || meters < 0 || meters > LANE_METERS_MAX) return false;
  if (!cells.every((cell) => typeof cell === 'number' && Number.isFinite(cell))) return false;
  for (let meter = 0; meter < meters; meter++) {
    const at = LANE.cells + meter * METER.cells;
    const unit = METER_UNITS[cells[at + METER.unit] as number];
    const kind = METER_KINDS[cells[at + METER.kind] as number];
    const windowMs = cells[at + METER.windowMs] as number;
    if (unit === undefined || kind === undefined || !((cells[at + METER.amount] as number) > 0)) return false;
    if (kind !== 'slots' && !(windowMs > 0)) return false;
  }
  return true;
}
