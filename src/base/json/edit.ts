/** Changes a JSON text where it must, and leaves every other byte as the client sent it. */

import { assert } from '../assert.ts';
import type { JsonDocument, JsonNode, JsonSpan } from './document.ts';

/** JSON text, as bytes or, where it is short, as text: so no buffer is made for it. Without half surrogate pairs. */
export type JsonText = Uint8Array | string;

export interface JsonEdit {
  /** What is replaced; where start and end are the same, the replacement is inserted there. */
  readonly span: JsonSpan;
  /** As of `JSON.stringify`; taken as it is. */
  readonly replacement: JsonText;
}

/**
 * The bytes with each span replaced. Edits may come in any order. Spans that overlap, or two that begin at one place (such
 * as two members inserted into one object), are a programmer's error: their result would not be JSON.
 */
export function editJson(bytes: Uint8Array, edits: readonly JsonEdit[]): Uint8Array {
  const ordered = edits.toSorted((one, other) => one.span.start - other.span.start);
  // Of a small text from the pool of buffers; every byte of it is written below.
  const edited = Buffer.allocUnsafe(editedLength(bytes, ordered));
  let read = 0;
  let written = 0;
  for (const { span, replacement } of ordered) {
    edited.set(bytes.subarray(read, span.start), written);
    written += span.start - read;
    if (typeof replacement === 'string') written += edited.write(replacement, written);
    else {
      edited.set(replacement, written);
      written += replacement.length;
    }
    read = span.end;
  }
  edited.set(bytes.subarray(read), written);
  return edited;
}

function editedLength(bytes: Uint8Array, ordered: readonly JsonEdit[]): number {
  let length = bytes.length;
  let before = -1;
  let end = 0;
  for (const { span, replacement } of ordered) {
    assert(span.start > before && span.start >= end, 'edits of a JSON text overlap');
    assert(span.end >= span.start && span.end <= bytes.length, 'an edit lies outside the JSON text');
    length += Buffer.byteLength(replacement) - (span.end - span.start);
    before = span.start;
    end = span.end;
  }
  return length;
}

/**
 * The edit after which `object` has the member `name` with this value (JSON text): the value is replaced where the member
 * is there, so that no duplicate can arise, and else the member is inserted behind the last one. One edit list may insert
 * into an object once.
 */
export function setMember(document: JsonDocument, object: JsonNode, name: string, value: JsonText): JsonEdit {
  assert(document.typeOf(object) === 'object', 'a member can only be set in an object');
  assert(name.isWellFormed(), 'a member name must not hold half a surrogate pair');
  const present = document.member(object, name);
  if (present !== undefined) return { span: document.span(present), replacement: value };
  const last = lastValue(document, object);
  const at = last === undefined ? document.span(object).start + 1 : document.span(last).end;
  const before = `${last === undefined ? '' : ','}${JSON.stringify(name)}:`;
  return { span: { start: at, end: at }, replacement: together([before, value]) };
}

/**
 * The edits after which `object` has all these members (JSON texts by name); those that are not there are inserted together.
 */
export function setMembers(
  document: JsonDocument,
  object: JsonNode,
  members: Readonly<Record<string, JsonText>>,
): JsonEdit[] {
  const names = Object.keys(members);
  if (names.length === 0) return [];
  const edits = names.map((name) => setMember(document, object, name, members[name]!));
  const inserted = edits.filter(({ span }) => span.start === span.end);
  const [first] = inserted;
  if (first === undefined || inserted.length === 1) return edits;
  const isEmpty = lastValue(document, object) === undefined;
  const texts = inserted.flatMap(({ replacement }, index) =>
    isEmpty && index > 0 ? [',', replacement] : [replacement],
  );
  const replaced = edits.filter(({ span }) => span.start !== span.end);
  return [...replaced, { span: first.span, replacement: together(texts) }];
}

function together(texts: readonly JsonText[]): JsonText {
  return texts.every((text) => typeof text === 'string')
    ? texts.join('')
    : Buffer.concat(texts.map((text) => (typeof text === 'string' ? Buffer.from(text) : text)));
}

/** The edit after which another member stands in the place of this one: its object has none of that name yet. */
export function replaceMember(
  document: JsonDocument,
  replaced: JsonNode,
  name: string,
  value: JsonText,
): JsonEdit {
  const span = { start: document.span(replaced).start, end: document.span(document.valueOf(replaced)).end };
  return { span, replacement: together([`${JSON.stringify(name)}:`, value]) };
}

/** The edit after which `object`, which has other members too, has none of this name. One edit list may remove one member of an object. */
export function removeMember(document: JsonDocument, object: JsonNode, removed: JsonNode): JsonEdit {
  let before: JsonNode | undefined;
  for (let name = document.first(object); name !== removed; name = document.next(name)) {
    assert(name !== undefined, 'a member is removed from the object that it is in');
    before = name;
  }
  const next = document.next(removed);
  assert(before !== undefined || next !== undefined, 'an object keeps one member at least');
  const span =
    before === undefined
      ? { start: document.span(removed).start, end: document.span(next!).start }
      : {
          start: document.span(document.valueOf(before)).end,
          end: document.span(document.valueOf(removed)).end,
        };
  return { span, replacement: NOTHING };
}
const NOTHING = new Uint8Array(0);

function lastValue(document: JsonDocument, object: JsonNode): JsonNode | undefined {
  let last: JsonNode | undefined;
  for (let name = document.first(object); name !== undefined; name = document.next(name)) last = name;
  return last === undefined ? undefined : document.valueOf(last);
}
