import { err, ok, type Result } from '../base/result.ts';
import { parseDuration } from '../model/literals.ts';

/** `15m` (ago), `2026-12-05`, `2026-12-05 10:00` in the zone of this machine, or with an offset. In Unix milliseconds. */
export function momentOf(text: string, nowMs: number): Result<number, string> {
  const ago = parseDuration(text);
  if (ago.ok) return ok(nowMs - ago.value);
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const ms = Date.parse(day ? `${text}T00:00` : text.replace(' ', 'T'));
  if (/^\d{4}-/.test(text) && Number.isFinite(ms)) return ok(ms);
  return err(`"${text}" is no time: write 15m for so long ago, or 2026-12-05 10:00.`);
}

/** In milliseconds. */
export function durationOf(text: string): Result<number, string> {
  const parsed = parseDuration(text);
  return parsed.ok ? ok(parsed.value) : err(parsed.error.why);
}

/** `90 s`, `5 min` or `3 h 12 min`. */
export function spell(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1.2 ms`: three figures at most, in the unit that suits. */
export function spellUs(us: number): string {
  if (us < 0) return '';
  if (us < 1_000) return `${Math.round(us)} µs`;
  if (us < 1_000_000) return `${figures(us / 1_000)} ms`;
  return `${figures(us / 1_000_000)} s`;
}

/** `1 record`, `1,200 records`. */
export function spellCount(count: number, what: string): string {
  return `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`;
}

export function spellBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
  let unit = 0;
  let amount = bytes;
  while (amount >= 1_024 && unit < units.length - 1) {
    amount /= 1_024;
    unit++;
  }
  return `${unit === 0 ? amount : figures(amount)} ${units[unit]}`;
}

function figures(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
