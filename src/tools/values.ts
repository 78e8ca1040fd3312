import { SIZE_UNITS } from '../model/literals.ts';
import { DAY_MS, timeText } from '../model/local-time.ts';
import { moneyText } from '../model/money.ts';
import { isListOfObjects, type Value, type ValueType } from '../model/types.ts';

/** A value as policies write it: texts in quotes, numbers with the unit of their type. Undefined is missing. */
export function valueInWords(type: ValueType, value: Value | undefined): string {
  if (value === undefined) return 'missing';
  if (isListOfObjects(type)) return objectsInWords((value as readonly unknown[]).length);
  if (typeof value === 'object') {
    const of = type.kind === 'list' ? type.of : type;
    const shown = value.slice(0, ITEMS_SHOWN_MAX).map((item) => valueInWords(of, item));
    const rest = value.length - shown.length;
    return `[${shown.join(', ')}${rest === 0 ? '' : `, … and ${rest} more`}]`;
  }
  return typeof value === 'number' ? numberInWords(type, value) : JSON.stringify(value);
}

function objectsInWords(count: number): string {
  return count === 0 ? '[]' : `[${count} ${count === 1 ? 'object' : 'objects'}]`;
}

/** Callers choose how long the lists of their bodies are. */
const ITEMS_SHOWN_MAX = 20;

function numberInWords(type: ValueType, value: number): string {
  switch (type.kind) {
    case 'duration':
      return ageInWords(value);
    case 'date':
      return dateInWords(value);
    case 'time':
      return timeText(value);
    case 'size':
      return sizeInWords(value);
    case 'percent':
      return `${value}%`;
    case 'money':
      return moneyText(value, type.currency);
    default:
      return String(value);
  }
}

/** 20_790 is `2026-12-03`. */
export function dateInWords(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** 10_485_760 is `10MiB`; what fills no unit whole stays in bytes. */
function sizeInWords(bytes: number): string {
  const unit = BINARY_UNITS.find((name) => bytes > 0 && bytes % SIZE_UNITS[name] === 0) ?? 'B';
  return `${bytes / SIZE_UNITS[unit]}${unit}`;
}
const BINARY_UNITS = ['GiB', 'MiB', 'KiB'] as const;

function ageInWords(ms: number): string {
  if (ms >= DAY_MS) return `${Math.floor(ms / DAY_MS)} days`;
  return ms >= 3_600_000 ? `${Math.floor(ms / 3_600_000)}h` : `${Math.floor(ms / 1_000)}s`;
}
