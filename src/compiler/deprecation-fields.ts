import type { DeprecateRule, TextTemplate } from '../language/typed.ts';
import { localClock } from '../model/local-time.ts';

/** A field of the answer; `add-header` leaves the values that the service sends. */
export interface DeprecationField {
  readonly kind: 'set-header' | 'add-header';
  readonly header: string;
  readonly value: TextTemplate;
}

/**
 * `Deprecation` (RFC 9745: the instant, in seconds), `Sunset` (RFC 8594: an HTTP-date) and `Link` to the successor (RFC 8288,
 * with the relation of RFC 5829). The deprecation begins with the first second of its day, the sunset is the last of its own.
 */
export function deprecationFields({
  fromDay,
  sunsetDay,
  zone,
  successor,
}: DeprecateRule): DeprecationField[] {
  const clock = localClock(zone);
  const sunsetMs = clock.startOfDayMs(sunsetDay + 1) - 1_000;
  const set = (header: string, text: string) =>
    ({ kind: 'set-header', header, value: { parts: [text] } }) as const;
  return [
    set('deprecation', `@${clock.startOfDayMs(fromDay) / 1_000}`),
    set('sunset', new Date(sunsetMs).toUTCString()),
    ...(successor === null ? [] : [linkTo(successor.url)]),
  ];
}

function linkTo(url: TextTemplate): DeprecationField {
  const parts = ['<', ...url.parts, '>; rel="successor-version"'];
  return { kind: 'add-header', header: 'link', value: { parts } };
}
