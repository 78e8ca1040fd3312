/** What a body is said to be by its `content-type`. Once: what is said twice is not said. */

/** JSON in UTF-8 (RFC 8259, 8.1 and 11; RFC 6839, 3.1). */
export function isJson(fields: readonly string[]): boolean {
  return isInUtf8(fields, 'application/json', JSON_TYPE);
}

/**
 * Text in UTF-8 that means what stands there: no markup (Markdown included), whose references and
 * escapes mean something else, no calendar or card, which fold their lines, and no JSON under another name.
 */
export function isPlainText(fields: readonly string[]): boolean {
  return isInUtf8(fields, 'text/plain', TEXT_TYPE);
}

/** WHATWG HTML, 9.2. */
export function isEventStream(fields: readonly string[]): boolean {
  return isInUtf8(fields, 'text/event-stream', EVENT_STREAM_TYPE);
}

/** Sound and pictures, and what says nothing of itself: no text is to be looked for in it. */
export function isMedia(fields: readonly string[]): boolean {
  const value = contentType(fields);
  return value !== null && MEDIA_TYPE.test(value);
}

/** Of a form whose parts stand between boundaries (RFC 7578, 4.1); null for all else, and where it is not said plainly. */
export function formBoundary(fields: readonly string[]): string | null {
  const [, quoted, token] = FORM_TYPE.exec(contentType(fields) ?? '') ?? [];
  return quoted ?? token ?? null;
}

/** Null where it is said twice, or not at all. */
function contentType(fields: readonly string[]): string | null {
  let value: string | null = null;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== 'content-type') continue;
    if (value !== null) return null;
    value = fields[index + 1]!;
  }
  return value;
}

/** `usual`: one of those wanted, as nearly all say it. */
function isInUtf8(fields: readonly string[], usual: string, wanted: RegExp): boolean {
  const value = contentType(fields);
  if (value === null) return false;
  if (value === usual) return true;
  const [type = '', ...parameters] = value.toLowerCase().split(';');
  return wanted.test(type.trim()) && parameters.every(isHarmless);
}

function isHarmless(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=', 2);
  return name.trim() !== 'charset' || UTF_8.test(value.trim());
}

const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.-]+\+json)$/;
const TEXT_TYPE = /^text\/(?:plain|csv|tab-separated-values)$/;
const EVENT_STREAM_TYPE = /^text\/event-stream$/;
const UTF_8 = /^"?utf-?8"?$/;
const MEDIA_TYPE = /^(?:audio|image|video)\/|^application\/octet-stream/i;
/** RFC 2046, 5.1.1: up to 70 characters, the last one no blank. Blanks are left out: what ends with one is read in two ways. */
const FORM_TYPE =
  /^multipart\/form-data[ \t]*;[ \t]*boundary=(?:"([0-9A-Za-z'()+_,./:=?-]{1,70})"|([0-9A-Za-z'+_.-]{1,70}))[ \t]*$/i;
