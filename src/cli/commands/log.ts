import { callAdmin } from '../../admin/client.ts';
import type { LogPageBody } from '../../admin/routes/observation.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { comparisonOf, LOG_TEXT_FIELDS } from '../../pipeline/log-query.ts';
import { type AccessRecord, emptyRecord } from '../../pipeline/record.ts';
import { csvText } from '../csv.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { durationOf, momentOf, spellBytes, spellUs } from '../moments.ts';
import { tableText } from '../table.ts';
import { findGateway } from './data-folder.ts';
import type { GatewayOptions } from './remote-gateway.ts';

export interface LogOptions extends GatewayOptions {
  readonly status?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly longerThan?: string;
  readonly where?: readonly string[];
  readonly aborted?: true;
  readonly limit: number;
  readonly csv?: true;
  readonly json?: true;
  /** Those of {@link LOG_TEXT_FIELDS}, in commander's spelling. */
  readonly [field: string]: unknown;
}

const STATUS = /^(?:[1-5]xx|[1-5]\d\d)$/;

/** Records asked for at a time. */
const PAGE_RECORDS = 1_000;

/** `portunus log [FOLDER]`: what was asked of the gateway and what came of it. */
export async function log(folder: string, options: LogOptions): Promise<ExitCode> {
  const query = queryOf(options, Date.now());
  if (!query.ok) return failed(query.error, EXIT.usage);
  const access = await findGateway(folder, options);
  if (!access.ok) return failed(access.error, EXIT.couldNotRun);
  const records: AccessRecord[] = [];
  let cursor: string | null = null;
  do {
    query.value.set('limit', String(Math.min(PAGE_RECORDS, options.limit - records.length)));
    if (cursor !== null) query.value.set('cursor', cursor);
    const page: Awaited<ReturnType<typeof callAdmin<LogPageBody>>> = await callAdmin<LogPageBody>(
      access.value,
      { method: 'GET', path: `/v1/log?${query.value}` },
    );
    if (!page.ok) return failed(page.error.message, EXIT.couldNotRun);
    records.push(...page.value.records);
    cursor = page.value.next;
  } while (cursor !== null && records.length < options.limit);
  process.stdout.write(output(records, cursor !== null, options));
  return EXIT.fine;
}

/** The error is a sentence about how the command was called. */
function queryOf(options: LogOptions, nowMs: number): Result<URLSearchParams, string> {
  const query = new URLSearchParams();
  for (const name of Object.keys(LOG_TEXT_FIELDS)) {
    const values = options[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    for (const value of (values ?? []) as readonly string[]) query.append(name, value);
  }
  for (const text of options.where ?? []) {
    // the gateway knows the currency
    const comparison = comparisonOf(text, null);
    if (!comparison.ok) return err(`--where: ${comparison.error}`);
    query.append('where', text);
  }
  for (const status of options.status ?? []) {
    if (!STATUS.test(status))
      return err(`--status: "${status}" is no status: write 429, or 5xx for a class.`);
    query.append('status', status);
  }
  if (options.aborted) query.set('aborted', 'yes');
  for (const name of ['since', 'until'] as const) {
    const text = options[name];
    if (text === undefined) continue;
    const moment = momentOf(text, nowMs);
    if (!moment.ok) return err(`--${name}: ${moment.error}`);
    query.set(name, String(Math.max(0, Math.floor(moment.value))));
  }
  if (options.longerThan !== undefined) {
    const duration = durationOf(options.longerThan);
    if (!duration.ok) return err(`--longer-than: ${duration.error}`);
    query.set('longer-than', String(Math.floor(duration.value * 1_000)));
  }
  return ok(query);
}

function output(records: readonly AccessRecord[], more: boolean, options: LogOptions): string {
  if (options.json) return `${JSON.stringify({ records, more }, null, 2)}\n`;
  if (options.csv) return csvText(FIELDS, records.map(csvRow));
  if (records.length === 0) return 'No such request is in the log.\n';
  const table = tableText(COLUMNS, records.map(tableRow));
  return more ? `${table}There are more: --limit ${options.limit * 10} shows more of them.\n` : table;
}

const FIELDS = Object.keys(emptyRecord()) as (keyof AccessRecord)[];

function csvRow(record: AccessRecord): (string | number | boolean)[] {
  return FIELDS.map((name) => {
    const value = record[name];
    if (typeof value === 'object') return value.join(' ');
    return name === 'timeMs' ? timeText(record.timeMs) : value;
  });
}

const COLUMNS = [
  { title: 'time' },
  { title: 'status', align: 'right' },
  { title: 'method', columnsMax: 7 },
  { title: 'path', columnsMax: 48 },
  { title: 'route', columnsMax: 24 },
  { title: 'caller', columnsMax: 32 },
  { title: 'decided by', columnsMax: 48 },
  { title: 'took', align: 'right' },
  { title: 'bytes', align: 'right' },
  { title: 'request' },
] as const;

function tableRow(record: AccessRecord): string[] {
  const { tenant, consumer, code, decidingRule, clientAborted } = record;
  const decided = [code, decidingRule].filter((text) => text !== '').join(' ');
  return [
    timeText(record.timeMs),
    String(record.status),
    record.method,
    record.path,
    record.route,
    consumer === '' ? '' : `${tenant}/${consumer}`,
    clientAborted && code !== 'client_aborted' ? `${decided} (client went away)` : decided,
    spellUs(record.finishedUs),
    spellBytes(record.responseBytes),
    record.requestId,
  ];
}

/** A damaged record may hold any number. */
function timeText(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : '';
}

function failed(why: string, code: ExitCode): ExitCode {
  process.stderr.write(`portunus log: ${why}\n`);
  return code;
}
