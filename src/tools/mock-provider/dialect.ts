/** What the mock provider needs of a dialect. */
import type { IncomingHttpHeaders } from 'node:http';
import type { LimitName, LimitState } from './accounts.ts';
import type { JsonObject, MockCall } from './call.ts';

export interface Dialect {
  readonly keyOf: (headers: IncomingHttpHeaders) => string;
  /** Whether tokens that were asked for and not used come back to the limits. */
  readonly settles: boolean;
  /** Null: there is nothing at that path. `id` is new for each call. */
  readonly answer: (path: string, call: MockCall, id: string) => MockAnswer | null;
  readonly limitFields: (states: readonly LimitState[], wallMs: number) => Record<string, string>;
  readonly errorBody: (error: MockError) => { readonly status: number; readonly body: JsonObject };
}

export type MockAnswer =
  | { readonly kind: 'json'; readonly body: JsonObject }
  /** Sound, or text that is no JSON. */
  | { readonly kind: 'bytes'; readonly contentType: string; readonly bytes: Uint8Array }
  /** Each one whole, with the blank line that ends it. */
  | { readonly kind: 'events'; readonly events: readonly string[] };

export type MockError =
  | {
      readonly kind: 'limit';
      readonly limit: LimitName;
      readonly amount: number;
      readonly waitMs: number;
      readonly model: string;
      readonly account: string;
    }
  | { readonly kind: 'credit' }
  | { readonly kind: 'key' }
  | { readonly kind: 'model'; readonly model: string }
  | { readonly kind: 'path' }
  | { readonly kind: 'body'; readonly why: string }
  | { readonly kind: 'fault'; readonly status: number };
