import { USAGE_DIMENSIONS, type UsageDimension } from '../../pipeline/usage.ts';
import type { CallerNames, DecisionNames, RouteNames } from '../record-names.ts';

/** By what requests are added up: each on its own, so that a name more costs one cell and not one for each combination. */
export const ROLLUP_DIMENSIONS = USAGE_DIMENSIONS;
export type RollupDimension = UsageDimension;

/** For requests that have no such name: no route matched, nobody was recognised. */
export const NO_NAME = '(none)';
/** What names beyond the bound share. */
export const OTHER_NAMES = '(others)';

export function routeName({ route }: RouteNames): string {
  return route === '' ? NO_NAME : route;
}

export function tenantName({ tenant }: CallerNames): string {
  return tenant === '' ? NO_NAME : tenant;
}

/** Consumers are known by their names within a tenant, credentials within a consumer. */
export function consumerName({ tenant, consumer }: CallerNames): string {
  return consumer === '' ? NO_NAME : `${tenant}/${consumer}`;
}

export function credentialName({ tenant, consumer, credential }: CallerNames): string {
  return consumer === '' ? NO_NAME : `${tenant}/${consumer}/${credential}`;
}

/** `permitted by policy/rule`, `refused by policy/rule`, or the code with which gateway or client ended it. */
export function decisionName({ code, decidingRule }: DecisionNames): string {
  if (code === '') return decidingRule === '' ? 'permitted' : `permitted by ${decidingRule}`;
  return decidingRule === '' ? code : `refused by ${decidingRule}`;
}
