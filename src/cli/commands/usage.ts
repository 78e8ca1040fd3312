import { callAdmin } from '../../admin/client.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { UsageDimension, UsageGranularity, UsageReport, UsageRow } from '../../pipeline/usage.ts';
import { csvText } from '../csv.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { momentOf, spellBytes, spellUs } from '../moments.ts';
import { sparkline, tableText } from '../table.ts';
import { findGateway } from './data-folder.ts';
import type { GatewayOptions } from './remote-gateway.ts';

export interface UsageOptions extends GatewayOptions {
  readonly by: UsageDimension;
  readonly last: string;
  readonly since?: string;
  readonly until?: string;
  readonly per?: UsageGranularity;
  readonly name?: string;
  readonly limit: number;
  readonly csv?: true;
  readonly json?: true;
}

/** `portunus usage [FOLDER]`: what was used, added up by route, tenant, consumer, credential, decision, model or pool of keys. */
export async function usage(folder: string, options: UsageOptions): Promise<ExitCode> {
  const query = queryOf(options, Date.now());
  if (!query.ok) return failed(query.error, EXIT.usage);
  const access = await findGateway(folder, options);
  if (!access.ok) return failed(access.error, EXIT.couldNotRun);
  const answer = await callAdmin<UsageReport>(access.value, {
    method: 'GET',
    path: `/v1/usage?${query.value}`,
  });
  if (!answer.ok) return failed(answer.error.message, EXIT.couldNotRun);
  process.stdout.write(output(answer.value, options));
  return EXIT.fine;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function queryOf(options: UsageOptions, nowMs: number): Result<URLSearchParams, string> {
  const from = momentOf(options.since ?? options.last, nowMs);
  if (!from.ok) return err(`${options.since === undefined ? '--last' : '--since'}: ${from.error}`);
  const to = options.until === undefined ? ok(nowMs) : momentOf(options.until, nowMs);
  if (!to.ok) return err(`--until: ${to.error}`);
  const granularity = options.per ?? granularityFor(to.value - from.value);
  const query = new URLSearchParams({
    by: options.by,
    granularity,
    from: String(periodStart(from.value, granularity)),
    to: String(Math.max(0, Math.ceil(to.value))),
    limit: String(Math.min(10_000, options.limit)),
  });
  if (options.name !== undefined) query.set('name', options.name);
  return ok(query);
}

function granularityFor(lengthMs: number): UsageGranularity {
  if (lengthMs <= 2 * HOUR_MS) return 'minute';
  return lengthMs <= 7 * DAY_MS ? 'hour' : 'day';
}

/** The period that the moment lies in counts as a whole; days begin as the zone of the project says, an hour apart at most. */
function periodStart(ms: number, granularity: UsageGranularity): number {
  const lengths = { minute: 60_000, hour: HOUR_MS, day: DAY_MS };
  if (granularity === 'day') return Math.max(0, Math.floor(ms - DAY_MS + 1));
  return Math.max(0, Math.floor(ms / lengths[granularity]) * lengths[granularity]);
}

function output(report: UsageReport, options: UsageOptions): string {
  if (options.json) return `${JSON.stringify(report, null, 2)}\n`;
  if (options.csv) return csvOf(report);
  if (report.total.requests === 0) return 'Nothing was used in this time.\n';
  const amounts = AMOUNTS.filter(({ of }) => of(report.total) > 0);
  const columns = [
    { title: report.by, columnsMax: 60 },
    ...FIGURES.map(({ title }) => ({ title, align: 'right' as const })),
    ...amounts.map(({ title }) => ({ title, align: 'right' as const })),
    { title: `requests per ${report.granularity}` },
  ];
  const rows = [...report.rows, report.total].map((row) => [
    row.name,
    ...FIGURES.map(({ of }) => of(row)),
    ...amounts.map(({ of }) => String(of(row))),
    sparkline(row.series, SPARKLINE_COLUMNS),
  ]);
  const left = report.rowsLeftOut;
  return `${tableText(columns, rows)}${left > 0 ? `${left} more: --limit shows them.\n` : ''}`;
}

const SPARKLINE_COLUMNS = 48;

const FIGURES: readonly { readonly title: string; readonly of: (row: UsageRow) => string }[] = [
  { title: 'requests', of: ({ requests }) => String(requests) },
  { title: '4xx', of: ({ clientErrors }) => String(clientErrors) },
  { title: '5xx', of: ({ serverErrors }) => String(serverErrors) },
  { title: 'refused', of: ({ refused }) => String(refused) },
  { title: 'p50', of: ({ p50Us }) => spellUs(p50Us) },
  { title: 'p99', of: ({ p99Us }) => spellUs(p99Us) },
  { title: 'in', of: ({ requestBytes }) => spellBytes(requestBytes) },
  { title: 'out', of: ({ responseBytes }) => spellBytes(responseBytes) },
];

/** Shown where there are any. */
const AMOUNTS: readonly { readonly title: string; readonly of: (row: UsageRow) => number }[] = [
  { title: 'at hand', of: ({ cacheHits }) => cacheHits },
  { title: 'tokens in', of: ({ inputTokens }) => inputTokens },
  { title: 'cached', of: ({ cachedTokens }) => cachedTokens },
  { title: 'tokens out', of: ({ outputTokens }) => outputTokens },
  { title: 'reasoning', of: ({ reasoningTokens }) => reasoningTokens },
  { title: 'cost', of: ({ costNano }) => costNano / 1e9 },
];

function csvOf({ by, rows }: UsageReport): string {
  const names = Object.keys(rows[0] ?? {}).filter((name) => name !== 'name' && name !== 'series');
  return csvText(
    [by, ...names],
    rows.map((row) => [row.name, ...names.map((name) => row[name as Exclude<keyof UsageRow, 'series'>])]),
  );
}

function failed(why: string, code: ExitCode): ExitCode {
  process.stderr.write(`portunus usage: ${why}\n`);
  return code;
}
