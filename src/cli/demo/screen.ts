/** What the demo shows: pure, from what was seen. */
import { tableText } from '../table.ts';
import { TENANTS, type Tenant } from './story.ts';
import type { Tally } from './tally.ts';

export interface Sight {
  readonly atMs: number;
  readonly endMs: number;
  readonly chapter: string;
  /** Calls a second of the tenant that floods. */
  readonly rate: number;
  /** Of each second so far. */
  readonly rates: readonly number[];
  /** When the gateway forecasts that its keys have nothing left, from now on; null: not soon. */
  readonly usedUpInMs: number | null;
  readonly gateway: SideSight;
  readonly naive: SideSight;
  /** What happened, newest last: with the moment. */
  readonly news: readonly string[];
}

export interface SideSight {
  readonly keys: readonly KeySight[];
  readonly tally: Tally;
  /** 429 and 401 that the provider has answered. */
  readonly refusals: number;
}

export interface KeySight {
  readonly name: string;
  /** Left of its scarcest limit, 0 … 1. */
  readonly share: number;
  /** `active`, or what it is instead. */
  readonly state: string;
}

const GATEWAY = 'Portunus';
const NAIVE = 'naive rotation';
const BAR_CELLS = 20;
const COLUMN = 42;
const NEWS_SHOWN = 6;

export function frameText(sight: Sight): string {
  const { atMs, endMs, chapter, rate, rates, usedUpInMs, gateway, naive, news } = sight;
  const keys = gateway.keys.map((key, index) => pair(keyLine(key), keyLine(naive.keys[index]!)));
  return [
    `portunus demo exhaustion   ${clock(atMs)} of ${clock(endMs)}   ${chapter}   (Ctrl-C ends it)`,
    '',
    `load   acme ${rate.toFixed(1)}/s   globex 1.0/s   ${spark(rates)}`,
    '',
    pair(GATEWAY, NAIVE),
    ...keys,
    usedUpInMs === null ? '' : `forecast: ${forecastText(usedUpInMs)}`,
    '',
    ...tallyLines(gateway).map((line, index) => pair(line, tallyLines(naive)[index]!)),
    '',
    ...news.slice(-NEWS_SHOWN),
    '',
  ].join('\n');
}

export function forecastText(usedUpInMs: number): string {
  return usedUpInMs <= 0
    ? 'nothing is left'
    : `at this rate nothing is left in ${Math.ceil(usedUpInMs / 1_000)} s`;
}

function pair(left: string, right: string): string {
  return `${left.padEnd(COLUMN)}${right}`;
}

function keyLine({ name, share, state }: KeySight): string {
  const filled = Math.round(Math.max(0, Math.min(1, share)) * BAR_CELLS);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
  return `${name.padEnd(6)} ${bar} ${state === 'active' ? percent(share).padStart(5) : state}`;
}

function tallyLines({ tally, refusals }: SideSight): readonly string[] {
  return [
    `answered            ${tally.served} of ${tally.sent}`,
    `under way           ${tally.underWay}`,
    `told when to return ${tally.refused}`,
    `errors for callers  ${tally.errors}`,
    `provider refused    ${refusals}`,
  ];
}

/** One line, where nobody watches. */
export function lineText({ atMs, chapter, rate, usedUpInMs, gateway, naive }: Sight): string {
  const forecast = usedUpInMs === null ? '' : `; ${forecastText(usedUpInMs)}`;
  const side = ({ keys, tally, refusals }: SideSight): string =>
    `keys ${keys.map(({ share, state }) => (state === 'active' ? percent(share) : state)).join(' ')}, answered ${tally.served} of ${tally.sent}, told to return ${tally.refused}, errors ${tally.errors}, refused by the provider ${refusals}`;
  return `${clock(atMs)}  ${chapter}, acme ${rate.toFixed(1)}/s\n       ${GATEWAY}: ${side(gateway)}${forecast}\n       ${NAIVE}: ${side(naive)}\n`;
}

export function summaryText({ gateway, naive }: Pick<Sight, 'gateway' | 'naive'>): string {
  const row = (title: string, of: (side: SideSight) => string): string[] => [title, of(gateway), of(naive)];
  const columns = [
    { title: '' },
    { title: GATEWAY, align: 'right' as const },
    { title: NAIVE, align: 'right' as const },
  ];
  return tableText(columns, [
    row('calls', ({ tally }) => String(tally.sent)),
    row('answered', ({ tally }) => `${tally.served} (${percent(shareOf(tally.served, tally.sent))})`),
    ...TENANTS.map((tenant) => row(`  of ${tenant}`, ({ tally }) => percent(servedShare(tally, tenant)))),
    row('told when to come back', ({ tally }) => String(tally.refused)),
    row('errors that callers saw', ({ tally }) => String(tally.errors)),
    row('refusals by the provider', ({ refusals }) => String(refusals)),
    row('slowest answer', ({ tally }) => `${(tally.slowestMs / 1_000).toFixed(1)} s`),
  ]);
}

/** The same for programs. */
export function summaryOf({ tally, refusals }: SideSight) {
  const { tenants, sent, served, refused, errors, slowestMs } = tally;
  return { calls: sent, answered: served, tenants, refused, errors, providerRefusals: refusals, slowestMs };
}

function servedShare({ tenants }: Tally, tenant: Tenant): number {
  return shareOf(tenants[tenant].served, tenants[tenant].sent);
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

const BARS = '▁▂▃▄▅▆▇█';
const SPARK_CELLS = 60;

function spark(rates: readonly number[]): string {
  const greatest = Math.max(1, ...rates);
  return rates
    .slice(-SPARK_CELLS)
    .map((rate) => BARS[Math.min(BARS.length - 1, Math.floor((rate / greatest) * BARS.length))]!)
    .join('');
}
