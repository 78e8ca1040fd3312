import { type EndOf, isDigit, isLatinLetterOrDigit, NONE, recogniserAt, UNDECIDED } from './recogniser.ts';

/** Eight groups of four hexadecimal digits. */
export const IP_MOST = 39;

/** IPv4 in four parts; IPv6 as RFC 4291, 2.2, with a digit in it: `a::b` is more often code. */
export const ip = recogniserAt(
  (text, at) => {
    const unit = text.charCodeAt(at);
    if (!isHex(unit) && unit !== COLON) return false;
    const before = text.charCodeAt(at - 1);
    // the last part of `::ffff:10.0.0.1` begins behind a colon
    if (before === COLON) return isDigit(unit);
    return !isLatinLetterOrDigit(before) && !(before === DOT && isDigit(text.charCodeAt(at - 2)));
  },
  (text, start, isEnd) => {
    const four = isDigit(text.charCodeAt(start)) ? v4End(text, start, isEnd) : NONE;
    if (four === UNDECIDED || text.charCodeAt(start - 1) === COLON) return four;
    const six = v6End(text, start, isEnd);
    return six === UNDECIDED ? UNDECIDED : Math.max(four, six);
  },
);

const v4End: EndOf = (text, start, isEnd) => {
  let at = start;
  for (let part = 0; part < 4; part++) {
    if (part > 0) {
      if (at === text.length) return isEnd ? NONE : UNDECIDED;
      if (text.charCodeAt(at++) !== DOT) return NONE;
    }
    const begin = at;
    while (at < text.length && at - begin < 4 && isDigit(text.charCodeAt(at))) at++;
    if (at === text.length && at - begin < 4 && !isEnd) return UNDECIDED;
    if (at === begin || at - begin > 3 || Number(text.slice(begin, at)) > 255) return NONE;
  }
  if (text.charCodeAt(at) !== DOT) return at;
  // a dot ends a sentence, or begins a fifth part
  if (at + 1 === text.length) return isEnd ? at : UNDECIDED;
  return isDigit(text.charCodeAt(at + 1)) ? NONE : at;
};

const v6End: EndOf = (text, start, isEnd) => {
  const most = Math.min(text.length, start + IP_MOST + 1);
  let at = start;
  let colons = 0;
  for (; at < most; at++) {
    const unit = text.charCodeAt(at);
    if (unit === COLON) colons++;
    else if (!isHex(unit)) break;
  }
  if (at === text.length && at - start <= IP_MOST && !isEnd) return UNDECIDED;
  if (colons < 2 || at - start > IP_MOST || isLatinLetterOrDigit(text.charCodeAt(at))) return NONE;
  const written = text.slice(start, at);
  if (isV6(written)) return at;
  // a colon may end what comes before a list
  return written.endsWith(':') && isV6(written.slice(0, -1)) ? at - 1 : NONE;
};

function isV6(text: string): boolean {
  if (!/\d/.test(text)) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (groups.some((group) => group.length === 0 || group.length > 4)) return false;
  return halves.length === 1 ? groups.length === 8 : groups.length >= 2 && groups.length <= 7;
}

function isHex(unit: number): boolean {
  const small = unit | 0x20;
  return isDigit(unit) || (small >= 0x61 && small <= 0x66 && unit < 0x80);
}

const DOT = 0x2e;
const COLON = 0x3a;
