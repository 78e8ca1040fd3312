import { isBlank, isDigit, NONE, recogniserAt, UNDECIDED } from './recogniser.ts';

/** E.164. */
const DIGITS_MOST = 15;
const DIGITS_LEAST = 7;
/** Behind `00`, which numbers of other kinds begin with too. */
const DIGITS_LEAST_AFTER_ZEROS = 9;
const SIGNS_MOST = 2;
/** `00`, and each digit with two signs before it. */
export const PHONE_MOST = 2 + DIGITS_MOST * (1 + SIGNS_MOST);

/** `+` or `00` and a country's number. */
export const internationalPhone = recogniserAt(
  /(?:\+(?=[1-9]|$)|0(?=0(?:[1-9]|$)|$))(?<![A-Za-z0-9].)/g,
  (text, start, isEnd) =>
    text[start] === '+'
      ? international(text, start + 1, DIGITS_LEAST, isEnd)
      : international(text, start + 2, DIGITS_LEAST_AFTER_ZEROS, isEnd),
);

/** Groups of three, three and four digits. */
export const northAmericanPhone = recogniserAt(
  /(?:\((?=[2-9]|$)|[2-9](?=[0-9](?:[0-9](?:[-./() \u00a0\u202f]|$)|$)|$))(?<![A-Za-z0-9].)/g,
  northAmerican,
);

/** Up to the last group of digits that still fits. */
function international(text: string, start: number, digitsLeast: number, isEnd: boolean): number {
  let end = NONE;
  let digits = 0;
  let signs = 0;
  let at = start;
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (isDigit(unit)) {
      if (++digits > DIGITS_MOST) return end;
      signs = 0;
      if (digits >= digitsLeast && !isDigit(text.charCodeAt(at + 1))) end = at + 1;
    } else if (digits === 0 || !isSign(unit) || ++signs > SIGNS_MOST) return end;
  }
  return isEnd ? end : UNDECIDED;
}

/** `(212) 555-0123`, `212-555-0123`, `212.555.0123`: a place in a shape stands for a digit, a sign, or itself. */
function northAmerican(text: string, start: number, isEnd: boolean): number {
  let least = NONE;
  for (const shape of NORTH_AMERICAN) {
    const end = fits(text, start, shape, isEnd);
    if (end === UNDECIDED) return UNDECIDED;
    least = Math.max(least, end);
  }
  return least;
}
const NORTH_AMERICAN = ['(N99) N99-9999', '(N99)N99-9999', 'N99-N99-9999'] as const;

function fits(text: string, start: number, shape: string, isEnd: boolean): number {
  for (let at = 0; at < shape.length; at++) {
    if (start + at >= text.length) return isEnd ? NONE : UNDECIDED;
    const unit = text.charCodeAt(start + at);
    const asked = shape[at]!;
    const isFit =
      asked === '9'
        ? isDigit(unit)
        : asked === 'N'
          ? isDigit(unit) && unit > ONE
          : asked === '-'
            ? isSign(unit)
            : asked === ' '
              ? isBlank(unit)
              : unit === asked.charCodeAt(0);
    if (!isFit) return NONE;
  }
  const end = start + shape.length;
  if (end === text.length) return isEnd ? end : UNDECIDED;
  return isDigit(text.charCodeAt(end)) ? NONE : end;
}

function isSign(unit: number): boolean {
  return isBlank(unit) || SIGNS.has(unit);
}

const SIGNS: ReadonlySet<number> = new Set([...'-./()'].map((sign) => sign.charCodeAt(0)));
const ONE = 0x31;
