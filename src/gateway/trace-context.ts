/** W3C Trace Context, level 1, 3.2: `traceparent` is passed on when it is valid, and begun otherwise. */

/** Version 00 exactly; later versions may carry more behind the flags. */
export function isTraceparent(value: string): boolean {
  if (value.length < 55 || (value.length > 55 && (value.startsWith('00') || value[55] !== '-'))) return false;
  if (value[2] !== '-' || value[35] !== '-' || value[52] !== '-' || value.startsWith('ff')) return false;
  return (
    isLowerHex(value, 0, 2) &&
    isLowerHex(value, 3, 35) &&
    isLowerHex(value, 36, 52) &&
    isLowerHex(value, 53, 55) &&
    !isZero(value, 3, 35) &&
    !isZero(value, 36, 52)
  );
}

export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

export function parentSpanIdOf(traceparent: string): string {
  return traceparent.slice(36, 52);
}

/** The last bit of the flags (3.2.2.5.1). */
export function isSampled(traceparent: string): boolean {
  return (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1;
}

/** Draws which of the traces that begin here are recorded, by the last 32 bits of their ids, which are uniform. */
export function drawsTrace(share: number, idLow: number): boolean {
  return idLow >>> 0 < share * 2 ** 32;
}

function isLowerHex(text: string, from: number, to: number): boolean {
  for (let index = from; index < to; index++) {
    const code = text.charCodeAt(index);
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return false;
  }
  return true;
}

function isZero(text: string, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (text.charCodeAt(index) !== 0x30) return false;
  return true;
}
