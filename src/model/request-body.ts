import type { ValueType } from './types.ts';

/** What a route says of its request bodies: a JSON Schema (2020-12), and what rules may read of a body that fits it. */
export interface RequestBodySchema {
  /** Path of the file, from the project folder. */
  readonly file: string;
  /** Checked; its references lead nowhere but into itself. */
  readonly schema: JsonSchema;
  /** By path below `request.body`, as rules write it: `order.amount`, `items[].price`, `["order-id"]`. */
  readonly members: Readonly<Record<string, BodyMember>>;
}

export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

export interface BodyMember {
  /** A scalar, or a list of scalars or of objects. */
  readonly type: ValueType;
  /** `always`: a body that fits the schema – an element, below a list – may lack it, or have null there. */
  readonly absence: 'never' | 'always';
  /** Left out where the schema says nothing of the kind. */
  readonly bounds?: ValueBounds;
}

/** What a schema allows of a number or text; null, or nothing, where it does not say. */
export interface ValueBounds {
  readonly least: number | null;
  readonly most: number | null;
  /** Exclusive bounds. */
  readonly above: number | null;
  readonly below: number | null;
  readonly whole: boolean;
  readonly multipleOf: readonly number[];
  /** Characters (code points). */
  readonly lengthMin: number | null;
  readonly lengthMax: number | null;
  /** Regular expressions, all of which match somewhere. */
  readonly patterns: readonly string[];
}

/** Where and why a value does not fit a schema. */
export interface SchemaFault {
  /** JSON Pointer (RFC 6901) of the value; '' for the whole. */
  readonly pointer: string;
  /** Follows the pointer: `is not a number`. */
  readonly why: string;
}

/** Null when the value fits. */
export type CheckSchema = (value: unknown) => SchemaFault | null;
