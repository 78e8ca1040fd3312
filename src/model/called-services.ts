import type { Service, World } from './world.ts';

/** All that requests of a project can be sent to: its services, and the providers whose keys it has. */
export function calledServices({ services, models }: Pick<World, 'services' | 'models'>): Service[] {
  const used = new Set([...models.pools.values()].map(({ provider }) => provider));
  const providers = [...models.providers.values()].filter(({ name }) => used.has(name));
  return [...services.values(), ...providers.map(({ service }) => service)];
}
