import type { AccessRecord } from '../pipeline/record.ts';
import type { CallerNames, DecisionNames, RouteNames } from './record-names.ts';

/**
 * One access record as a line of newline-delimited JSON, in pino's shape (`level`, `time`, `msg`). Names are those of
 * the OpenTelemetry HTTP and GenAI semantic conventions as far as they have one; the others begin with `portunus.`.
 * Fields that the request does not have are left out.
 *
 * This is the plain way, and the reference of `AccessLineWriter`, which writes nearly all lines.
 */
export function accessLine(record: AccessRecord): string {
  let line =
    `${LINE_START}${json(record.timeMs)}${routeFields(record)}${callerFields(record)}${decisionFields(record)}` +
    `${PATH}${JSON.stringify(record.path)}` +
    `${STATUS}${json(record.status)}` +
    `${REQUEST_BYTES}${json(record.requestBytes)}` +
    `${RESPONSE_BYTES}${json(record.responseBytes)}` +
    `${REQUEST_ID}${JSON.stringify(record.requestId)}` +
    `${ATTEMPTS}${json(record.attempts)}`;
  if (record.traceId !== '') line += `${TRACE_ID}${JSON.stringify(record.traceId)}`;
  if (record.decidedUs !== -1) line += `${DECIDED}${json(record.decidedUs)}`;
  if (record.dispatchedUs !== -1) line += `${DISPATCHED}${json(record.dispatchedUs)}`;
  if (record.firstByteUs !== -1) line += `${FIRST_BYTE}${json(record.firstByteUs)}`;
  line += `${FINISHED}${json(record.finishedUs)}`;
  return `${line + ruleFields(record) + usageFields(record) + endFields(record)}${LINE_END}`;
}

// What stands before each value, on its own so that both ways of writing a line share it.
export const LINE_START = '{"level":30,"time":';
export const PATH = ',"url.path":';
export const STATUS = ',"http.response.status_code":';
export const REQUEST_BYTES = ',"http.request.body.size":';
export const RESPONSE_BYTES = ',"http.response.body.size":';
export const REQUEST_ID = ',"portunus.request_id":';
export const ATTEMPTS = ',"portunus.attempts":';
export const TRACE_ID = ',"trace_id":';
export const DECIDED = ',"portunus.decided_us":';
export const DISPATCHED = ',"portunus.dispatched_us":';
export const FIRST_BYTE = ',"portunus.first_byte_us":';
export const FINISHED = ',"portunus.finished_us":';
export const INPUT_TOKENS = ',"gen_ai.usage.input_tokens":';
export const OUTPUT_TOKENS = ',"gen_ai.usage.output_tokens":';
export const CACHED_TOKENS = ',"gen_ai.usage.cache_read.input_tokens":';
export const REASONING_TOKENS = ',"portunus.reasoning_tokens":';
export const TOKENS_FROM = {
  provider: ',"portunus.tokens_from":"provider"',
  bound: ',"portunus.tokens_from":"bound"',
  counted: ',"portunus.tokens_from":"counted"',
} as const satisfies Record<Exclude<AccessRecord['tokensFrom'], ''>, string>;
export const COST = ',"portunus.cost_nano":';
export const LINE_END = '}\n';

/** The fields that are the same for all records with these names, behind the time. */
export function routeFields(names: RouteNames): string {
  return (
    `,"msg":"request"${field('http.route', names.route)}${field('portunus.route_version', names.routeVersion)}` +
    `,"portunus.configuration":${JSON.stringify(names.configurationHash)}`
  );
}

export function callerFields(names: CallerNames): string {
  return (
    field('portunus.tenant', names.tenant) +
    field('portunus.team', names.team) +
    field('portunus.consumer', names.consumer) +
    field('portunus.credential', names.credential) +
    field('portunus.person', names.person)
  );
}

export function decisionFields(names: DecisionNames): string {
  return (
    `,"http.request.method":${JSON.stringify(names.method)}` +
    field('error.type', names.code) +
    field('error.message', names.fault) +
    field('portunus.rule', names.decidingRule) +
    field('portunus.target', names.target) +
    field('portunus.provider_key', names.providerKey) +
    field('gen_ai.request.model', names.model)
  );
}

function field(name: string, text: string): string {
  return text === '' ? '' : `,"${name}":${JSON.stringify(text)}`;
}

/** Of few records: what other rules said. */
export function ruleFields(record: AccessRecord): string {
  let fields = '';
  if (record.alsoDenied.length > 0) fields += `,"portunus.also_denied":${JSON.stringify(record.alsoDenied)}`;
  if (record.shadowDenied.length > 0)
    fields += `,"portunus.shadow_denied":${JSON.stringify(record.shadowDenied)}`;
  if (record.warnedRules.length > 0) fields += `,"portunus.warned":${JSON.stringify(record.warnedRules)}`;
  if (record.waivedRules.length > 0) fields += `,"portunus.waived":${JSON.stringify(record.waivedRules)}`;
  return fields;
}

/** Of calls to models, and of what cost something. */
function usageFields(record: AccessRecord): string {
  let fields = '';
  if (record.inputTokens !== -1) fields += `${INPUT_TOKENS}${json(record.inputTokens)}`;
  if (record.outputTokens !== -1) fields += `${OUTPUT_TOKENS}${json(record.outputTokens)}`;
  if (record.cachedTokens !== -1) fields += `${CACHED_TOKENS}${json(record.cachedTokens)}`;
  if (record.reasoningTokens !== -1) fields += `${REASONING_TOKENS}${json(record.reasoningTokens)}`;
  if (record.tokensFrom !== '') fields += TOKENS_FROM[record.tokensFrom];
  if (record.costNano !== -1) fields += `${COST}${json(record.costNano)}`;
  return fields;
}

/** Of few records: what the cache did, who went away. */
export function endFields(record: AccessRecord): string {
  const cache = record.cache === '' ? '' : `,"portunus.cache":"${record.cache}"`;
  return record.clientAborted ? `${cache},"portunus.client_aborted":true` : cache;
}

/** JSON knows no NaN or Infinity; a damaged record may hold them, and the line has to stay readable. */
export function json(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}
