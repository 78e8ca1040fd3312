/**
 * How text looks on a terminal: how many columns a character takes, and which characters must never reach one.
 */

const TAB_COLUMNS = 4;
const REPLACEMENT = '\ufffd';

/** Characters that steer a terminal or change the order of what stands on the line (Trojan Source, CVE-2021-42574). */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;
const UNPRINTABLES = new RegExp(UNPRINTABLE, 'gu');
const ZERO_WIDTH = /\p{Mn}|\p{Me}|[\u200b-\u200d]/u;
/** Unicode Standard Annex 11: East Asian Wide and Fullwidth, by script and block, and emoji. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;

/** The text on one line, with nothing in it that a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLES, REPLACEMENT);
}

/** One character as it is shown, and the columns it takes. A tab is shown as blanks. */
export function cell(character: string): { readonly shown: string; readonly columns: number } {
  if (character === '\t') return { shown: ' '.repeat(TAB_COLUMNS), columns: TAB_COLUMNS };
  if (character >= ' ' && character <= '~') return { shown: character, columns: 1 };
  if (UNPRINTABLE.test(character)) return { shown: REPLACEMENT, columns: 1 };
  if (ZERO_WIDTH.test(character)) return { shown: character, columns: 0 };
  return { shown: character, columns: WIDE.test(character) ? 2 : 1 };
}
