import type { ErrorObject } from 'ajv/dist/2020.js';
import { type LiteralFault, type LiteralKeyword, literalFault } from './literals.ts';

/** The keywords that these schemas add to JSON Schema: each function makes the check of one place in a schema. */
export const KEYWORD_CHECKS = { literal: literalCheck, uniqueItems: uniqueItemsCheck } as const;

interface LiteralCheck {
  (value: unknown): boolean;
  errors?: { keyword: 'literal'; params: LiteralFault & Record<string, unknown>; message: string }[];
}

function literalCheck(keyword: LiteralKeyword): LiteralCheck {
  const check: LiteralCheck = (value) => {
    const fault = literalFault(keyword, value);
    check.errors =
      fault === null ? [] : [{ keyword: 'literal', params: { ...fault }, message: fault.message }];
    return fault === null;
  };
  return check;
}

interface UniqueItemsCheck {
  (items: readonly unknown[]): boolean;
  errors?: Partial<ErrorObject>[];
}

/**
 * JSON Schema's own keyword for lists of texts. ajv's compares each item with each other: 10,000 subscriptions took
 * four seconds.
 */
function uniqueItemsCheck(): UniqueItemsCheck {
  const check: UniqueItemsCheck = (items) => {
    const twice = firstTwice(items);
    check.errors = twice === null ? [] : [{ keyword: 'uniqueItems', params: { ...twice } }];
    return twice === null;
  };
  return check;
}

function firstTwice(items: readonly unknown[]): { readonly i: number; readonly j: number } | null {
  const places = new Map<unknown, number>();
  for (const [j, item] of items.entries()) {
    const i = places.get(item);
    if (i !== undefined) return { i, j };
    places.set(item, j);
  }
  return null;
}
