/**
 * Most of a stream says nothing but what is passed on. Bytes of which that is sure are told from the others in one pass, without being
 * decoded: to cut, decode and parse each event costs more than to pass it on.
 */
import { FAILED_TYPES } from './unfinished-answer.ts';
import { LAST_TYPES } from './usage.ts';

/**
 * Whether bytes that begin an event are whole events, of which none says that the stream ends or has failed and, where usage is looked
 * for, none tells any, or that a choice is finished. False where that is not plain from how nearly all are written: lines end in LF, and what the data of an event
 * is stands first in it.
 */
export function areQuietEvents(bytes: Uint8Array, looksForUsage: boolean): boolean {
  const { length } = bytes;
  if (length < 2 || bytes[length - 1] !== LF || bytes[length - 2] !== LF) return false;
  let beginsLine = true;
  for (let at = 0; at < length; at++) {
    const byte = bytes[at]!;
    if (beginsLine && !isQuietLine(bytes, at, byte)) return false;
    beginsLine = byte === LF;
    if (byte === CR) return false;
    if (looksForUsage && (byte === QUOTE || byte === BACKSLASH)) {
      const next = bytes[at + 1];
      if (next === SMALL_U && (byte === QUOTE ? tells(bytes, at, USAGE) : isEscapedLetter(bytes, at)))
        return false;
      if (next === SMALL_F && byte === QUOTE && tells(bytes, at, FINISHED)) return false;
    }
  }
  return true;
}

function isQuietLine(bytes: Uint8Array, at: number, first: number): boolean {
  // A mark of the byte order would stand before the first line.
  if (first !== SMALL_D) return first < 0x80;
  if (!isAt(bytes, at, DATA)) return true;
  const value = at + DATA.length + (bytes[at + DATA.length] === BLANK ? 1 : 0);
  if (bytes[value] !== OPEN_OBJECT || bytes[value + 1] !== QUOTE) return false;
  const initial = bytes[value + 2]!;
  if (initial === SMALL_E) return false;
  return initial !== SMALL_T || isQuietType(bytes, value);
}

/** Anthropic's events, and those of OpenAI's responses, name their type first. */
function isQuietType(bytes: Uint8Array, value: number): boolean {
  const head = Buffer.from(
    bytes.buffer,
    bytes.byteOffset + value,
    Math.min(HEAD_BYTES, bytes.length - value),
  );
  const type = FIRST_TYPE.exec(head.toString('latin1'))?.[1];
  return type !== undefined && !LOUD.has(type);
}
const FIRST_TYPE = /^\{"type": ?"([a-z_.]+)"/;
const HEAD_BYTES = 96;
/** The first event of a response has its id. */
const LOUD: ReadonlySet<unknown> = new Set([...LAST_TYPES, ...FAILED_TYPES, 'response.created']);

/**
 * Where usage is asked for, OpenAI's events all have its member, and all but one say null; so they do of the end of a choice. Quotes within
 * texts are escaped.
 */
function tells(bytes: Uint8Array, at: number, member: string): boolean {
  if (!isAt(bytes, at, member)) return false;
  const end = at + member.length;
  return !isAt(bytes, end, NULL) && !isAt(bytes, end, SPACED_NULL);
}

/** As none is written by anybody: the name of a member may be, which only reading tells. */
function isEscapedLetter(bytes: Uint8Array, at: number): boolean {
  return (
    isAt(bytes, at, ESCAPE) &&
    (bytes[at + ESCAPE.length]! === DIGIT_6 || bytes[at + ESCAPE.length]! === DIGIT_7)
  );
}

function isAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++)
    if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
}

const DATA = 'data:';
const USAGE = '"usage"';
const FINISHED = '"finish_reason"';
const NULL = ':null';
const SPACED_NULL = ': null';
const ESCAPE = '\\u00';
const DIGIT_6 = 0x36;
const DIGIT_7 = 0x37;
const BACKSLASH = 0x5c;
const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;
const QUOTE = 0x22;
const OPEN_OBJECT = 0x7b;
const SMALL_D = 0x64;
const SMALL_E = 0x65;
const SMALL_F = 0x66;
const SMALL_T = 0x74;
const SMALL_U = 0x75;
