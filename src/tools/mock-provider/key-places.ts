/** Where callers show their keys: each provider looks at one place, whatever the SDKs of its dialect do. */
import type { IncomingHttpHeaders } from 'node:http';

export interface KeyPlace {
  /** Lower-case name of the field. */
  readonly header: string;
  /** What stands before the key. */
  readonly prefix: string;
}

interface KeyOwner {
  readonly keys: readonly string[];
  /** Absent: where the SDKs show them. */
  readonly keysAt?: KeyPlace;
}

export class KeyPlaces {
  readonly #byPlace = new Map<string, { readonly place: KeyPlace; readonly keys: Set<string> }>();

  constructor(owners: readonly KeyOwner[]) {
    for (const { keys, keysAt } of owners) {
      if (keysAt === undefined) continue;
      const name = `${keysAt.header} ${keysAt.prefix}`;
      const known = this.#byPlace.get(name) ?? { place: keysAt, keys: new Set<string>() };
      for (const key of keys) known.keys.add(key);
      this.#byPlace.set(name, known);
    }
  }

  /** The key that is shown where it belongs, or else `usual`, what the SDKs show; empty where that belongs elsewhere. */
  shownIn(headers: IncomingHttpHeaders, usual: string): string {
    for (const { place, keys } of this.#byPlace.values()) {
      const key = keyShownAt(place, headers);
      if (key !== null && keys.has(key)) return key;
    }
    for (const { keys } of this.#byPlace.values()) if (keys.has(usual)) return '';
    return usual;
  }
}

/** Fields that some provider takes keys in: one that it does not look at tells it of keys that are none of its business. */
const KEY_FIELDS = ['authorization', 'x-api-key', 'api-key'];

/** Null: no key is shown there, or others are shown elsewhere. */
function keyShownAt({ header, prefix }: KeyPlace, headers: IncomingHttpHeaders): string | null {
  const text = headers[header];
  if (typeof text !== 'string' || !text.startsWith(prefix)) return null;
  const isAlone = KEY_FIELDS.every((name) => name === header || headers[name] === undefined);
  return isAlone ? text.slice(prefix.length) : null;
}
