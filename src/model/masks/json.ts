/** Masks what a JSON text says, by edits: every byte of what stays is as it came. */
import type { JsonDocument, JsonNode } from '../../base/json/document.ts';
import type { JsonEdit } from '../../base/json/edit.ts';

/** What removes from a whole text; the same text where nothing is removed. */
export interface TextMask {
  mask(text: string): string;
}

/** Why a text may not pass, as a part of a sentence. */
export interface Unmaskable {
  readonly why: string;
}

/** All texts below a node, and whole numbers that are what a text would be. */
export function maskTexts(
  document: JsonDocument,
  node: JsonNode,
  masker: TextMask,
  edits: JsonEdit[],
): Unmaskable | null {
  const type = document.typeOf(node);
  if (type === 'string') maskText(document, node, masker, edits);
  else if (type === 'number') maskNumber(document, node, masker, edits);
  else if (type === 'object' || type === 'array') {
    for (let child = document.first(node); child !== undefined; child = document.next(child)) {
      const unfit = type === 'object' ? unfitName(document, child, masker) : null;
      const value = type === 'object' ? document.valueOf(child) : child;
      const fault = unfit ?? maskTexts(document, value, masker, edits);
      if (fault !== null) return fault;
    }
  }
  return null;
}

export function maskText(document: JsonDocument, node: JsonNode, masker: TextMask, edits: JsonEdit[]): void {
  const text = document.text(node);
  const masked = masker.mask(text);
  if (masked !== text) edits.push({ span: document.span(node), replacement: jsonText(masked) });
}

export function jsonText(text: string): Uint8Array {
  return UTF_8.encode(JSON.stringify(text));
}

/** Two names that become one would be read differently by different readers. */
export function unfitName(document: JsonDocument, name: JsonNode, masker: TextMask): Unmaskable | null {
  const { start, end } = document.span(name);
  if (end - start - 2 < NAME_LEAST) return null;
  const text = document.text(name);
  return masker.mask(text) === text ? null : { why: 'the name of a member is itself what is to be removed' };
}

/** Numbers of cards and accounts without quotes. Fractions and exponents are measured, not given. */
function maskNumber(document: JsonDocument, node: JsonNode, masker: TextMask, edits: JsonEdit[]): void {
  const { start, end } = document.span(node);
  if (end - start < NUMBER_LEAST) return;
  const digits = LATIN_1.decode(document.bytes.subarray(start, end));
  if (!WHOLE.test(digits)) return;
  const masked = masker.mask(digits);
  if (masked !== digits) edits.push({ span: { start, end }, replacement: jsonText(masked) });
}

const UTF_8 = new TextEncoder();
const LATIN_1 = new TextDecoder('latin1');
const WHOLE = /^-?\d+$/;
/** Shorter ones are no address, number or key. */
const NAME_LEAST = 3;
const NUMBER_LEAST = 3;
