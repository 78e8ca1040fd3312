import type { RequestContext } from '../../pipeline/context.ts';
import { bodyMask, maskedText } from './text.ts';

/** Which values of a key are of the body, by the space of the key (see `AlertSpec.keys`). */
export interface KeyOfBody {
  readonly each: readonly number[];
  readonly otherwise: readonly number[];
}

/** A key as people may see it: values of the body as its masks leave them. Null: as it is. */
export function shownKey(
  context: RequestContext,
  [space, ...values]: readonly unknown[],
  ofBody: KeyOfBody,
): readonly unknown[] | null {
  const mask = bodyMask(context);
  if (mask === null || (space !== 'each' && space !== 'otherwise')) return null;
  const shown = values.map((value, at) =>
    ofBody[space].includes(at) ? maskedText(mask, String(value)) : value,
  );
  return shown.every((value, at) => String(value) === String(values[at])) ? null : [space, ...shown];
}
