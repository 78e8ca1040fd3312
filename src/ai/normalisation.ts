/**
 * How much longer texts can become before they are cut into tokens. OpenAI's tokenizers take texts as they are, others normalise them
 * first: Qwen's by NFC, the one that Anthropic has published and most of sentencepiece by NFKC, BERT's by NFD and in lower case. What
 * is three bytes in the prompt may be 33 by then (U+FDFA), each of them a token.
 */

/** Bytes that the texts of a JSON text can gain by that: 0 where all is ASCII. `bytes`: of a text that was scanned. */
export function normalisationGrowth(bytes: Uint8Array): number {
  let growth = 0;
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at]!;
    if (byte === BACKSLASH) {
      const point = bytes[at + 1] === LETTER_U ? escapedPoint(bytes, at) : 0;
      const written = point === 0 ? 2 : point > 0xffff ? 12 : 6;
      growth += Math.max(0, normalisedBytes(point) - written);
      at += written;
    } else if (byte < 0x80) at++;
    else {
      const written = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      growth += Math.max(0, normalisedBytes(pointAt(bytes, at, written)) - written);
      at += written;
    }
  }
  return growth;
}

/** The same of a text. */
export function textGrowth(text: string): number {
  return normalisationGrowth(UTF_8.encode(JSON.stringify(text)));
}

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

function pointAt(bytes: Uint8Array, at: number, size: number): number {
  let point = bytes[at]! & (size === 2 ? 0x1f : size === 3 ? 0x0f : 0x07);
  for (let i = 1; i < size; i++) point = (point << 6) | (bytes[at + i]! & 0x3f);
  return point;
}

/** Of `\uD83D\uDE00` both halves; a scanned text has no single ones. */
function escapedPoint(bytes: Uint8Array, at: number): number {
  const unit = hexAt(bytes, at + 2);
  if (unit < 0xd800 || unit > 0xdbff) return unit;
  return 0x1_0000 + ((unit - 0xd800) << 10) + (hexAt(bytes, at + 8) - 0xdc00);
}

function hexAt(bytes: Uint8Array, at: number): number {
  return Number.parseInt(String.fromCharCode(...bytes.subarray(at, at + 4)), 16);
}

/** Of each code point the bytes plus one, as far as they were asked for; pages that nobody asks for take no memory. */
let known: Uint8Array | null = null;

/**
 * The most bytes that a code point has in any of these forms. Composing takes no bytes but saves some, so decomposed is longest –
 * wherever the marks of other characters keep it from being composed again. Nothing comes between the parts of a Hangul syllable; where
 * those stay apart, as for BERT, a character is a token at most, and no byte.
 */
function normalisedBytes(point: number): number {
  if (point < 0x80) return 1;
  if (point >= HANGUL_FIRST && point <= HANGUL_LAST) return 3;
  known ??= new Uint8Array(0x11_0000);
  if (known[point] === 0) known[point] = longestForm(String.fromCodePoint(point)) + 1;
  return known[point]! - 1;
}

const HANGUL_FIRST = 0xac00;
const HANGUL_LAST = 0xd7a3;

function longestForm(character: string): number {
  const decomposed = character.normalize('NFKD');
  const forms = [decomposed, decomposed.toLowerCase(), character.toLowerCase().normalize('NFKD')];
  return Math.max(...forms.map((form) => UTF_8.encode(form).length));
}

const UTF_8 = new TextEncoder();
