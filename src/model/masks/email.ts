import { isDigit, isLatinLetter, NONE, type Recogniser, type RecogniserOf, UNDECIDED } from './recogniser.ts';

/** Found by its `@`: what stands before is looked at backwards, so that a text without one costs a search for one character. */
export const email: RecogniserOf = () => EMAIL;

/** RFC 5321, 4.5.3.1. */
const LOCAL_MOST = 64;
const DOMAIN_MOST = 255;
export const EMAIL_MOST = LOCAL_MOST + 1 + DOMAIN_MOST;

const EMAIL: Recogniser = {
  scan(text, from, isEnd, found) {
    for (let at = text.indexOf('@', from); at !== -1; at = text.indexOf('@', at + 1)) {
      const start = localStart(text, at);
      if (start === at) continue;
      const end = domainEnd(text, at + 1, isEnd);
      if (end === UNDECIDED) return start;
      if (end !== NONE) found(start, end);
    }
    return isEnd ? text.length : localStart(text, text.length);
  },
  copy: () => EMAIL,
};

/** Where the local part that ends at `end` begins; `end` where there is none. */
function localStart(text: string, end: number): number {
  const least = Math.max(0, end - LOCAL_MOST);
  let start = end;
  while (start > least && isLocal(text.charCodeAt(start - 1))) start--;
  while (start < end && !isLetterOrDigit(text.charCodeAt(start)) && text[start] !== '_') start++;
  return start;
}

/** Behind the last label that can be a top-level domain, two labels or more from `start`. */
function domainEnd(text: string, start: number, isEnd: boolean): number {
  const most = Math.min(text.length, start + DOMAIN_MOST);
  let end = NONE;
  let at = start;
  for (let labels = 1; ; labels++) {
    const label = at;
    let last = NONE;
    for (; at < most; at++) {
      const unit = text.charCodeAt(at);
      if (isLetterOrDigit(unit)) last = at;
      else if (unit !== HYPHEN) break;
    }
    if (last === NONE) break;
    if (labels > 1 && last > label && !isDigit(text.charCodeAt(label))) end = last + 1;
    if (at === most || text.charCodeAt(at) !== DOT || last + 1 !== at) break;
    at++;
  }
  return at === text.length && !isEnd && at < start + DOMAIN_MOST ? UNDECIDED : end;
}

function isLocal(unit: number): boolean {
  return isLetterOrDigit(unit) || (unit < 0x80 && LOCAL_SIGNS.includes(String.fromCharCode(unit)));
}
const LOCAL_SIGNS = '._%+-';

/** Latin, Greek and Cyrillic: scripts in which words stand apart. */
function isLetterOrDigit(unit: number): boolean {
  return isLatinLetter(unit) || isDigit(unit) || (unit >= 0xc0 && unit <= 0x4ff);
}

const HYPHEN = 0x2d;
const DOT = 0x2e;
