import type { FirstKey } from '../run/first-keys.ts';

export interface TourParts {
  /** Where traffic is served. */
  readonly url: string;
  readonly keys: readonly FirstKey[];
  /** The project folder, as it can be named from where the gateway was started. */
  readonly project: string;
}

/**
 * Fills the `tour.txt` of a project, which `start` prints: `{url}` is where traffic is served, `{project}` the folder,
 * `{key TENANT/CONSUMER}` the key that was made for a consumer. What can't be filled is said in its place.
 */
export function tourOf(text: string, { url, keys, project }: TourParts): string {
  return text
    .trimEnd()
    .replaceAll('{url}', () => url)
    .replaceAll('{project}', () => project)
    .replaceAll(/\{key ([^}/]+)\/([^}]+)\}/g, (_whole, tenant: string, consumer: string) => {
      const found = keys.find((key) => key.tenant === tenant && key.consumer === consumer);
      return found?.key ?? `(the key of ${tenant}/${consumer}: no longer in first-keys.json)`;
    });
}
