import type { CatalogueEntry } from './entry.ts';

/** Codes of what policies say of pools, their keys, and what calls are sent to. */
export const POOL_CODES = {
  PT2131: {
    title: 'Pools for a route without models',
    severity: 'error',
    explanation:
      'Only calls to models go to pools of provider keys. A route that leads to a service has none, so `route to pool` could do nothing there.',
  },
  PT2132: {
    title: 'Pool that serves no model of the route',
    severity: 'error',
    explanation:
      'A rule sends calls to a pool that no model names, or whose provider speaks another dialect than the route: every call would be refused, or go to the other pools of the rule only.',
  },
  PT2133: {
    title: 'Target asked about by a rule that leaves none out',
    severity: 'error',
    explanation:
      'Facts of targets are asked of each pool that a call to a model could go to: `forbid` and `require` leave pools out by them. Limits count for each. Other rules are asked once for a request, when no pool has been chosen.',
  },
  PT2134: {
    title: 'Forbid that leaves out no pool',
    severity: 'warning',
    explanation:
      'A `forbid` over facts of targets leaves out the pools that it holds for. Where that is none of the project, calls go to all pools as if the rule were not there: most often something in it is misspelt.',
  },
  PT2135: {
    title: 'Rule that leaves a model no pool',
    severity: 'warning',
    explanation:
      'All pools of a model are left out, whatever the request is, so that every call to it is refused. A pool whose provider has no region is left out by every rule that asks for the region.',
  },
  PT2150: {
    title: 'Fact of pools in a rule about requests',
    severity: 'error',
    explanation:
      'How much room a pool has changes from call to call, on all threads at once: no decision about a request rests on it. Calls wait for room, or go where some is, by themselves; people are told by `alert when`, which asks pools all the time.',
  },
  PT2151: {
    title: 'Fact of requests in a rule about pools',
    severity: 'error',
    explanation:
      'An alert that asks about pools or keys is asked all the time, whether or not there are requests. So it knows no caller, route or answer. Calendars and dates it knows: `during "office"`.',
  },
  PT2152: {
    title: 'Clause about requests in an alert about pools',
    severity: 'error',
    explanation:
      'An alert about pools is raised when its condition begins to hold, for each pool or key by itself, and is over when it no longer does. There is nothing to count.',
  },
  PT2153: {
    title: 'Rule about pools beyond the authority of its folder',
    severity: 'error',
    explanation:
      'A folder that `authorities` names governs some routes, or the callers of some tenants. Pools serve all of them, so a rule about pools is for those who govern everything.',
  },
  PT2154: {
    title: 'Nothing that can be exhausted',
    severity: 'error',
    explanation:
      '`exhausted within` asks a forecast: when nothing is left if it is used as fast as now, or as at these times of former days. The gateway makes it for pools and for their keys.',
  },
  PT2155: {
    title: 'Overlap as long as the time between rotations',
    severity: 'error',
    explanation:
      'While a secret is replaced with an overlap, the former one serves beside it, and no other can take its place. So the overlap has to end before the next rotation falls due.',
  },
  PT2156: {
    title: 'Limit for each key that does what only admission can',
    severity: 'error',
    explanation:
      'A limit for each key or target is a part of the room of each key: it is asked when a key is chosen, behind all limits of the request. Calls that it has no room for go to other keys and pools, wait in the queue of the pool, or are refused in its words. So it lets nobody wait by itself, names no other model, follows no calendar and tells of no thresholds.',
  },
} as const satisfies Record<string, CatalogueEntry>;
