/** Reads a request body once: strictly scanned, checked against its schema, and the members that rules read taken out. */
import type { JsonDocument, JsonNode } from '../../base/json/document.ts';
import type { JsonFault } from '../../base/json/faults.ts';
import { scanJson } from '../../base/json/scan.ts';
import { parseDate } from '../../model/literals.ts';
import type { RequestBodySchema, SchemaFault } from '../../model/request-body.ts';
import type { ScalarValue, Value, ValueType } from '../../model/types.ts';
import type { BodyFault } from '../../pipeline/body-transform.ts';
import type { BodyValue } from '../../pipeline/context.ts';
import type { BodyChecks, BodyMemberRead, BodyProgram, RoutePipeline } from '../../pipeline/program.ts';

/** The reader of one route. Its schema is compiled now. */
export function bodyReader(
  { members }: BodyProgram,
  { schema }: RequestBodySchema,
  { compileSchema, limits }: BodyChecks,
): NonNullable<RoutePipeline['readBody']> {
  const check = compileSchema(schema, limits.regexInstructions);
  const bounds = {
    depthMax: limits.requestJsonDepth,
    nodesMax: limits.requestJsonValues,
    membersMax: limits.requestJsonValues,
    numberBytesMax: NUMBER_BYTES_MAX,
  };
  return (context, text) => {
    const scanned = scanJson(text, { ...bounds, bytesMax: text.length, stringBytesMax: text.length });
    if (!scanned.ok) return malformed(scanned.error);
    const document = scanned.value;
    const wrong = check(JSON.parse(UTF_8.decode(text)));
    if (wrong !== null) return unfit(wrong);
    const values: BodyValue[] = [];
    for (const member of members) {
      const read = readMember(document, document.root, member, 0);
      if (isFault(read)) return read;
      values.push(read);
    }
    context.body = values;
    return null;
  };
}

/** A member of the object at `from`, at the depth of lists `level`: from each list on one value for each element. */
function readMember(
  document: JsonDocument,
  from: JsonNode,
  member: BodyMemberRead,
  level: number,
): BodyValue | BodyFault {
  const found = findMember(document, from, member.paths[level]!, member.deciding);
  if (typeof found === 'object') return found;
  if (found === MISSING) return undefined;
  if (level === member.paths.length - 1) return readValue(document, found, member.type) ?? unreadable(member);
  if (document.typeOf(found) !== 'array') return unreadable(member);
  const values: BodyValue[] = [];
  for (let element = document.first(found); element !== undefined; element = document.next(element)) {
    const value = readMember(document, element, member, level + 1);
    if (isFault(value)) return value;
    values.push(value);
  }
  return values;
}

/** What a rule decides by is refused; what only alerts, and rules in warn and shadow, ask about is missing in them. */
function unreadable(member: BodyMemberRead): BodyFault | undefined {
  return member.deciding ? otherType(member) : undefined;
}

function isFault(read: BodyValue | BodyFault): read is BodyFault {
  return typeof read === 'object' && 'status' in read;
}

const UTF_8 = new TextDecoder('utf-8', { ignoreBOM: true });
/** Digits, point, exponent: far beyond what any 64-bit float needs. */
export const NUMBER_BYTES_MAX = 400;
const MISSING = -1;

/** The value, {@link MISSING} where there is none or null, or why the names on the way to it are refused. */
function findMember(
  document: JsonDocument,
  from: JsonNode,
  path: readonly string[],
  deciding: boolean,
): JsonNode | typeof MISSING | BodyFault {
  let node = from;
  for (const name of path) {
    if (document.typeOf(node) !== 'object') return MISSING;
    const next = memberOf(document, node, name, deciding);
    if (typeof next !== 'number') return next;
    if (next === MISSING) return MISSING;
    node = next;
  }
  return document.typeOf(node) === 'null' ? MISSING : node;
}

/** The member of this name; for a rule that decides no other may be there that some readers take for it. */
function memberOf(
  document: JsonDocument,
  object: JsonNode,
  name: string,
  deciding: boolean,
): JsonNode | typeof MISSING | BodyFault {
  let found: JsonNode | typeof MISSING = MISSING;
  for (let each = document.first(object); each !== undefined; each = document.next(each)) {
    const compared = document.compareName(each, name);
    if (compared === 'differs') continue;
    const other = compared === 'same' ? name : document.text(each);
    if (other === name) found = document.valueOf(each);
    else if (deciding && isLookAlike(other, name)) return ambiguous(name, other);
  }
  return found;
}

/** Some readers, as Go's, don't tell capitals from small letters. */
function isLookAlike(other: string, name: string): boolean {
  return other.length === name.length && fold(other) === fold(name);
}

/** Also the long s and the Kelvin sign, which `toLowerCase` alone leaves apart from s and k. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** Null when it is of another type, or a number that is no value of the language. */
function readValue(document: JsonDocument, node: JsonNode, type: ValueType): Value | null {
  if (type.kind !== 'list') return readScalar(document, node, type);
  if (document.typeOf(node) !== 'array') return null;
  const items: ScalarValue[] = [];
  for (let item = document.first(node); item !== undefined; item = document.next(item)) {
    const value = readScalar(document, item, type.of);
    if (value === null) return null;
    items.push(value);
  }
  return items;
}

function readScalar(document: JsonDocument, node: JsonNode, type: ValueType): ScalarValue | null {
  const found = document.typeOf(node);
  switch (type.kind) {
    case 'number':
      return found === 'number' ? inRange(document.number(node)) : null;
    case 'object':
      return found === 'object' ? true : null;
    case 'boolean':
      return found === 'boolean' ? document.boolean(node) : null;
    case 'date': {
      const day = found === 'string' ? parseDate(document.text(node)) : null;
      return day?.ok === true ? day.value : null;
    }
    default:
      return found === 'string' ? document.text(node) : null;
  }
}

function inRange(value: number): number | null {
  return Math.abs(value) <= NUMBER_MAX ? value : null;
}

/** The numbers of the language (`model/types`). */
const NUMBER_MAX = 2 ** 53;

function malformed({ code, offset, why }: JsonFault): BodyFault {
  if (code === 'integer_range' || code === 'number_range')
    return { status: 422, code: 'invalid_body', detail: `At byte ${offset} of the body: ${why}.` };
  return { status: 400, code: 'malformed_body', detail: `At byte ${offset} of the body: ${why}.` };
}

function unfit({ pointer, why }: SchemaFault): BodyFault {
  const place = pointer === '' ? 'The body' : `${clip(pointer)} in the body`;
  return { status: 422, code: 'invalid_body', detail: `${place} ${clip(why)}.` };
}

function ambiguous(name: string, other: string): BodyFault {
  const detail = `The body has a member ${clip(other)}, which some read as ${name}: a rule reads that.`;
  return { status: 400, code: 'ambiguous_body', detail };
}

function otherType({ paths }: BodyMemberRead): BodyFault {
  const pointer = `/${paths.map((path) => path.join('/')).join('/*/')}`;
  return unfit({ pointer, why: 'has another type than the schema says' });
}

/** Parts of it are the client's own words. */
function clip(text: string): string {
  return text.length > CHARACTERS_SHOWN_MAX ? `${text.slice(0, CHARACTERS_SHOWN_MAX)}…` : text;
}
const CHARACTERS_SHOWN_MAX = 200;
