import type { Endpoint } from '../model/world.ts';

/** As it is written in the configuration, in its normal form. */
export function endpointUrl({ protocol, host, port, basePath }: Endpoint): string {
  return `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}${basePath}`;
}

/** What makes two endpoints of two versions of the configuration the same one. */
export function endpointKey(service: string, endpoint: Endpoint): string {
  return `${service} ${endpointUrl(endpoint)}`;
}
