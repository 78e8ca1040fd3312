/**
 * The types of the policy language, and how each value is held at run time.
 *
 * | type      | run-time value                                     |
 * |-----------|----------------------------------------------------|
 * | text, enum, reference, ip | string                             |
 * | number    | number, an integer or decimal within ± 2^53        |
 * | duration  | number of milliseconds                             |
 * | size      | number of bytes                                    |
 * | percent   | number, 15% is 15                                  |
 * | money     | number of nano-units of the accounting currency    |
 * | date      | number of days since 1970-01-01                    |
 * | time      | number of minutes since midnight                   |
 * | boolean   | boolean                                            |
 * | network   | string in CIDR notation                            |
 * | list      | array of the above                                 |
 */
export type ValueType =
  /** Money that is declared knows the accounting currency, in which it is shown. */
  | { readonly kind: ScalarKind; readonly currency?: string }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  /** A name that stands for something in the configuration. */
  | { readonly kind: 'reference'; readonly to: ReferenceKind }
  /** An element of a list in a request body, for its members; it has no value itself. */
  | { readonly kind: 'object' }
  | { readonly kind: 'list'; readonly of: ValueType };

export type ScalarKind =
  | 'text'
  | 'number'
  | 'boolean'
  | 'duration'
  | 'size'
  | 'percent'
  | 'money'
  | 'date'
  | 'time'
  | 'ip'
  | 'network';

export type ReferenceKind =
  | 'route'
  | 'service'
  | 'tenant'
  | 'team'
  | 'consumer'
  | 'credential'
  | 'plan'
  | 'role'
  | 'tag'
  | 'model';

export type ScalarValue = string | number | boolean;
export type Value = ScalarValue | readonly ScalarValue[];

export function isListOfObjects(type: ValueType): boolean {
  return type.kind === 'list' && type.of.kind === 'object';
}

/** An attribute that `portunus.yaml` declares for tenants, teams, consumers or routes. */
export interface AttributeType {
  readonly type: ValueType;
  readonly optional: boolean;
  /** `internal` values may be used in conditions but never shown to a caller (language-rules #32). */
  readonly label: 'caller' | 'internal';
}
