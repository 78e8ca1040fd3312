import type {
  ForecastView,
  PoolKeyChange,
  PoolKeyView,
  PoolLimitView,
  PoolView,
} from '../../admin/routes/pools.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type TableColumn, tableText } from '../table.ts';
import { durationOf, keysCommand, Misuse, nameParts } from './keys.ts';
import type { GatewayOptions } from './remote-gateway.ts';
import { readSecretInput } from './secret-input.ts';

interface Common extends GatewayOptions {
  readonly json?: true;
}

/** `portunus keys pools [FOLDER]`: how the keys of providers are. */
export function listPools(folder: string, options: Common): Promise<ExitCode> {
  return keysCommand(folder, options, async (ask) => {
    const { pools } = await ask<{ readonly pools: readonly PoolView[] }>({
      method: 'GET',
      path: '/v1/pools',
    });
    if (options.json) process.stdout.write(`${JSON.stringify(pools, null, 2)}\n`);
    else process.stdout.write(pools.length === 0 ? NO_POOLS : poolLines(pools, Date.now()));
    return EXIT.fine;
  });
}

/** `portunus keys disable|enable|drain POOL/KEY [FOLDER]`. */
export function changePoolKey(
  change: PoolKeyChange,
  name: string,
  folder: string,
  options: Common,
): Promise<ExitCode> {
  return keysCommand(folder, options, async (ask) => {
    const [pool, key] = nameParts(name, 2, 'POOL/KEY');
    const path = `/v1/pools/${encodeURIComponent(pool!)}/keys/${encodeURIComponent(key!)}/${change}`;
    const view = await ask<PoolView>({ method: 'POST', path });
    const { state } = view.keys.find((one) => one.name === key)!;
    process.stdout.write(
      options.json ? `${JSON.stringify(view, null, 2)}\n` : `${pool}/${key} is ${state}.\n`,
    );
    return EXIT.fine;
  });
}

/** `portunus keys rotate POOL/KEY [FOLDER]`: the new secret is read from the standard input. */
export async function rotatePoolKey(
  name: string,
  folder: string,
  options: Common & {
    readonly overlap?: string;
    readonly environment?: string;
    readonly expiresIn?: string;
    readonly expires?: string;
  },
): Promise<ExitCode> {
  return await keysCommand(folder, options, async (ask) => {
    const [pool, key] = nameParts(name, 2, 'POOL/KEY');
    if ((options.environment ?? options.expiresIn ?? options.expires) !== undefined)
      throw new Misuse(
        'Keys of providers have no --environment and no end: these are for keys of consumers.',
      );
    const overlapMs = options.overlap === undefined ? undefined : durationOf(options.overlap);
    const secret = await readSecretInput(process.stdin);
    if (!secret.ok) throw new Misuse(secret.error);
    const path = `/v1/pools/${encodeURIComponent(pool!)}/keys/${encodeURIComponent(key!)}/rotation`;
    const body = { secret: secret.value, overlapMs };
    const view = await ask<PoolView>({ method: 'POST', path, body });
    const { rotation } = view.keys.find((one) => one.name === key)!;
    const sentence =
      rotation === null
        ? `${name} has another secret.`
        : `${name} has another secret, which takes its first calls; the former one is given up at ${new Date(rotation.untilMs).toISOString().slice(0, 19)}Z.`;
    process.stdout.write(options.json ? `${JSON.stringify(view, null, 2)}\n` : `${sentence}\n`);
    return EXIT.fine;
  });
}

const NO_POOLS = 'There are no pools: they are defined in providers/*.yaml.\n';

function poolLines(pools: readonly PoolView[], nowMs: number): string {
  const rows = pools.flatMap((pool) => [
    [
      pool.name,
      '',
      '',
      '',
      pool.choose,
      '',
      percent(pool.headroom),
      usedUpIn(pool.usedUp, nowMs),
      '',
      '',
      '',
    ],
    ...pool.keys.map((key) => rowOf(pool, key, nowMs)),
  ]);
  return tableText(COLUMNS, rows);
}

const COLUMNS: readonly TableColumn[] = [
  { title: 'pool' },
  { title: 'key' },
  { title: 'account' },
  { title: 'state' },
  { title: 'chosen by' },
  { title: 'in flight', align: 'right' },
  { title: 'headroom', align: 'right' },
  { title: 'used up in', align: 'right' },
  { title: 'scarcest limit' },
  { title: 'secret due' },
  { title: 'because' },
];

function rowOf(pool: PoolView, key: PoolKeyView, nowMs: number): string[] {
  const until = key.throttled.map(({ untilMs }) => untilMs);
  const isThrottled = key.state === 'active' && until.length > 0;
  const rotates = key.rotation === null ? '' : ', its secret is replaced';
  const credit = key.creditAtMs === null ? '' : `, credit in ${timeUntil(key.creditAtMs, nowMs)}`;
  const proves = key.state === 'active' && key.proving.length > 0 ? ', proving' : '';
  const state = isThrottled
    ? `throttled ${Math.ceil((Math.min(...until) - nowMs) / 1_000)} s`
    : key.state + proves + credit;
  return [
    pool.name,
    key.name,
    key.account,
    state + rotates,
    '',
    String(key.inFlight),
    key.limits.length === 0 ? '' : percent(key.headroom),
    usedUpIn(key.usedUp, nowMs),
    scarcest(key.limits),
    dueIn(key.rotationDueMs, nowMs),
    key.because ?? '',
  ];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** The sooner of both forecasts. */
function usedUpIn({ byCurrentMs, bySeasonMs }: ForecastView, nowMs: number): string {
  const atMs = Math.min(byCurrentMs ?? Number.POSITIVE_INFINITY, bySeasonMs ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(atMs) ? timeUntil(atMs, nowMs) : '';
}

function timeUntil(atMs: number, nowMs: number): string {
  const inS = Math.max(0, Math.round((atMs - nowMs) / 1_000));
  if (inS < 120) return `${inS} s`;
  if (inS < 2 * 3_600) return `${Math.round(inS / 60)} min`;
  return inS < 2 * 86_400 ? `${Math.round(inS / 3_600)} h` : `${Math.round(inS / 86_400)} days`;
}

/** When a policy has the secret replaced. */
function dueIn(dueMs: number | null, nowMs: number): string {
  if (dueMs === null) return '';
  const inMs = dueMs - nowMs;
  if (inMs <= 0) return 'now';
  return inMs < 2 * DAY_MS ? `in ${Math.ceil(inMs / 3_600_000)} h` : `in ${Math.round(inMs / DAY_MS)} days`;
}

const DAY_MS = 86_400_000;

function scarcest(limits: readonly PoolLimitView[]): string {
  const [first] = limits.toSorted((one, other) => one.left / one.amount - other.left / other.amount);
  if (first === undefined) return 'no limit known yet';
  const of = first.model === null ? '' : ` of ${first.model}`;
  return `${first.left} of ${first.amount} ${first.unit}${windowOf(first)}${of}`;
}

function windowOf({ kind, windowMs }: PoolLimitView): string {
  if (kind === 'slots') return '';
  if (kind === 'daily') return ' per day';
  return kind === 'monthly' ? ' per month' : ` per ${windowMs / 1_000} s`;
}
