import type { OutlierSettings } from '../../src/model/world.ts';
import { createEndpointMemory, endpointMemory } from '../../src/upstream/endpoint-memory.ts';
import { EndpointHealth, type HealthParts, type Peers } from '../../src/upstream/health.ts';
import { SERVICE_SETTINGS } from './service-settings.ts';

/** All else is well. */
export const PEERS: Peers = { mayEject: () => true, errorShareBeside: () => 0, othersServe: () => true };

/** Health in memory of its own; `outliers` are added to the defaults. */
export function healthOf(
  parts: Partial<Omit<HealthParts, 'outliers'>> & { readonly outliers?: Partial<OutlierSettings> } = {},
): EndpointHealth {
  return new EndpointHealth({
    memory: endpointMemory(createEndpointMemory(1)),
    slot: 0,
    slowStartMs: 10_000,
    peers: PEERS,
    ...parts,
    outliers: { ...SERVICE_SETTINGS.outliers, ...parts.outliers },
  });
}
