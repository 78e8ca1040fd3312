import type { AccessRecord } from '../pipeline/record.ts';

/**
 * The texts of a record that come again and again, in three groups that vary independently: what was asked for, who
 * called, how it was decided. A ring carries a group once and from then on its number, so that neither ring nor log
 * write its texts anew for every request – with 10,000 callers on 1,000 routes as with one on one.
 */
export type RouteNames = Readonly<Pick<AccessRecord, (typeof ROUTE_FIELDS)[number]>>;
export type CallerNames = Readonly<Pick<AccessRecord, (typeof CALLER_FIELDS)[number]>>;
export type DecisionNames = Readonly<Pick<AccessRecord, (typeof DECISION_FIELDS)[number]>>;

type NameField = keyof AccessRecord;
export const ROUTE_FIELDS = [
  'route',
  'routeVersion',
  'configurationHash',
] as const satisfies readonly NameField[];
export const CALLER_FIELDS = [
  'tenant',
  'team',
  'consumer',
  'credential',
  'person',
] as const satisfies readonly NameField[];
export const DECISION_FIELDS = [
  'method',
  'decidingRule',
  'code',
  'fault',
  'target',
  'model',
  'providerKey',
] as const satisfies readonly NameField[];
export const NAME_FIELDS = [...ROUTE_FIELDS, ...CALLER_FIELDS, ...DECISION_FIELDS] as const;

/** Groups of a kind known at a time, on both sides of a ring. Their numbers are slots: a power of two, at most 2^12. */
export const NAMES_KNOWN_MAX = 4_096;

/** How the writer deals with one kind of group; written out, because a loop over field names costs ten times as much. */
interface GroupKind<Names> {
  readonly same: (record: AccessRecord, names: Names) => boolean;
  /** Any 32 bits that seldom agree for different names. */
  readonly hash: (record: AccessRecord) => number;
  readonly pick: (record: AccessRecord) => Names;
}

/**
 * The writer's side of one kind: which groups the reader has been told, by which number. A group has two slots it may
 * lie in, found by a hash; where both are taken it replaces the one used longer ago. So a look-up compares three times
 * at most, however many routes, callers and versions of the rules there are, and one that fails costs no more.
 */
export class KnownNames<Names extends object> {
  readonly #kind: GroupKind<Names>;
  readonly #slots: (Names | undefined)[] = new Array(NAMES_KNOWN_MAX).fill(undefined);
  /** Of each pair of slots, the one used last. */
  readonly #recent = new Uint16Array(NAMES_KNOWN_MAX >> 1);
  #lastSlot = 0;

  constructor(kind: GroupKind<Names>) {
    this.#kind = kind;
  }

  /** The number of the record's group, or -1 when the reader has not been told it. */
  find(record: AccessRecord): number {
    const kind = this.#kind;
    const slots = this.#slots;
    const last = slots[this.#lastSlot];
    if (last !== undefined && kind.same(record, last)) return this.#lastSlot;
    const first = this.#firstSlot(record);
    for (let slot = first; slot <= first + 1; slot++) {
      const names = slots[slot];
      if (names === undefined || !kind.same(record, names)) continue;
      this.#use(slot);
      return slot;
    }
    return -1;
  }

  /** A number for a group that {@link find} did not find; the reader must be told both. */
  add(record: AccessRecord): number {
    const first = this.#firstSlot(record);
    const slot = this.#slots[first] === undefined ? first : this.#recent[first >> 1]! ^ 1;
    this.#slots[slot] = this.#kind.pick(record);
    this.#use(slot);
    return slot;
  }

  /** What the reader knows is in doubt: a frame did not get in, or did not come out. */
  forget(): void {
    this.#slots.fill(undefined);
  }

  #use(slot: number): void {
    this.#recent[slot >> 1] = slot;
    this.#lastSlot = slot;
  }

  #firstSlot(record: AccessRecord): number {
    const hash = Math.imul(this.#kind.hash(record), 0x9e3779b1);
    return (hash >>> 20) & (NAMES_KNOWN_MAX - 2);
  }
}

/** The reader's side of one kind. */
export class NamesByNumber<Names extends object> {
  readonly #slots: (Names | undefined)[] = new Array(NAMES_KNOWN_MAX).fill(undefined);

  set(number: number, names: Names): Names {
    this.#slots[number] = names;
    return names;
  }

  /** Undefined for a number that was never told. */
  get(number: number): Names | undefined {
    return this.#slots[number];
  }

  forget(): void {
    this.#slots.fill(undefined);
  }
}

/** Mostly comparisons of one and the same string with itself. */
export const ROUTE_NAMES: GroupKind<RouteNames> = {
  same: (record, names) =>
    record.route === names.route &&
    record.configurationHash === names.configurationHash &&
    record.routeVersion === names.routeVersion,
  // Without the version: a route's next ones take the slots of those that nobody uses any more. Else each reload left a group for each
  // route behind, until both sides held as many as they can (some 700 bytes each, 16 MiB with a reload each second).
  hash: ({ route }) => hashText(0, route),
  pick: ({ route, routeVersion, configurationHash }) => ({ route, routeVersion, configurationHash }),
};

export const CALLER_NAMES: GroupKind<CallerNames> = {
  same: (record, names) =>
    record.credential === names.credential &&
    record.consumer === names.consumer &&
    record.tenant === names.tenant &&
    record.team === names.team &&
    record.person === names.person,
  hash: ({ tenant, consumer, credential, person }) =>
    hashText(hashText(hashText(hashText(0, tenant), consumer), credential), person),
  pick: ({ tenant, team, consumer, credential, person }) => ({ tenant, team, consumer, credential, person }),
};

export const DECISION_NAMES: GroupKind<DecisionNames> = {
  same: (record, names) =>
    record.decidingRule === names.decidingRule &&
    record.method === names.method &&
    record.code === names.code &&
    record.fault === names.fault &&
    record.target === names.target &&
    record.model === names.model &&
    record.providerKey === names.providerKey,
  hash: ({ method, decidingRule, code, target, model }) =>
    hashText(hashText(hashText(hashText(hashText(0, method), decidingRule), code), target), model),
  pick: ({ method, decidingRule, code, fault, target, model, providerKey }) => ({
    method,
    decidingRule,
    code,
    fault,
    target,
    model,
    providerKey,
  }),
};

/** The last units say most: names are numbered at their end. */
function hashText(before: number, text: string): number {
  const { length } = text;
  let hash = Math.imul(before, 31) + length;
  for (let index = length > HASHED_UNITS ? length - HASHED_UNITS : 0; index < length; index++)
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

const HASHED_UNITS = 8;
