import { expect, test } from 'vitest';
import { SERVICE_SETTINGS } from '../../test/upstream/service-settings.ts';
import { LIMIT_DEFAULTS } from '../base/limits.ts';
import { NO_MODELS } from '../model/pools.ts';
import type { Service } from '../model/world.ts';
import { NOBODY_WAITS } from '../pipeline/counters.ts';
import { NO_MODEL_APIS } from './model-apis.ts';
import { packMatcher } from './route-matcher.ts';
import { buildRuleVersion, type VersionParts } from './rule-version.ts';

test('a version that can’t be prepared lets go of the services it had', () => {
  const uses = new Map<string, number>();
  const parts = partsOf(['plain', 'secure', 'broken'], (name) => {
    if (name === 'broken') throw new Error('no certificate');
    uses.set(name, (uses.get(name) ?? 0) + 1);
    return () => uses.set(name, uses.get(name)! - 1);
  });
  expect(() => [...buildRuleVersion(parts)]).toThrow('no certificate');
  expect([...uses]).toEqual([
    ['plain', 0],
    ['secure', 0],
  ]);
});

/** `open` answers what retires the service. */
function partsOf(services: readonly string[], open: (name: string) => () => void): VersionParts {
  const unused = (): never => {
    throw new Error('not part of this test');
  };
  const matcher = packMatcher([]);
  if ('fault' in matcher) throw new Error(matcher.fault);
  return {
    epoch: 1,
    rules: {
      hash: '',
      matcher,
      apis: NO_MODEL_APIS,
      routeCount: 0,
      ownBytes: 0,
      services: services.map((name): Service => ({ ...SERVICE, name })),
      models: NO_MODELS,
      functions: [],
      counters: [],
      rule: unused,
      program: unused,
    },
    counters: { bind: unused },
    upstream: {
      service: ({ name }) => ({ dispatch: unused, tunnel: unused, outForMs: () => 0, retire: open(name) }),
      resolved: unused,
      load: unused,
      close: unused,
    },
    endpointSlots: new Int32Array(),
    alerts: { matched: unused },
    models: { bind: unused, renewKeys: unused },
    preparedPools: null,
    instantiate: unused,
    turns: NOBODY_WAITS,
    hashKey: unused,
    combineKey: unused,
    bodies: { compileSchema: unused, limits: LIMIT_DEFAULTS },
  };
}

const SERVICE: Service = {
  name: '',
  owner: null,
  endpoints: [],
  timeouts: { connectMs: 1, firstByteMs: 1, idleMs: 1, totalMs: 1 },
  tls: { caFile: null, certificateFile: null, keyFile: null, serverName: null },
  ...SERVICE_SETTINGS,
  place: 'test.yaml:1',
};
