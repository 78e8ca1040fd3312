import { isBlank, isDigit, NONE, recogniserAt, UNDECIDED } from './recogniser.ts';

const SHAPE = '999-99-9999';
export const SSN_MOST = SHAPE.length;

/** A social security number of the United States as it is issued: never 000, 666 or 9 at first, no group of zeros. */
export const ssn = recogniserAt(
  /[0-9](?<![0-9].)(?=[0-9](?:[0-9](?:[- \u00a0\u202f]|$)|$)|$)/g,
  (text, start, isEnd) => {
    const sign = text.charCodeAt(start + 3);
    for (let at = 0; at < SSN_MOST; at++) {
      if (start + at >= text.length) return isEnd ? NONE : UNDECIDED;
      const unit = text.charCodeAt(start + at);
      const isFit = SHAPE[at] === '9' ? isDigit(unit) : unit === sign && (unit === HYPHEN || isBlank(unit));
      if (!isFit) return NONE;
    }
    const end = start + SSN_MOST;
    const area = text.slice(start, start + 3);
    if (area === '000' || area === '666' || area[0] === '9') return NONE;
    if (text.slice(start + 4, start + 6) === '00' || text.slice(start + 7, end) === '0000') return NONE;
    if (end === text.length && !isEnd) return UNDECIDED;
    return isDigit(text.charCodeAt(end)) ? NONE : end;
  },
);

const HYPHEN = 0x2d;
