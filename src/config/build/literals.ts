import { assert } from '../../base/assert.ts';
import {
  type LiteralResult,
  parseDate,
  parseDuration,
  parseNumber,
  parsePercent,
  parseSize,
} from '../../model/literals.ts';

/** Values of literals that the schema has already accepted. */

export function durationMs(text: string): number {
  return accepted(parseDuration(text));
}

export function sizeBytes(text: string): number {
  return accepted(parseSize(text));
}

export function count(value: number | string): number {
  return accepted(parseNumber(String(value)));
}

/** As a share, 0 to 1. */
export function share(text: string): number {
  return accepted(parsePercent(text)) / 100;
}

/** Days since 1970-01-01. */
export function day(text: string): number {
  return accepted(parseDate(text));
}

function accepted(result: LiteralResult): number {
  assert(result.ok, 'the schema accepts only what the grammar of literals accepts');
  return result.value;
}
