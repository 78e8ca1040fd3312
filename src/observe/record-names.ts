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

/** How both sides deal with one kind of group; written out, because a loop over field names costs ten times as much. */
export interface GroupKind<Names> {
  readonly same: (record: AccessRecord, names: Names) => boolean;
  /** Whether nobody will ask for these names once the record's are told: they are of a former version of it. */
  readonly supersedes: (record: AccessRecord, names: Names) => boolean;
  /** Any 32 bits that seldom agree for different names, and agree for those that supersede one another. */
  readonly hash: (record: AccessRecord) => number;
  readonly pick: (record: AccessRecord) => Names;
  /** Most groups that are known at a time, on both sides of a ring: a power of two. */
  readonly knownMax: number;
}

/** Mostly comparisons of one and the same string with itself. */
export const ROUTE_NAMES: GroupKind<RouteNames> = {
  same: (record, names) =>
    record.route === names.route &&
    record.configurationHash === names.configurationHash &&
    record.routeVersion === names.routeVersion,
  // A route's next version takes the place of the one that nobody uses any more. Else each reload left a group for each
  // route behind, until both sides held as many as they can (some 700 bytes each).
  supersedes: (record, names) => record.route === names.route,
  hash: ({ route }) => hashText(0, route),
  knownMax: 2 ** 17,
  pick: ({ route, routeVersion, configurationHash }) => ({ route, routeVersion, configurationHash }),
};

export const CALLER_NAMES: GroupKind<CallerNames> = {
  same: (record, names) =>
    record.credential === names.credential &&
    record.consumer === names.consumer &&
    record.tenant === names.tenant &&
    record.team === names.team &&
    record.person === names.person,
  supersedes: () => false,
  knownMax: 2 ** 16,
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
  supersedes: () => false,
  knownMax: 2 ** 12,
  hash: ({ method, decidingRule, code, fault, target, model, providerKey }) => {
    const answer = hashText(hashText(hashText(hashText(0, method), decidingRule), code), fault);
    return hashText(hashText(hashText(answer, target), model), providerKey);
  },
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

/** Ends of long texts alone: names are told apart by their beginnings or their ends, and seldom have more than this together. */
function hashText(before: number, text: string): number {
  const { length } = text;
  let hash = Math.imul(before, 31) + length;
  const skipped = length > 2 * HASHED_UNITS ? length - HASHED_UNITS : 0;
  const end = skipped === 0 ? length : HASHED_UNITS;
  for (let index = 0; index < end; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  if (skipped === 0) return hash;
  for (let index = skipped; index < length; index++)
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

const HASHED_UNITS = 32;
