import {
  type EndOf,
  isDigit,
  isLatinLetterOrDigit,
  NONE,
  type Recogniser,
  type RecogniserOf,
  recogniserAt,
  UNDECIDED,
} from './recogniser.ts';

/** Eight groups of four hexadecimal digits. */
export const IP_MOST = 39;

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

/** In four parts; also the last part of `::ffff:10.0.0.1`. */
export const ipv4 = recogniserAt(/[0-9](?=[0-9]{0,2}(?:\.(?:[0-9]|$)|$))(?<![A-Za-z0-9].|[0-9]\..)/g, v4End);

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

const V6: Recogniser = {
  scan(text, from, isEnd, found) {
    GROUP_END.lastIndex = from;
    while (GROUP_END.test(text)) {
      const start = groupStart(text, GROUP_END.lastIndex - 1);
      if (start < from || !mayBeginV6(text, start)) continue;
      const end = v6End(text, start, isEnd);
      if (end === UNDECIDED) return start;
      if (end !== NONE) found(start, end);
    }
    if (isEnd) return text.length;
    const start = groupStart(text, text.length);
    return start >= from && mayBeginV6(text, start) ? start : text.length;
  },
  copy: () => V6,
};

/** RFC 4291, 2.2, with a digit in it: `a::b` is more often code. Found by its colons. */
export const ipv6: RecogniserOf = () => V6;

const GROUP_END = /:(?=[0-9A-Fa-f:]|$)/g;
const GROUP_MOST = 4;

function groupStart(text: string, end: number): number {
  let start = end;
  while (end - start < GROUP_MOST && isHex(text.charCodeAt(start - 1))) start--;
  return start;
}

function mayBeginV6(text: string, start: number): boolean {
  const before = text.charCodeAt(start - 1);
  return (
    before !== COLON &&
    !isLatinLetterOrDigit(before) &&
    !(before === DOT && isDigit(text.charCodeAt(start - 2)))
  );
}

function isV6(text: string): boolean {
  if (!/\d/.test(text)) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (groups.some((group) => group.length === 0 || group.length > GROUP_MOST)) return false;
  return halves.length === 1 ? groups.length === 8 : groups.length >= 2 && groups.length <= 7;
}

function isHex(unit: number): boolean {
  const small = unit | 0x20;
  return isDigit(unit) || (small >= 0x61 && small <= 0x66 && unit < 0x80);
}

const DOT = 0x2e;
const COLON = 0x3a;
