/** What finds the places in a text that a mask is about, however the text is cut into pieces. */
export interface Recogniser {
  /**
   * Tells `found` of every place that begins at `from` or later, and answers the first position that more text could still make
   * the beginning of one: it goes on there. `isEnd`: no more text comes. What stands before `from` is looked at, not searched.
   */
  scan(text: string, from: number, isEnd: boolean, found: Found): number;
  /** One that goes on from here on its own; itself where it remembers nothing. */
  copy(): Recogniser;
}

/** Half-open range of UTF-16 code units. */
export type Found = (start: number, end: number) => void;

/** Makes one for each text; those that remember nothing are shared. */
export type RecogniserOf = () => Recogniser;

/** Where a place that begins at a given position ends: {@link NONE}, or {@link UNDECIDED} where the text ends too early to tell. */
export type EndOf = (text: string, start: number, isEnd: boolean) => number;
export const NONE = -1;
export const UNDECIDED = -2;

/**
 * Tries each position at which a place may begin, as the first match of `begin`, a global expression for one code unit: V8 finds it
 * faster than anything here. It lets pass what the text's end leaves open.
 */
export function recogniserAt(begin: RegExp, endOf: EndOf): RecogniserOf {
  const recogniser: Recogniser = {
    scan(text, from, isEnd, found) {
      begin.lastIndex = from;
      while (begin.test(text)) {
        const at = begin.lastIndex - 1;
        const end = endOf(text, at, isEnd);
        if (end === UNDECIDED) return at;
        if (end !== NONE) found(at, end);
      }
      return text.length;
    },
    copy: () => recogniser,
  };
  return () => recogniser;
}

export function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

export function isLatinLetter(unit: number): boolean {
  const small = unit | 0x20;
  return small >= 0x61 && small <= 0x7a && unit < 0x80;
}

export function isLatinLetterOrDigit(unit: number): boolean {
  return isDigit(unit) || isLatinLetter(unit);
}

/** A blank that people put into numbers: U+0020, U+00A0, U+202F. */
export function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0xa0 || unit === 0x202f;
}
