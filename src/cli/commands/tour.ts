import type { ListenAddress } from '../../model/world.ts';
import type { FirstKey } from '../run/first-keys.ts';

/**
 * Fills the `tour.txt` of a project, which `start` prints: `{url}` is where traffic is served, `{key TENANT/CONSUMER}`
 * the key that was made for a consumer. What can't be filled is said in its place.
 */
export function tourOf(text: string, listen: ListenAddress, keys: readonly FirstKey[]): string {
  return text
    .trimEnd()
    .replaceAll('{url}', `http://${listen.address}:${listen.port}`)
    .replaceAll(/\{key ([^}/]+)\/([^}]+)\}/g, (_whole, tenant: string, consumer: string) => {
      const found = keys.find((key) => key.tenant === tenant && key.consumer === consumer);
      return found?.key ?? `(the key of ${tenant}/${consumer}: no longer in first-keys.json)`;
    });
}
