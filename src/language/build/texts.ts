import type { IToken } from 'chevrotain';
import type { Span } from '../../diagnostics/source.ts';
import type { PathNode, TemplateNode, TextNode } from '../ast.ts';
import { badEscape, badHole, openHole } from '../problems/reading.ts';
import { pathNode } from './paths.ts';
import { type Reader, spanOf } from './reader.ts';

/** Texts: escapes, and the holes of `because` and header values. */

/** A text where `{` is an ordinary character. */
export function buildText(reader: Reader, token: IToken): TextNode {
  return { value: plainText(reader, innerText(token), token.startOffset + 1), span: spanOf(reader, token) };
}

/** A text with holes: `"{tenant.name} may not do this"`. Holes take a path, nothing else. */
export function buildTemplate(reader: Reader, token: IToken): TemplateNode {
  const text = innerText(token);
  const offset = token.startOffset + 1;
  const parts: (string | PathNode)[] = [];
  let plainStart = 0;
  for (let at = 0; at < text.length; at++) {
    // `\u{…}` holds braces, so it is skipped as a whole
    if (text[at] === '\\') at = text.startsWith('u{', at + 1) ? holeEnd(text, at) : at + 1;
    else if (text[at] === '{') {
      const end = wholeHoleEnd(text, at) ?? holeEnd(text, at);
      if (end === text.length) {
        const span = { source: reader.source, start: offset + at, end: offset + end };
        reader.report(openHole(span, text.slice(at + 1)));
        break;
      }
      if (at > plainStart) parts.push(plainText(reader, text.slice(plainStart, at), offset + plainStart));
      parts.push(...holeParts(reader, text.slice(at + 1, end), offset + at + 1));
      plainStart = end + 1;
      at = end;
    }
  }
  if (plainStart < text.length) parts.push(plainText(reader, text.slice(plainStart), offset + plainStart));
  return { parts: joined(parts), span: spanOf(reader, token) };
}

/** Without its quotes; the closing one is missing where the text was not closed. */
function innerText(token: IToken): string {
  const { image } = token;
  const closed = image.length > 1 && image.endsWith('"') && !/[^\\](?:\\\\)*\\"$/.test(image);
  return image.slice(1, closed ? -1 : undefined);
}

function wholeHoleEnd(text: string, start: number): number | null {
  HOLE_TO_ITS_END.lastIndex = start;
  return HOLE_TO_ITS_END.test(text) ? HOLE_TO_ITS_END.lastIndex - 1 : null;
}

function holeEnd(text: string, start: number): number {
  const end = text.indexOf('}', start);
  return end === -1 ? text.length : end;
}

/** A path as it stands in a text, where quotes and backslashes are escaped once more. */
const HOLE_STEP = /\.([A-Za-z][A-Za-z0-9_]*)|\[\\"((?:[^"\\]|\\\\(?:\\["\\]|[^"\\]))*)\\"\]/g;
const HOLE = new RegExp(`^([a-z][a-z0-9_]*)((?:${HOLE_STEP.source})*)$`);
/** Names in quotes may hold braces. */
const HOLE_TO_ITS_END = new RegExp(`\\{[a-z][a-z0-9_]*(?:${HOLE_STEP.source})*\\}`, 'y');

function holeParts(reader: Reader, text: string, offset: number): PathNode[] {
  const span: Span = { source: reader.source, start: offset, end: offset + text.length };
  const match = HOLE.exec(text);
  if (match === null) {
    reader.report(badHole(span, text));
    return [];
  }
  const steps = Array.from(match[2]!.matchAll(HOLE_STEP), ([, member, name]) =>
    name === undefined ? member! : { value: nameInHole(reader, name, offset), span },
  );
  return [pathNode(match[1]!, steps, span)];
}

/** A text in a text: two layers of escapes. */
function nameInHole(reader: Reader, name: string, offset: number): string {
  return plainText(reader, plainText(reader, name, offset), offset);
}

const ESCAPE = /\\(?:u\{([0-9a-fA-F]{1,6})\}|(.?))/g;
const PLAIN_ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', '{': '{' };
const CODE_POINT_MAX = 0x10ffff;

function plainText(reader: Reader, text: string, offset: number): string {
  if (!text.includes('\\')) return text;
  return text.replace(ESCAPE, (found: string, hex: string | undefined, letter: string, index: number) => {
    const plain = hex === undefined ? PLAIN_ESCAPES[letter] : codePointText(Number.parseInt(hex, 16));
    if (plain !== undefined) return plain;
    const start = offset + index;
    reader.report(badEscape({ source: reader.source, start, end: start + found.length }, found));
    return found;
  });
}

/** Surrogates are halves of characters: a text that held one could not be written as UTF-8. */
function codePointText(codePoint: number): string | undefined {
  const scalar = codePoint <= CODE_POINT_MAX && (codePoint < 0xd800 || codePoint > 0xdfff);
  return scalar ? String.fromCodePoint(codePoint) : undefined;
}

function joined(parts: readonly (string | PathNode)[]): (string | PathNode)[] {
  const result: (string | PathNode)[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (typeof part === 'string' && typeof last === 'string') result[result.length - 1] = last + part;
    else result.push(part);
  }
  return result;
}
