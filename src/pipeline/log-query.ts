import type { AccessRecord } from './record.ts';

/**
 * What a search of the request log asks for, by field of the record. A text must be equal; one that ends in `*` must begin so. Several
 * values of a field are alternatives. Every field named must fit.
 */
export interface LogQuery {
  readonly texts: readonly TextFilter[];
  readonly statuses: readonly StatusFilter[];
  /** Arrival, in Unix milliseconds; the end is exclusive. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** From arrival to the end. */
  readonly longerThanUs: number | null;
  readonly aborted: boolean | null;
}

export interface TextFilter {
  readonly field: LogTextField;
  readonly values: readonly string[];
}
export interface StatusFilter {
  readonly from: number;
  readonly to: number;
}

/** By the word that the command line and the admin API use. `rule` is any rule that spoke. */
export const LOG_TEXT_FIELDS = {
  request: { field: 'requestId', what: 'id of the request (x-request-id)' },
  trace: { field: 'traceId', what: 'id of the trace' },
  tenant: { field: 'tenant', what: 'tenant' },
  team: { field: 'team', what: 'team' },
  consumer: { field: 'consumer', what: 'consumer' },
  credential: { field: 'credential', what: 'name of the credential' },
  person: { field: 'person', what: 'person behind the credential' },
  method: { field: 'method', what: 'method' },
  path: { field: 'path', what: 'path' },
  route: { field: 'route', what: 'route' },
  'route-version': { field: 'routeVersion', what: 'version of the route' },
  configuration: { field: 'configurationHash', what: 'hash of the rules that decided' },
  code: { field: 'code', what: 'stable code with which the gateway answered' },
  fault: { field: 'fault', what: 'what was seen of a service that failed' },
  rule: { field: 'rules', what: 'rule that decided, warned, or would have refused: policy/rule' },
  model: { field: 'model', what: 'AI model' },
  target: { field: 'target', what: 'endpoint of the service' },
  'provider-key': { field: 'providerKey', what: 'key of the provider' },
} as const satisfies Readonly<
  Record<string, { readonly field: keyof AccessRecord | 'rules'; readonly what: string }>
>;

export type LogTextField = keyof typeof LOG_TEXT_FIELDS;

/** `429`, `5xx`; null for anything else. */
export function statusFilter(text: string): StatusFilter | null {
  if (/^[1-5]xx$/.test(text)) return { from: Number(text[0]) * 100, to: Number(text[0]) * 100 + 99 };
  return /^\d{3}$/.test(text) ? { from: Number(text), to: Number(text) } : null;
}
