import {
  type AmountFilter,
  LOG_AMOUNTS,
  LOG_OPERATORS,
  LOG_TEXT_FIELDS,
  type LogQuery,
  type TextFilter,
} from '../../pipeline/log-query.ts';
import type { AccessRecord } from '../../pipeline/record.ts';

export function matches(record: AccessRecord, query: LogQuery): boolean {
  const { timeMs, status, clientAborted } = record;
  if (query.sinceMs !== null && timeMs < query.sinceMs) return false;
  if (query.untilMs !== null && timeMs >= query.untilMs) return false;
  if (query.aborted !== null && clientAborted !== query.aborted) return false;
  const { statuses } = query;
  if (statuses.length > 0 && !statuses.some(({ from, to }) => status >= from && status <= to)) return false;
  if (!query.amounts.every((filter) => holds(record, filter))) return false;
  return query.texts.every((filter) => fits(record, filter));
}

function holds(record: AccessRecord, { field, operator, amount }: AmountFilter): boolean {
  const known = LOG_AMOUNTS[field].of(record);
  return known >= 0 && LOG_OPERATORS[operator](known, amount);
}

/** A text that a block must hold for any of its records to fit, or null where none can be said. */
export function neededText({ values }: TextFilter): string | null {
  const [value, ...others] = values;
  if (value === undefined || others.length > 0) return null;
  const plain = value.endsWith('*') ? value.slice(0, -1) : value;
  // Names stand as JSON in a block, where other characters may be written otherwise.
  return /^[\w./:@ -]+$/.test(plain) ? plain : null;
}

function fits(record: AccessRecord, { field, values }: TextFilter): boolean {
  const name = LOG_TEXT_FIELDS[field].field;
  const texts = name === 'rules' ? rulesOf(record) : [record[name]];
  return values.some((value) => texts.some((text) => isMeant(text, value)));
}

function isMeant(text: string, value: string): boolean {
  return value.endsWith('*') ? text.startsWith(value.slice(0, -1)) : text === value;
}

function rulesOf(record: AccessRecord): readonly string[] {
  return [
    record.decidingRule,
    ...record.alsoDenied,
    ...record.shadowDenied,
    ...record.warnedRules,
    ...record.waivedRules,
  ];
}
