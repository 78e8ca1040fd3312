/** One route of the admin API, as data: the server, the OpenAPI document and the tests read the same table. */
import type { AdminScope } from '../model/admin-scope.ts';
import type { JsonSchema } from '../model/request-body.ts';
import type { AuditActor } from '../pipeline/audit.ts';
import type { AdminActions } from './actions.ts';
import type { AdminProblemCode } from './problems.ts';

export interface AdminRoute {
  /** Its name: `operationId` of the OpenAPI document. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Under `/v1/`; `{name}` stands for one segment. */
  readonly path: string;
  /** What a token must be allowed. `anyone`: no credential is looked at. A route without a rule does not compile. */
  readonly scope: AdminScope | 'anyone';
  readonly summary: string;
  /** Schema of each parameter of the path. */
  readonly parameters?: Readonly<Record<string, ParameterSchema>>;
  /** Parameters that may stand behind the `?`; others are refused. */
  readonly query?: Readonly<Record<string, ParameterSchema>>;
  /** What the body must be; a route without takes none. */
  readonly body?: JsonSchema;
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  /** Refusals beside those that every route knows. */
  readonly problems?: readonly AdminProblemCode[];
  /** The operation that reads what this one changes, with the same path: its ETag is what `If-Match` is held against. */
  readonly changes?: string;
  readonly answer: (call: AdminCall, actions: AdminActions) => AdminAnswer | Promise<AdminAnswer>;
}

export interface AnswerDescription {
  readonly description: string;
  /** Of JSON; or the type of a text. */
  readonly content: { readonly schema: JsonSchema } | { readonly text: string } | 'none';
}

export type ParameterSchema = {
  /** Of a query; a path has all of its parameters. */ readonly required?: true;
} & (
  | {
      readonly type: 'string';
      readonly description: string;
      readonly pattern?: string;
      readonly maxLength?: number;
      readonly enum?: readonly string[];
      /** May be there several times; the value is a list of texts then. Of queries only. */
      readonly many?: true;
    }
  | {
      readonly type: 'integer';
      readonly description: string;
      readonly minimum: number;
      readonly maximum: number;
      readonly default?: number;
    }
);

export type ParameterValues = Readonly<Record<string, string | number | readonly string[]>>;

/** A request that was admitted: the token may do this, and everything is as the route describes it. */
export interface AdminCall {
  readonly actor: AuditActor;
  readonly parameters: ParameterValues;
  readonly query: ParameterValues;
  /** The `Accept` field; '' without one. */
  readonly accept: string;
  readonly body: unknown;
  /** Aborted when the caller went away before the answer: long reading need not go on. */
  readonly gone: AbortSignal;
}

export type AdminAnswer =
  | {
      readonly status: number;
      readonly body: object;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly status: number; readonly text: string; readonly contentType: string }
  | { readonly status: 204 }
  | AdminRefusal;

export interface AdminRefusal {
  readonly problem: AdminProblemCode;
  /** One or two sentences; without them those of the table. */
  readonly detail?: string;
  /** Where in the request. */
  readonly errors?: readonly PlacedFault[];
}

export interface PlacedFault {
  /** JSON pointer into the body, or the name of a parameter. */
  readonly place: string;
  readonly why: string;
}

export function isRefusal(answer: AdminAnswer): answer is AdminRefusal {
  return 'problem' in answer;
}
