import type { AccessRecord } from '../pipeline/record.ts';

/**
 * The texts of a record that come again and again: who called, what was asked for, which rule decided. A ring carries each
 * set of them once and from then on its number, so that neither ring nor log write them anew for every request.
 */
export type RecordNames = Readonly<Pick<AccessRecord, (typeof NAME_FIELDS)[number]>>;

export const NAME_FIELDS = [
  'method',
  'route',
  'routeVersion',
  'configurationHash',
  'tenant',
  'team',
  'consumer',
  'credential',
  'person',
  'decidingRule',
  'code',
  'target',
  'model',
  'providerKey',
] as const satisfies readonly (keyof AccessRecord)[];

/**
 * Sets of names known at a time, on both sides of a ring. A number comes again after 2^31 others, and only the
 * last this many are ever referred to, so that the reader keeps set N in slot N modulo this (a power of two).
 */
export const NAMES_KNOWN_MAX = 4_096;
const SLOT_MASK = NAMES_KNOWN_MAX - 1;

interface NumberedNames extends RecordNames {
  readonly number: number;
}

/** Sets told for one consumer on one route: a few rules and codes. More, such as many persons, are told anew in turn. */
export const NAMES_PER_ROUTE_MAX = 16;

/** The writer's side: which sets of names the reader has been told, by which number. */
export class KnownNames {
  /**
   * By configuration, consumer and route: what is left to compare is short however many versions of the rules and
   * callers there have been. (One list over all versions made each request slower with every reload.)
   */
  readonly #told = new Map<string, Map<string, Map<string, NumberedNames[]>>>();
  #last: NumberedNames | null = null;
  #count = 0;
  #next = 0;

  /** The number of the record's names, or -1 when the reader has not been told them. */
  find(record: AccessRecord): number {
    const last = this.#last;
    if (last !== null && hasNames(record, last)) return last.number;
    const candidates = this.#told.get(record.configurationHash)?.get(record.consumer)?.get(record.route);
    if (candidates === undefined) return -1;
    for (const candidate of candidates) {
      if (!hasNames(record, candidate)) continue;
      this.#last = candidate;
      return candidate.number;
    }
    return -1;
  }

  /** A number for names that {@link find} did not find; the reader must be told both. */
  add(record: AccessRecord): number {
    if (this.#count === NAMES_KNOWN_MAX) this.forget();
    const names: NumberedNames = { ...namesOf(record), number: this.#next };
    const candidates = this.#candidatesOf(names);
    if (candidates.length < NAMES_PER_ROUTE_MAX) candidates.push(names);
    else candidates[names.number % NAMES_PER_ROUTE_MAX] = names;
    this.#last = names;
    this.#count++;
    this.#next = (this.#next + 1) & 0x7fffffff;
    return names.number;
  }

  /** What the reader knows is in doubt: a frame did not get in, or did not come out. */
  forget(): void {
    if (this.#count === 0) return;
    this.#told.clear();
    this.#last = null;
    this.#count = 0;
  }

  #candidatesOf({ configurationHash, consumer, route }: RecordNames): NumberedNames[] {
    return entry(
      entry(
        entry(this.#told, configurationHash, () => new Map()),
        consumer,
        () => new Map(),
      ),
      route,
      () => [],
    );
  }
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** The reader's side. */
export class NamesByNumber {
  readonly #slots: (NumberedNames | undefined)[] = new Array(NAMES_KNOWN_MAX);

  set(number: number, names: RecordNames): RecordNames {
    const numbered = { ...names, number };
    this.#slots[number & SLOT_MASK] = numbered;
    return numbered;
  }

  /** Undefined for a number that was never told, or too long ago. */
  get(number: number): RecordNames | undefined {
    const names = this.#slots[number & SLOT_MASK];
    return names !== undefined && names.number === number ? names : undefined;
  }
}

export function namesOf(record: AccessRecord): RecordNames {
  return {
    method: record.method,
    route: record.route,
    routeVersion: record.routeVersion,
    configurationHash: record.configurationHash,
    tenant: record.tenant,
    team: record.team,
    consumer: record.consumer,
    credential: record.credential,
    person: record.person,
    decidingRule: record.decidingRule,
    code: record.code,
    target: record.target,
    model: record.model,
    providerKey: record.providerKey,
  };
}

/** Mostly comparisons of one and the same string with itself. */
function hasNames(record: AccessRecord, names: RecordNames): boolean {
  return (
    record.route === names.route &&
    record.credential === names.credential &&
    record.consumer === names.consumer &&
    record.tenant === names.tenant &&
    record.decidingRule === names.decidingRule &&
    record.method === names.method &&
    record.code === names.code &&
    record.configurationHash === names.configurationHash &&
    record.team === names.team &&
    record.routeVersion === names.routeVersion &&
    record.person === names.person &&
    record.target === names.target &&
    record.model === names.model &&
    record.providerKey === names.providerKey
  );
}
