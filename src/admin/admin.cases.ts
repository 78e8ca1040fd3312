import { LIMIT_DEFAULTS } from '../base/limits.ts';
import type { AdminActions, AdminStatus, LoadReport } from './actions.ts';

export const LIVE: LoadReport = {
  reason: 'portunus reload',
  atMs: 1_795_456_100_000,
  tookMs: 31,
  outcome: { kind: 'live', epoch: 2, hash: '0123456789abcdef', notes: [] },
  diagnostics: '',
};

export const REFUSED: LoadReport = {
  reason: 'file change',
  atMs: 1_795_456_200_000,
  tookMs: 12,
  outcome: { kind: 'refused', why: 'The configuration has errors.' },
  diagnostics:
    'error PT1101: There is no route "ordrs". Did you mean "orders"?\n  policies/plans.policy:12:5\n',
};

export const STATUS: AdminStatus = {
  version: '0.1.0',
  health: 'serving',
  processId: 4_711,
  project: '/srv/portunus',
  startedMs: 1_795_456_000_000,
  uptimeMs: 300_000,
  configuration: {
    epoch: 2,
    hash: '0123456789abcdef',
    liveSinceMs: 1_795_456_100_000,
    routes: 4,
    rules: 9,
    consumers: 3,
  },
  lastLoad: REFUSED,
  listen: { address: '127.0.0.1', port: 8_080 },
  admin: { address: '127.0.0.1', port: 9_090 },
  dataThreads: [{ thread: 0, state: 'serving' }],
  traffic: {
    requests: 12,
    clientAborted: 0,
    byStatusClass: { '2xx': 11, '4xx': 1 },
    byCode: [{ name: 'limit_exceeded', count: 1 }],
    refusalsByRule: [{ name: 'plans/pace', count: 1 }],
    shadowRefusalsByRule: [],
    warningsByRule: [],
    latency: { requests: 12, p50Us: 300, p90Us: 400, p99Us: 900, maxUs: 950 },
  },
  records: { drained: 12, dropped: 0, damaged: 0, logDropped: 0, logError: null },
  counters: [
    {
      identity: '["plans","pace"]',
      label: 'plans/pace for each tenant',
      keys: 2,
      keysMax: 100_000,
      keysMaxFromNextStart: 100_000,
      openSlice: null,
    },
  ],
  services: [
    {
      name: 'orders',
      endpoints: [
        {
          url: 'http://127.0.0.1:9001',
          address: null,
          state: 'well',
          why: null,
          checked: true,
          unresolved: null,
        },
      ],
    },
  ],
  alerts: [],
  limits: LIMIT_DEFAULTS,
};

export function actions(changes: Partial<AdminActions> = {}): AdminActions {
  return { health: () => 'serving', status: () => STATUS, reload: () => Promise.resolve(LIVE), ...changes };
}
