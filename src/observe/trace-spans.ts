import { type Attributes, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { AccessRecord } from '../pipeline/record.ts';

/**
 * The spans of one request, from its record: the gateway's own (SERVER), and, where it was sent on, that of the call to the service
 * (CLIENT). The service was told the id of the latter, which is the request's id, so its spans are children of it.
 */
export function spansOf(record: AccessRecord, resource: Resource, version: string): readonly ReadableSpan[] {
  const serverId = serverSpanId(record.requestId);
  const common = { record, resource, version };
  const server = span(common, {
    name: `${record.method} ${record.route}`.trim(),
    kind: SpanKind.SERVER,
    id: serverId,
    parentId: record.parentSpanId,
    fromUs: 0,
    attributes: serverAttributes(record),
    // A request that was refused is no failure of the server (OpenTelemetry, HTTP spans, "Status").
    failed: record.status >= 500,
  });
  if (record.dispatchedUs < 0) return [server];
  const client = span(common, {
    name: record.method,
    kind: SpanKind.CLIENT,
    id: record.requestId,
    parentId: serverId,
    fromUs: record.dispatchedUs,
    attributes: clientAttributes(record),
    failed: record.status >= 400,
  });
  return [server, client];
}

/** Another id than the request's, and the same for whoever makes it anew. */
function serverSpanId(requestId: string): string {
  const id = BigInt(`0x${requestId}`) ^ SERVER_MARK;
  return (id === 0n ? SERVER_MARK : id).toString(16).padStart(16, '0');
}
const SERVER_MARK = 0x9e37_79b9_7f4a_7c15n;

interface Common {
  readonly record: AccessRecord;
  readonly resource: Resource;
  readonly version: string;
}
interface Part {
  readonly name: string;
  readonly kind: SpanKind;
  readonly id: string;
  /** '' for none. */
  readonly parentId: string;
  readonly fromUs: number;
  readonly attributes: Attributes;
  readonly failed: boolean;
}

function span({ record, resource, version }: Common, part: Part): ReadableSpan {
  const context = (spanId: string) => ({ traceId: record.traceId, spanId, traceFlags: TraceFlags.SAMPLED });
  // Now: the record is filled anew before the span is sent.
  const own = context(part.id);
  const parent = part.parentId === '' ? {} : { parentSpanContext: context(part.parentId) };
  return {
    name: part.name,
    kind: part.kind,
    spanContext: () => own,
    ...parent,
    startTime: momentOf(record.timeMs, part.fromUs),
    endTime: momentOf(record.timeMs, record.finishedUs),
    duration: momentOf(0, record.finishedUs - part.fromUs),
    ended: true,
    status: { code: part.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: part.attributes,
    links: [],
    events: [],
    resource,
    instrumentationScope: { name: 'portunus', version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function momentOf(ms: number, us: number): HrTime {
  const wholeSeconds = Math.floor(ms / 1_000);
  const microseconds = Math.round((ms - wholeSeconds * 1_000) * 1_000 + Math.max(0, us));
  return [wholeSeconds + Math.floor(microseconds / 1e6), (microseconds % 1e6) * 1_000];
}

function serverAttributes(record: AccessRecord): Attributes {
  return withoutEmpty({
    'http.request.method': record.method,
    'url.path': record.path,
    'http.route': record.route,
    'http.response.status_code': record.status,
    'http.request.body.size': record.requestBytes,
    'http.response.body.size': record.responseBytes,
    'error.type': record.code,
    'portunus.request_id': record.requestId,
    'portunus.tenant': record.tenant,
    'portunus.consumer': record.consumer,
    'portunus.rule': record.decidingRule,
    'portunus.cache': record.cache,
    'portunus.decided_us': record.decidedUs,
  });
}

function clientAttributes(record: AccessRecord): Attributes {
  return withoutEmpty({
    'http.request.method': record.method,
    'http.response.status_code': record.status,
    'http.request.resend_count': Math.max(0, record.attempts - 1),
    'error.type': record.code,
    'portunus.first_byte_us': record.firstByteUs,
  });
}

function withoutEmpty(attributes: Readonly<Record<string, string | number>>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== '' && value !== -1));
}
