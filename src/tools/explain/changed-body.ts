import type { PlainRequest } from '../../compiler/interpret/facts.ts';
import { dateText } from '../../model/local-time.ts';
import type { ScalarValue, Value, ValueType } from '../../model/types.ts';

/** Names of members and, from 0, places in lists. */
export type BodySteps = readonly (string | number)[];

/**
 * The same request with one value of its body other than it was; undefined removes it. Null: there is nothing that could hold
 * it. Its size changes with it.
 */
export function changedBody(request: PlainRequest, steps: BodySteps, json: unknown): PlainRequest | null {
  const body = changedValue(request.body, steps, json);
  if (body === undefined) return null;
  const grown = byteLength(body) - byteLength(request.body);
  return {
    ...request,
    body,
    bodyBytes: request.bodyBytes === -1 ? -1 : Math.max(0, request.bodyBytes + grown),
  };
}

/** As JSON writes it. */
export function jsonOf(type: ValueType, value: Value | undefined): unknown {
  const written = (of: ValueType, each: ScalarValue): ScalarValue =>
    of.kind === 'date' ? dateText(Number(each)) : each;
  if (value === undefined) return undefined;
  if (type.kind === 'list') return (value as readonly ScalarValue[]).map((each) => written(type.of, each));
  return written(type, value as ScalarValue);
}

/** Undefined: the steps lead nowhere. Entries are copied, not assigned: a name may be `__proto__`. */
function changedValue(value: unknown, [step, ...rest]: BodySteps, json: unknown): unknown {
  if (step === undefined) return json;
  if (typeof step === 'number') {
    if (!Array.isArray(value) || step >= value.length) return undefined;
    const element = changedValue(value[step], rest, json);
    return element === undefined ? undefined : value.map((each, at) => (at === step ? element : each));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  const old = entries.find(([name]) => name === step);
  const member = changedValue(old?.[1], rest, json);
  if (member === undefined && rest.length > 0) return undefined;
  const others = (each: (typeof entries)[number]) => (each[0] === step ? [] : [each]);
  if (member === undefined) return Object.fromEntries(entries.flatMap(others));
  const changed = entries.map((each) => (each === old ? [step, member] : each));
  return Object.fromEntries(old === undefined ? [...entries, [step, member]] : changed);
}

function byteLength(body: unknown): number {
  return Buffer.byteLength(JSON.stringify(body));
}
