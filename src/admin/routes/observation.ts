import { ok, type Result } from '../../base/result.ts';
import type { HistoryProblem } from '../../pipeline/history.ts';
import {
  type AmountFilter,
  comparisonOf,
  LOG_AMOUNTS,
  LOG_TEXT_FIELDS,
  type LogQuery,
  type LogTextField,
  statusFilter,
} from '../../pipeline/log-query.ts';
import type { AccessRecord } from '../../pipeline/record.ts';
import {
  USAGE_DIMENSIONS,
  USAGE_GRANULARITIES,
  USAGE_STATISTICS,
  USAGE_SUMS,
  type UsageDimension,
  type UsageGranularity,
  type UsageQuery,
  type UsageReport,
  type UsageTooLarge,
} from '../../pipeline/usage.ts';
import type { AdminActions, ServiceStatus } from '../actions.ts';
import type { AdminAnswer, AdminCall, AdminRoute, ParameterSchema, ParameterValues } from '../route.ts';
import { list, NUMBER, object, orNull, TEXT, TIME_MS, WHOLE } from '../schemas.ts';
import { SERVICES } from '../status-schema.ts';

/** What can be asked of what was observed. */
export interface ObservationActions {
  metrics(accept: string): Promise<{ readonly contentType: string; readonly text: string }>;
  /** `cursor`: `next` of the page before, or null. Once `gone` says so nobody waits for it, and it rejects. */
  searchLog(
    query: LogQuery,
    recordsMax: number,
    cursor: string | null,
    gone: AbortSignal,
  ): Promise<Result<LogPageBody, HistoryProblem>>;
  /** Of accounts, and so of costs. */
  currency(): string;
  usage(query: UsageQuery, gone: AbortSignal): Promise<Result<UsageReport, UsageTooLarge | HistoryProblem>>;
  live(): LiveStatus;
}

/** The answer of `GET /v1/log`. */
export interface LogPageBody {
  /** Newest first. */
  readonly records: readonly AccessRecord[];
  /** Null when everything has been looked at; otherwise there may be more. */
  readonly next: string | null;
}

/** The answer of `GET /v1/live`: what `portunus top` shows. Counts are since the start: who asks twice knows rates. */
export interface LiveStatus {
  readonly atMs: number;
  readonly requests: number;
  readonly byStatusClass: Readonly<Record<string, number>>;
  /** Latencies: how many requests took at most so many microseconds, and more than the entry before says. */
  readonly latency: readonly (readonly [usMax: number, count: number])[];
  readonly refusalsByRule: readonly { readonly name: string; readonly count: number }[];
  /** Those nearest to their end, of {@link limits} in all. */
  readonly nearestLimits: readonly LiveLimit[];
  readonly limits: number;
  readonly services: readonly ServiceStatus[];
  readonly threads: readonly LiveThread[];
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  readonly recordsLost: number;
  readonly alerts: readonly { readonly severity: string; readonly message: string }[];
}

export interface LiveLimit {
  readonly label: string;
  /** 0 … 1, of the counter nearest to its end. */
  readonly usedShare: number;
  readonly exhaustedKeys: number;
  readonly keys: number;
}

export interface LiveThread {
  readonly name: string;
  readonly activeRequests: number;
  readonly connections: number;
  readonly heapUsedBytes: number;
  readonly loopDelayP99Seconds: number;
  readonly loopActiveSeconds: number;
  readonly loopIdleSeconds: number;
}

const RECORD = object({
  version: { const: 3 },
  timeMs: NUMBER,
  ...Object.fromEntries(
    [
      'requestId',
      'traceId',
      'parentSpanId',
      'tenant',
      'team',
      'consumer',
      'credential',
      'person',
      'method',
      'path',
      'route',
      'routeVersion',
      'configurationHash',
      'code',
      'fault',
      'decidingRule',
      'model',
      'target',
      'providerKey',
      'tokensFrom',
      'cache',
    ].map((name) => [name, TEXT]),
  ),
  status: { type: 'integer' },
  ...Object.fromEntries(
    ['alsoDenied', 'shadowDenied', 'warnedRules', 'waivedRules'].map((name) => [name, list(TEXT)]),
  ),
  ...Object.fromEntries(
    [
      'inputTokens',
      'outputTokens',
      'cachedTokens',
      'reasoningTokens',
      'costNano',
      'requestBytes',
      'responseBytes',
      'decidedUs',
      'dispatchedUs',
      'firstByteUs',
      'finishedUs',
    ].map((name) => [name, NUMBER]),
  ),
  attempts: { type: 'integer' },
  clientAborted: { type: 'boolean' },
  traceSampled: { type: 'boolean' },
});

const USAGE_ROW = object({
  name: TEXT,
  ...Object.fromEntries([...USAGE_SUMS, ...USAGE_STATISTICS].map((name) => [name, NUMBER])),
  series: list(WHOLE),
});

const TIME: Omit<Extract<ParameterSchema, { type: 'integer' }>, 'description'> = {
  type: 'integer',
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
};

const TEXT_PARAMETERS = Object.fromEntries(
  Object.entries(LOG_TEXT_FIELDS).map(([name, { what }]): [string, ParameterSchema] => [
    name,
    {
      type: 'string',
      description: `Only requests with this: ${what}. With * at the end, a beginning.`,
      many: true,
    },
  ]),
);

const AMOUNTS_TOLD = Object.entries(LOG_AMOUNTS)
  .map(([name, { what, unit }]) => `${name} (${what}; ${unit})`)
  .join(', ');

export const OBSERVATION_ROUTES: readonly AdminRoute[] = [
  {
    operation: 'metrics',
    method: 'GET',
    path: '/metrics',
    scope: 'metrics',
    summary: 'Metrics in the text format of Prometheus, or of OpenMetrics where Accept asks for it.',
    answers: { 200: { description: 'Metrics: see docs/metrics.md.', content: { text: 'text/plain' } } },
    answer: async ({ accept }, { observation }) => ({ status: 200, ...(await observation.metrics(accept)) }),
  },
  {
    operation: 'searchLog',
    method: 'GET',
    path: '/v1/log',
    scope: 'log',
    summary: 'The request log, newest first. Several values of a parameter are alternatives.',
    query: {
      ...TEXT_PARAMETERS,
      status: {
        type: 'string',
        description: 'Only answers with this status, or of this class: 429, 5xx.',
        pattern: '^(?:[1-5]xx|[0-9]{3})$',
        many: true,
      },
      since: {
        ...TIME,
        description: 'Only requests that arrived then or later, in milliseconds since 1970.',
      },
      until: { ...TIME, description: 'Only requests that arrived before, in milliseconds since 1970.' },
      'longer-than': { ...TIME, description: 'Only requests that took longer, in microseconds.' },
      where: {
        type: 'string',
        description: `Only requests of which this holds, as in "took > 200ms"; all of several have to. Amounts: ${AMOUNTS_TOLD}.`,
        many: true,
      },
      aborted: {
        type: 'string',
        description: 'yes: only requests whose client went away; no: only others.',
        enum: ['yes', 'no'],
      },
      limit: {
        type: 'integer',
        description: 'How many records at most.',
        minimum: 1,
        maximum: 1_000,
        default: 100,
      },
      cursor: {
        type: 'string',
        description: '`next` of the page before: the search goes on there.',
        pattern: '^[0-9]{1,16}\\.[0-9]{1,16}\\.[0-9]{1,16}$',
      },
    },
    answers: {
      200: {
        description:
          'Records that fit. Where `next` is not null there may be more, also if there are none here.',
        content: { schema: object({ records: list(RECORD), next: orNull(TEXT) }) },
      },
    },
    problems: ['history_unreadable'],
    answer: logAnswer,
  },
  {
    operation: 'usage',
    method: 'GET',
    path: '/v1/usage',
    scope: 'read',
    summary: 'Requests, errors, latency, bytes and amounts, added up over a time.',
    query: {
      by: {
        type: 'string',
        description: 'What to add up by; route where nothing is said.',
        enum: USAGE_DIMENSIONS,
      },
      granularity: {
        type: 'string',
        description: 'Periods of the series; hour where nothing is said.',
        enum: USAGE_GRANULARITIES,
      },
      from: {
        ...TIME,
        description: 'Periods that begin then or later, in milliseconds since 1970.',
        default: 0,
      },
      to: {
        ...TIME,
        description: 'Periods that begin before, in milliseconds since 1970.',
        default: Number.MAX_SAFE_INTEGER,
      },
      name: { type: 'string', description: 'Only this name. With * at the end, a beginning.' },
      limit: {
        type: 'integer',
        description: 'How many names at most.',
        minimum: 1,
        maximum: 10_000,
        default: 100,
      },
    },
    answers: {
      200: {
        description: 'Names with most requests first.',
        content: {
          schema: object({
            by: { enum: USAGE_DIMENSIONS },
            granularity: { enum: USAGE_GRANULARITIES },
            fromMs: NUMBER,
            toMs: NUMBER,
            periods: list(NUMBER),
            rows: list(USAGE_ROW),
            rowsLeftOut: WHOLE,
            total: USAGE_ROW,
          }),
        },
      },
    },
    problems: ['usage_too_large', 'history_unreadable'],
    answer: usageAnswer,
  },
  {
    operation: 'live',
    method: 'GET',
    path: '/v1/live',
    scope: 'read',
    summary: 'What the gateway does at this moment: the figures of "portunus top".',
    answers: {
      200: {
        description: 'Counts since the start, and states.',
        content: {
          schema: object({
            atMs: TIME_MS,
            requests: WHOLE,
            byStatusClass: { type: 'object', additionalProperties: WHOLE },
            latency: list({ type: 'array', items: WHOLE, minItems: 2, maxItems: 2 }),
            refusalsByRule: list(object({ name: TEXT, count: WHOLE })),
            nearestLimits: list(
              object({ label: TEXT, usedShare: NUMBER, exhaustedKeys: WHOLE, keys: WHOLE }),
            ),
            limits: WHOLE,
            services: SERVICES,
            threads: list(
              object({
                name: TEXT,
                activeRequests: WHOLE,
                connections: WHOLE,
                heapUsedBytes: NUMBER,
                loopDelayP99Seconds: NUMBER,
                loopActiveSeconds: NUMBER,
                loopIdleSeconds: NUMBER,
              }),
            ),
            residentBytes: WHOLE,
            cpuSeconds: NUMBER,
            recordsLost: WHOLE,
            alerts: list(object({ severity: TEXT, message: TEXT })),
          }),
        },
      },
    },
    answer: (_call, { observation }) => ({ status: 200, body: observation.live() }),
  },
];

async function logAnswer({ query, gone }: AdminCall, { observation }: AdminActions): Promise<AdminAnswer> {
  const cursor = query.cursor === undefined ? null : String(query.cursor);
  const asked = logQuery(query, observation.currency());
  if (!asked.ok)
    return {
      problem: 'parameter_invalid',
      errors: [{ place: 'where', why: `is wrong: ${asked.error.replace(/\.$/, '')}` }],
    };
  const page = await observation.searchLog(asked.value, Number(query.limit), cursor, gone);
  return page.ok ? { status: 200, body: page.value } : away(page.error);
}

async function usageAnswer({ query, gone }: AdminCall, { observation }: AdminActions): Promise<AdminAnswer> {
  const report = await observation.usage(usageQuery(query), gone);
  if (report.ok) return { status: 200, body: report.value };
  if (!('limit' in report.error)) return away(report.error);
  const { limit, max } = report.error;
  return { problem: 'usage_too_large', detail: TOO_LARGE[limit](max.toLocaleString('en')) };
}

function away({ message, remedy }: HistoryProblem): AdminAnswer {
  return { problem: 'history_unreadable', detail: `${message} ${remedy}` };
}

const TOO_LARGE: Readonly<Record<UsageTooLarge['limit'], (max: string) => string>> = {
  usageSums: (max) =>
    `It would need more than ${max} sums (limits.usageSums), one for each name in each period: ask for a shorter time or longer periods.`,
  usageNames: (max) =>
    `It would add up more than ${max} names (limits.usageNames): ask for a shorter time, or for some of them with "name".`,
};

/** The error is a sentence about `where`. */
function logQuery(query: ParameterValues, currency: string): Result<LogQuery, string> {
  const fields = Object.keys(LOG_TEXT_FIELDS) as LogTextField[];
  const amounts: AmountFilter[] = [];
  const longerThanUs = numberOf(query['longer-than']);
  if (longerThanUs !== null) amounts.push({ field: 'took', operator: '>', amount: longerThanUs });
  for (const text of (query.where ?? []) as readonly string[]) {
    const comparison = comparisonOf(text, currency);
    if (!comparison.ok) return comparison;
    amounts.push(comparison.value);
  }
  return ok({
    texts: fields
      .filter((field) => query[field] !== undefined)
      .map((field) => ({ field, values: query[field] as readonly string[] })),
    statuses: ((query.status ?? []) as readonly string[]).map((text) => statusFilter(text)!),
    sinceMs: numberOf(query.since),
    untilMs: numberOf(query.until),
    amounts,
    aborted: query.aborted === undefined ? null : query.aborted === 'yes',
  });
}

function usageQuery(query: ParameterValues): UsageQuery {
  return {
    by: (query.by ?? 'route') as UsageDimension,
    granularity: (query.granularity ?? 'hour') as UsageGranularity,
    fromMs: Number(query.from),
    toMs: Number(query.to),
    name: String(query.name ?? ''),
    rowsMax: Number(query.limit),
  };
}

function numberOf(value: ParameterValues[string] | undefined): number | null {
  return value === undefined ? null : Number(value);
}
