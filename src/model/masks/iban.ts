import {
  type EndOf,
  isBlank,
  isDigit,
  isLatinLetter,
  isLatinLetterOrDigit,
  NONE,
  type Recogniser,
  type RecogniserOf,
  UNDECIDED,
} from './recogniser.ts';

/** Lengths by country (ISO 13616, registry of SWIFT). */
const LENGTHS: Readonly<Record<string, number>> = {
  ...{ AD: 24, AE: 23, AL: 28, AT: 20, AZ: 28, BA: 20, BE: 16, BG: 22, BH: 22, BI: 27, BR: 29, BY: 28 },
  ...{ CH: 21, CR: 22, CY: 28, CZ: 24, DE: 22, DJ: 27, DK: 18, DO: 28, EE: 20, EG: 29, ES: 24, FI: 18 },
  ...{ FK: 18, FO: 18, FR: 27, GB: 22, GE: 22, GI: 23, GL: 18, GR: 27, GT: 28, HN: 28, HR: 21, HU: 28 },
  ...{ IE: 22, IL: 23, IQ: 23, IS: 26, IT: 27, JO: 30, KW: 30, KZ: 20, LB: 28, LC: 32, LI: 21, LT: 20 },
  ...{ LU: 20, LV: 21, LY: 25, MC: 27, MD: 24, ME: 22, MK: 19, MN: 20, MR: 27, MT: 31, MU: 30, NI: 28 },
  ...{ NL: 18, NO: 15, OM: 23, PK: 24, PL: 28, PS: 29, PT: 25, QA: 29, RO: 24, RS: 22, RU: 33, SA: 24 },
  ...{ SC: 31, SD: 18, SE: 24, SI: 19, SK: 24, SM: 27, SO: 23, ST: 25, SV: 28, TL: 23, TN: 24, TR: 26 },
  ...{ UA: 29, VA: 22, VG: 24, XK: 20, YE: 30 },
};
const GROUP = 4;
const LONGEST = Math.max(...Object.values(LENGTHS));
/** In groups of four with a blank between them. */
export const IBAN_MOST = LONGEST + Math.ceil(LONGEST / GROUP) - 1;

/** Two letters and two digits, where a word begins. */
const BEGIN = /[A-Za-z]{2}[0-9]{2}(?<![A-Za-z0-9]....)/g;

const IBAN: Recogniser = {
  scan(text, from, isEnd, found) {
    BEGIN.lastIndex = from;
    while (BEGIN.test(text)) {
      const start = BEGIN.lastIndex - GROUP;
      const end = ibanEnd(text, start, isEnd);
      if (end === UNDECIDED) return start;
      if (end !== NONE) found(start, end);
    }
    return isEnd ? text.length : cutBegin(text, from);
  },
  copy: () => IBAN,
};

export const iban: RecogniserOf = () => IBAN;

const ibanEnd: EndOf = (text, start, isEnd) => {
  const length = LENGTHS[text.slice(start, start + 2).toUpperCase()];
  if (length === undefined) return NONE;
  let remainder = 0;
  let taken = 0;
  let at = start;
  for (; taken < length; at++) {
    if (at === text.length) return isEnd ? NONE : UNDECIDED;
    const unit = text.charCodeAt(at);
    if (isBlank(unit) && taken > 0 && taken % GROUP === 0 && !isBlank(text.charCodeAt(at - 1))) continue;
    if (!isLatinLetterOrDigit(unit)) return NONE;
    // the first four stand at the end of the number that is divided
    if (taken >= GROUP) remainder = divided(remainder, unit);
    taken++;
  }
  for (let head = start; head < start + GROUP; head++) remainder = divided(remainder, text.charCodeAt(head));
  if (remainder !== 1) return NONE;
  if (at === text.length) return isEnd ? at : UNDECIDED;
  return isLatinLetterOrDigit(text.charCodeAt(at)) ? NONE : at;
};

/** Where the text ends within two letters and two digits; its length where it does not. */
function cutBegin(text: string, from: number): number {
  for (let start = Math.max(from, text.length - GROUP + 1); start < text.length; start++)
    if (!isLatinLetterOrDigit(text.charCodeAt(start - 1)) && mayGoOn(text, start)) return start;
  return text.length;
}

/** ISO 7064, MOD 97-10: a letter counts as two digits. */
function divided(remainder: number, unit: number): number {
  if (isDigit(unit)) return (remainder * 10 + (unit - ZERO)) % MODULUS;
  return (remainder * 100 + ((unit & ~CAPITAL_BIT) - A + 10)) % MODULUS;
}

/** Whether the rest of the text is the beginning of two letters and two digits. */
function mayGoOn(text: string, start: number): boolean {
  for (let at = start; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (at - start < 2 ? !isLatinLetter(unit) : !isDigit(unit)) return false;
  }
  return true;
}

const MODULUS = 97;
const ZERO = 0x30;
const A = 0x41;
const CAPITAL_BIT = 0x20;
