import { type EndOf, isBlank, isDigit, NONE, recogniserAt, UNDECIDED } from './recogniser.ts';

const DIGITS_LEAST = 13;
const DIGITS_MOST = 19;
const FIRST_GROUP = 4;
const GROUP_LEAST = 3;
const GROUP_MOST = 6;
/** Four digits, then groups of three with a sign before each. */
export const CARD_MOST = FIRST_GROUP + ((DIGITS_MOST - FIRST_GROUP) / GROUP_LEAST) * (GROUP_LEAST + 1);

/** ISO/IEC 7812: digits alone, or a group of four and groups of three to six behind one kind of sign. */
const cardEnd: EndOf = (text, start, isEnd) => {
  if (text.length - start < FIRST_GROUP) return isEnd ? NONE : UNDECIDED;
  if (!isIssuer(text, start)) return NONE;
  const first = digitsEnd(text, start, DIGITS_MOST + 1);
  if (first === text.length && first - start <= DIGITS_MOST && !isEnd) return UNDECIDED;
  if (first - start !== FIRST_GROUP) return isCard(text, start, first) ? first : NONE;
  const sign = text.charCodeAt(first);
  if (sign !== HYPHEN && !isBlank(sign)) return NONE;
  let end = NONE;
  let digits = FIRST_GROUP;
  for (let at = first; ; ) {
    if (at === text.length && !isEnd) return UNDECIDED;
    if (text.charCodeAt(at) !== sign) break;
    const next = digitsEnd(text, at + 1, GROUP_MOST + 1);
    if (next === text.length && next - at - 1 <= GROUP_MOST && !isEnd) return UNDECIDED;
    const length = next - at - 1;
    digits += length;
    if (length < GROUP_LEAST || length > GROUP_MOST || digits > DIGITS_MOST) break;
    if (isCard(text, start, next)) end = next;
    at = next;
  }
  return end;
};

/** What stands behind a decimal point is no number of its own. */
export const card = recogniserAt(/[2-6](?<![0-9].|[0-9]\..)(?=[0-9]{3}|[0-9]{0,2}$)/g, cardEnd);

function digitsEnd(text: string, start: number, most: number): number {
  const end = Math.min(text.length, start + most);
  let at = start;
  while (at < end && isDigit(text.charCodeAt(at))) at++;
  return at;
}

/** First digits that issuers of payment cards have: so no list of years is a card. */
function isIssuer(text: string, start: number): boolean {
  const first = text.charCodeAt(start) - ZERO;
  if (first >= 3 && first <= 6) return true;
  if (first !== 2) return false;
  const four = Number(text.slice(start, start + FIRST_GROUP));
  return four >= 2_221 && four <= 2_720;
}

/** Luhn's check digit (ISO/IEC 7812-1, annex B), over the digits alone. */
function isCard(text: string, start: number, end: number): boolean {
  let sum = 0;
  let digits = 0;
  for (let at = end - 1; at >= start; at--) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) continue;
    const weighed = digits % 2 === 0 ? digit : digit * 2;
    sum += weighed > 9 ? weighed - 9 : weighed;
    digits++;
  }
  return digits >= DIGITS_LEAST && digits <= DIGITS_MOST && sum % 10 === 0;
}

const ZERO = 0x30;
const HYPHEN = 0x2d;
