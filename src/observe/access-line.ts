import type { AccessRecord } from '../pipeline/record.ts';
import type { TextForm } from './record-format.ts';

/**
 * One access record as a line of newline-delimited JSON, in pino's shape (`level`, `time`, `msg`). Names are those of
 * the OpenTelemetry HTTP and GenAI semantic conventions as far as they have one; the others begin with `portunus.`.
 * Fields that the request does not have are left out.
 *
 * Made by hand instead of by `logger.info(object)`: the line is most of what a record costs the control thread, and
 * plain texts (see `TextForm`) need no escaping. Side by side, from the ring to the buffer written: 2.1 µs against 3.9 µs.
 */
export function accessLine(record: AccessRecord, texts: TextForm): string {
  const quote = texts === 'plain' ? enclose : JSON.stringify;
  let line =
    `{"level":30,"time":${json(record.timeMs)},"msg":"request"` +
    `,"http.request.method":${quote(record.method)}` +
    `,"url.path":${quote(record.path)}` +
    `,"http.response.status_code":${json(record.status)}` +
    `,"http.request.body.size":${json(record.requestBytes)}` +
    `,"http.response.body.size":${json(record.responseBytes)}` +
    `,"portunus.request_id":${quote(record.requestId)}` +
    `,"portunus.configuration":${quote(record.configurationHash)}` +
    `,"portunus.finished_us":${json(record.finishedUs)}` +
    `,"portunus.attempts":${json(record.attempts)}`;
  if (record.route !== '') line += `,"http.route":${quote(record.route)}`;
  if (record.traceId !== '') line += `,"trace_id":${quote(record.traceId)}`;
  if (record.code !== '') line += `,"error.type":${quote(record.code)}`;
  if (record.routeVersion !== '') line += `,"portunus.route_version":${quote(record.routeVersion)}`;
  if (record.tenant !== '') line += `,"portunus.tenant":${quote(record.tenant)}`;
  if (record.team !== '') line += `,"portunus.team":${quote(record.team)}`;
  if (record.consumer !== '') line += `,"portunus.consumer":${quote(record.consumer)}`;
  if (record.credential !== '') line += `,"portunus.credential":${quote(record.credential)}`;
  if (record.person !== '') line += `,"portunus.person":${quote(record.person)}`;
  if (record.decidingRule !== '') line += `,"portunus.rule":${quote(record.decidingRule)}`;
  if (record.target !== '') line += `,"portunus.target":${quote(record.target)}`;
  if (record.decidedUs !== -1) line += `,"portunus.decided_us":${json(record.decidedUs)}`;
  if (record.dispatchedUs !== -1) line += `,"portunus.dispatched_us":${json(record.dispatchedUs)}`;
  if (record.firstByteUs !== -1) line += `,"portunus.first_byte_us":${json(record.firstByteUs)}`;
  return `${line + rareFields(record)}}\n`;
}

function rareFields(record: AccessRecord): string {
  let fields = '';
  if (record.alsoDenied.length > 0) fields += `,"portunus.also_denied":${JSON.stringify(record.alsoDenied)}`;
  if (record.shadowDenied.length > 0)
    fields += `,"portunus.shadow_denied":${JSON.stringify(record.shadowDenied)}`;
  if (record.warnedRules.length > 0) fields += `,"portunus.warned":${JSON.stringify(record.warnedRules)}`;
  if (record.waivedRules.length > 0) fields += `,"portunus.waived":${JSON.stringify(record.waivedRules)}`;
  if (record.providerKey !== '') fields += `,"portunus.provider_key":${JSON.stringify(record.providerKey)}`;
  if (record.model !== '') fields += `,"gen_ai.request.model":${JSON.stringify(record.model)}`;
  if (record.inputTokens !== -1) fields += `,"gen_ai.usage.input_tokens":${json(record.inputTokens)}`;
  if (record.outputTokens !== -1) fields += `,"gen_ai.usage.output_tokens":${json(record.outputTokens)}`;
  if (record.costNanoUsd !== -1) fields += `,"portunus.cost_nano_usd":${json(record.costNanoUsd)}`;
  if (record.clientAborted) fields += ',"portunus.client_aborted":true';
  return fields;
}

function enclose(text: string): string {
  return `"${text}"`;
}

/** JSON knows no NaN or Infinity; a damaged record may hold them, and the line has to stay readable. */
function json(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}
