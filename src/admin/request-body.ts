import type { IncomingMessage } from 'node:http';
import { scanJson } from '../base/json/scan.ts';
import type { LimitValues } from '../base/limits.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { CheckSchema, JsonSchema } from '../model/request-body.ts';
import type { AdminRefusal } from './route.ts';

export type BodyLimits = Pick<LimitValues, 'adminBodyBytes' | 'requestJsonDepth' | 'requestJsonValues'>;

/** Makes the check of a schema; `config` has the one that knows how. */
export type CheckMaker = (schema: JsonSchema) => CheckSchema;

export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** The bytes of a body, or a refusal as soon as there are too many. */
export async function readBody(
  request: IncomingMessage,
  bytesMax: number,
): Promise<Result<Buffer, AdminRefusal>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) return err({ problem: 'body_too_large' });
    chunks.push(chunk);
  }
  return ok(Buffer.concat(chunks));
}

/** Whether the body is declared as what it has to be (RFC 8259; a charset says nothing there). */
export function isDeclaredJson({ headers }: IncomingMessage): boolean {
  return /^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}

/** The value of a body that fits the schema; members that are there twice are refused, as others would read the other one. */
export function parseBody(
  bytes: Buffer,
  { check, schema }: { readonly check: CheckSchema; readonly schema: JsonSchema },
  limits: BodyLimits,
): Result<unknown, AdminRefusal> {
  const scanned = scanJson(bytes, {
    bytesMax: limits.adminBodyBytes,
    depthMax: limits.requestJsonDepth,
    nodesMax: limits.requestJsonValues,
    membersMax: limits.requestJsonValues,
    stringBytesMax: limits.adminBodyBytes,
    numberBytesMax: limits.adminBodyBytes,
  });
  if (!scanned.ok) {
    const { why, offset } = scanned.error;
    return err({ problem: 'body_malformed', errors: [{ place: `byte ${offset}`, why }] });
  }
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  const fault = check(value);
  if (fault === null) return ok(value);
  if (holdsSecret(schema) && !namesOnlyKnown(value, schema))
    return err({ problem: 'body_invalid', errors: [{ place: '', why: 'has a member that is not known' }] });
  return err({ problem: 'body_invalid', errors: [{ place: fault.pointer, why: fault.why }] });
}

/** Of such a body nothing is repeated that its sender wrote: a secret may stand where it does not belong. */
function holdsSecret(schema: JsonSchema): boolean {
  return Object.values(propertiesOf(schema)).some(
    (property) => typeof property === 'object' && property.writeOnly === true,
  );
}

function namesOnlyKnown(value: unknown, schema: JsonSchema): boolean {
  const known = propertiesOf(schema);
  return (
    typeof value !== 'object' ||
    value === null ||
    Object.keys(value).every((name) => Object.hasOwn(known, name))
  );
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  if (typeof schema === 'boolean') return {};
  return (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
}
