import type { TextMask } from '../../model/masks/json.ts';
import { moneyText } from '../../model/money.ts';
import type { RequestContext } from '../../pipeline/context.ts';
import type { CalendarHole, LimitHole, TextPart } from '../replies.ts';
import { calendarOf, localText } from './calendar.ts';

/** What a refusing limit knows of itself; null hides an amount. */
export interface LimitFacts {
  readonly name: string;
  /** In requests, or in nano-units of `currency`. */
  readonly amount: number;
  readonly used: number;
  readonly currency: string | null;
  readonly resetsWallMs: number;
}

/** What a text can say besides facts, of the limit that refuses (null: none does) and of the moment; and what it must not say. */
export interface TextMoment {
  readonly limit: LimitFacts | null;
  readonly wallMs: number;
  /** Removes from values of the body what is masked in it; null: nothing is. */
  readonly mask: TextMask | null;
}

/** For texts that speak neither of a limit, nor of a calendar, nor of a body. */
export const NOTHING_MORE: TextMoment = { limit: null, wallMs: 0, mask: null };

/** The moment of a request. */
export function momentOf(context: RequestContext, limit: LimitFacts | null = null): TextMoment {
  return { limit, wallMs: context.nowWallMs, mask: bodyMask(context) };
}

/** Null where nothing is masked in the body of a request, or it was not read. */
export function bodyMask(context: RequestContext): TextMask | null {
  return context.bodyMasks?.(context)?.masker ?? null;
}

/** Bounds of what a message may repeat of a request (language-rules #32). */
const CHARACTERS_MAX = 200;
const ITEMS_MAX = 10;
const MISSING = '(none)';

/** Fills the holes of a text, in order; `undefined` is a missing value. Never fails. */
export function renderText(
  parts: readonly TextPart[],
  values: readonly unknown[],
  { limit, wallMs, mask }: TextMoment,
): string {
  let next = 0;
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') text += part;
    else if ('limit' in part) text += limitText(part, limit);
    else if ('calendar' in part) text += calendarText(part, wallMs);
    else text += valueText(values[next++], part.format, part.ofBody === true ? mask : null);
  }
  return text;
}

function calendarText({ calendar, hours }: CalendarHole, wallMs: number): string {
  const known = calendarOf(hours);
  const change = calendar === 'opens' ? known.opensMs(wallMs) : known.closesMs(wallMs);
  return change === null ? MISSING : localText(hours.zone, change);
}

function limitText(hole: LimitHole, limit: LimitFacts | null): string {
  if (limit === null) return MISSING;
  switch (hole.limit) {
    case 'name':
      return clean(limit.name);
    case 'amount':
      return amountText(limit.amount, limit.currency);
    case 'used':
      return amountText(limit.used, limit.currency);
    case 'resets':
      return instantText(limit.resetsWallMs);
  }
}

function amountText(amount: number, currency: string | null): string {
  return currency === null ? String(amount) : moneyText(amount, currency);
}

/** Whole seconds, rounded up: an earlier moment would promise too much. */
function instantText(wallMs: number): string {
  const rounded = Math.ceil(wallMs / 1_000) * 1_000;
  return Math.abs(rounded) <= LAST_DATE_MS ? new Date(rounded).toISOString().replace('.000Z', 'Z') : MISSING;
}

/** ECMA-262, 21.4.1.1: dates end 100,000,000 days from the epoch. */
const LAST_DATE_MS = 8_640_000_000_000_000;

/** `mask`: what removes from it what is not to be told, before any of it is cut off; null: nothing. */
export function valueText(value: unknown, format: string, mask: TextMask | null = null): string {
  if (value === undefined || value === null) return MISSING;
  if (!Array.isArray(value)) return scalarText(value, format, mask);
  const kind = format.slice('list '.length);
  const items = value.slice(0, ITEMS_MAX).map((item) => scalarText(item, kind, mask));
  const more = value.length > ITEMS_MAX ? `, and ${value.length - ITEMS_MAX} more` : '';
  return clean(items.join(', ')) + more;
}

function scalarText(value: unknown, kind: string, mask: TextMask | null): string {
  const written = typeof value === 'number' ? numberText(value, kind) : String(value);
  const text = clean(mask === null ? written : maskedText(mask, written));
  return kind === 'url-part' ? urlPart(text) : text;
}

/** RFC 3986, 2.1; the slashes of a parameter that takes the rest of a path stay. */
function urlPart(text: string): string {
  return text.split('/').map(encodeURIComponent).join('/');
}

const DAY_MS = 86_400_000;

function numberText(value: number, kind: string): string {
  switch (kind) {
    case 'duration':
      return durationText(value);
    case 'size':
      return `${value} bytes`;
    case 'percent':
      return `${value}%`;
    case 'date':
      return new Date(value * DAY_MS).toISOString().slice(0, 10);
    case 'time':
      return `${twoDigits(Math.floor(value / 60))}:${twoDigits(value % 60)}`;
    default:
      return kind.startsWith('money') ? moneyText(value, kind.split(' ')[1]) : String(value);
  }
}

const DURATIONS = [
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** In the largest unit that fills at least one, rounded down: 121.5 days are `121 days`. */
function durationText(ms: number): string {
  for (const [unit, unitMs] of DURATIONS) {
    const whole = Math.floor(Math.abs(ms) / unitMs);
    if (whole >= 1) return `${ms < 0 ? '-' : ''}${whole} ${unit}${whole === 1 ? '' : 's'}`;
  }
  return `${Math.trunc(ms)} ms`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** At most 200 characters, without control characters and without half of a pair of surrogates. */
function clean(text: string): string {
  const bounded = text.length > CHARACTERS_MAX ? `${text.slice(0, CHARACTERS_MAX - 1)}…` : text;
  return bounded.replace(UNPRINTABLE, '');
}

/**
 * What is not shown goes before a mask looks: between the characters of an address it would hide it, and then leave it whole. And a mask
 * looks before that, as it does at the body: a pattern may ask for a line break.
 */
export function maskedText(mask: TextMask, text: string): string {
  return mask.mask(mask.mask(text).replace(UNPRINTABLE, ''));
}

/** Controls, halves of a surrogate pair, characters that change the direction of text, line and paragraph separators. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu;

/** A value as a field may carry it (RFC 9110, 5.5): no CR, LF, NUL or other control; what is not Latin-1 becomes `?`. */
export function headerSafe(text: string): string {
  return text
    .replace(/\p{Cc}/gu, '')
    .replace(/[^\u0020-\u00ff]/gu, '?')
    .trim();
}
