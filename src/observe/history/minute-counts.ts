import type { AccessRecord } from '../../pipeline/record.ts';
import type { RecordFrame } from '../record-format.ts';
import {
  CALLER_NAMES,
  type CallerNames,
  DECISION_NAMES,
  type DecisionNames,
  ROUTE_NAMES,
  type RouteNames,
} from '../record-names.ts';
import { RollupCell, RollupRequest } from './rollup-cell.ts';
import {
  consumerName,
  credentialName,
  decisionName,
  OTHER_NAMES,
  type RollupDimension,
  routeName,
  tenantName,
} from './rollup-dimensions.ts';

/** Cells by dimension and name. */
export type Dimensions = Readonly<Record<RollupDimension, Map<string, RollupCell>>>;

export function emptyDimensions(): Dimensions {
  return {
    route: new Map(),
    tenant: new Map(),
    consumer: new Map(),
    credential: new Map(),
    decision: new Map(),
    model: new Map(),
    pool: new Map(),
  };
}

/** Cells of one minute, found by groups of names: no text is put together for a record. */
export class MinuteCounts {
  readonly dimensions = emptyDimensions();
  readonly #namesMax: number;
  /** Of each kind. */
  readonly #groupsMax: number;
  readonly #routes = new Map<RouteNames, CountedCell>();
  readonly #callers = new Map<CallerNames, readonly CountedCell[]>();
  readonly #decisions = new Map<DecisionNames, readonly CountedCell[]>();
  #last: LastNames | null = null;

  constructor(namesMax: number, groupsMax = GROUPS_KEPT_MAX) {
    this.#namesMax = namesMax;
    this.#groupsMax = groupsMax;
  }

  /** Groups whose cells are at hand. */
  get groupsKept(): number {
    return this.#routes.size + this.#callers.size + this.#decisions.size;
  }

  /** Answers in how many dimensions the record was counted under another name than its own. */
  count(record: AccessRecord, frame: RecordFrame | null): number {
    const request = REQUEST.of(record);
    let leftOut = 0;
    for (const { cell, own } of this.#cellsOf(record, frame)) {
      cell.count(request);
      if (!own) leftOut++;
    }
    return leftOut;
  }

  /** Most records have the names of the one before. */
  #cellsOf(record: AccessRecord, frame: RecordFrame | null): readonly CountedCell[] {
    const route = frame === null ? ROUTE_NAMES.pick(record) : frame.routeNames;
    const caller = frame === null ? CALLER_NAMES.pick(record) : frame.callerNames;
    const decision = frame === null ? DECISION_NAMES.pick(record) : frame.decisionNames;
    const last = this.#last;
    if (last !== null && last.route === route && last.caller === caller && last.decision === decision)
      return last.cells;
    const cells = [this.#route(route), ...this.#decision(decision), ...this.#caller(caller)];
    this.#last = { route, caller, decision, cells };
    return cells;
  }

  #route(names: RouteNames): CountedCell {
    let known = this.#routes.get(names);
    if (known === undefined) {
      known = this.#cell('route', routeName(names));
      this.#keep(this.#routes, names, known);
    }
    return known;
  }

  /** Only calls have a model, and only those that were sent a pool. */
  #decision(names: DecisionNames): readonly CountedCell[] {
    let known = this.#decisions.get(names);
    if (known === undefined) {
      known = [
        this.#cell('decision', decisionName(names)),
        ...(names.model === '' ? [] : [this.#cell('model', names.model)]),
        ...(names.target === '' ? [] : [this.#cell('pool', names.target)]),
      ];
      this.#keep(this.#decisions, names, known);
    }
    return known;
  }

  #caller(names: CallerNames): readonly CountedCell[] {
    let known = this.#callers.get(names);
    if (known === undefined) {
      known = [
        this.#cell('tenant', tenantName(names)),
        this.#cell('consumer', consumerName(names)),
        this.#cell('credential', credentialName(names)),
      ];
      this.#keep(this.#callers, names, known);
    }
    return known;
  }

  #keep<Names, Cells>(groups: Map<Names, Cells>, names: Names, cells: Cells): void {
    if (groups.size === this.#groupsMax) groups.clear();
    groups.set(names, cells);
  }

  #cell(dimension: RollupDimension, name: string): CountedCell {
    return cellOf(this.dimensions[dimension], name, this.#namesMax);
  }
}

/**
 * Groups come as new objects each time that a ring tells them, which may be with every record, and each ring has its own. They are
 * found again by their texts.
 */
const GROUPS_KEPT_MAX = 262_144;

/** Scratch: records are counted one after the other. */
const REQUEST = new RollupRequest();

interface LastNames {
  readonly route: RouteNames;
  readonly caller: CallerNames;
  readonly decision: DecisionNames;
  readonly cells: readonly CountedCell[];
}

interface CountedCell {
  readonly cell: RollupCell;
  /** False for the one that names beyond the bound share. */
  readonly own: boolean;
}

/** One more than `namesMax`: what they don't hold is never lost. */
export function cellOf(cells: Map<string, RollupCell>, name: string, namesMax: number): CountedCell {
  const known = cells.get(name);
  if (known !== undefined) return { cell: known, own: name !== OTHER_NAMES };
  const own = cells.size < namesMax;
  const kept = own ? name : OTHER_NAMES;
  const cell = cells.get(kept) ?? new RollupCell();
  cells.set(kept, cell);
  return { cell, own };
}
