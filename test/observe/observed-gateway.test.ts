/** The built gateway under traffic, asked for everything that it observes. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import parsePrometheus from 'parse-prometheus-text-format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogPageBody } from '../../src/admin/routes/observation.ts';
import { LIMITS, type LimitName } from '../../src/base/limits.ts';
import { BOUND_VIEWS, type BoundView, metricsOf } from '../../src/observe/metrics/bound-table.ts';
import { METRICS } from '../../src/observe/metrics/metric-table.ts';
import type { UsageReport } from '../../src/pipeline/usage.ts';
import {
  PORTUNUS,
  type Project,
  RunningGateway,
  runPortunus,
  writeProject,
} from '../gateway/running-gateway.ts';
import { startUpstream, type UpstreamServer } from '../gateway/upstream-server.ts';

const BODY = 'a body that nobody may read later';
const SECRET_QUERY = 'token=a-secret-in-the-query';

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;
let key: string;
const ids: string[] = [];

/** Metrics that a gateway has only where there is something that they count. */
const CONDITIONAL: Readonly<Record<string, string>> = {
  portunus_alert_rule_keys: 'an `alert when` in a policy',
  portunus_alert_rule_matches_total: 'the same',
  portunus_alert_rule_shared_matches_total: 'the same',
  portunus_cache_requests_total: 'a `cache` in a policy',
  portunus_delivery_failed_attempts_total: 'a webhook for alerts',
  portunus_delivery_notices_total: 'the same',
  portunus_delivery_oldest_age_seconds: 'the same',
  portunus_delivery_queue_length: 'the same',
  portunus_metric_series_left_out_total: 'more label sets than limits.metricSeries',
  portunus_pool_alert_rule_begun_total: 'an `alert when` about pools',
  portunus_pool_alert_rule_holding: 'the same',
  portunus_pool_headroom_ratio: 'a pool of provider keys',
  portunus_pool_used_up_in_seconds: 'the same, near its end',
  portunus_provider_key_headroom_ratio: 'the same',
  portunus_provider_key_held_back: 'the same',
  portunus_provider_key_in_flight: 'the same',
  portunus_provider_key_state: 'the same',
  portunus_provider_key_used_up_in_seconds: 'the same, near its end',
  portunus_quota_open_slice: 'a quota or a budget',
  portunus_quota_used_up_in_seconds: 'the same, near its end',
};

async function ask(path: string, options: RequestInit = {}): Promise<number> {
  const answer = await fetch(gateway.url + path, {
    ...options,
    headers: { authorization: `Bearer ${key}`, ...options.headers },
  });
  await answer.arrayBuffer();
  ids.push(answer.headers.get('x-request-id')!);
  return answer.status;
}

async function start(): Promise<void> {
  gateway = await RunningGateway.start(project, { arguments: ['--log', join(project.folder, 'access.log')] });
}

beforeAll(async () => {
  upstream = await startUpstream();
  project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes:
  orders: { service: s, match: { path: "/orders/{id}" } }
  stock: { service: s, match: { path: "/stock" } }
`,
    'tenants/acme.yaml':
      'tenants: { acme: { plan: free, consumers: { web: { subscriptions: [orders, stock] } } } }\n',
    'policies/p.policy': `language 1
policy "base" { permit
  forbid "closed" when request.path is "/orders/closed" }
policy "plans" applies to route "stock" { limit "pace" at most 2 requests in any 1h for each consumer }
`,
  });
  await start();
  key = await gateway.key('acme', 'web');
  expect(await ask('/orders/1')).toBe(200);
  expect(await ask(`/orders/2?${SECRET_QUERY}`, { method: 'POST', body: BODY })).toBe(200);
  expect(await ask('/orders/closed')).toBe(403);
  expect([await ask('/stock'), await ask('/stock'), await ask('/stock')]).toEqual([200, 200, 429]);
  expect(await ask('/nowhere')).toBe(404);
  expect((await fetch(`${gateway.url}/orders/1`)).status).toBe(401);
});

afterAll(async () => {
  await gateway.stop('SIGKILL');
  await project.remove();
  await upstream.close();
});

async function cli(...commandLine: string[]): Promise<string> {
  const { code, stdout, stderr } = await runPortunus(commandLine);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe('metrics', () => {
  const scrape = async (accept: string): Promise<Response> => {
    const { token } = JSON.parse(readFileSync(join(project.folder, 'data', 'admin-access.json'), 'utf8')) as {
      token: string;
    };
    return await fetch(`http://127.0.0.1:${project.adminPort}/metrics`, {
      headers: { authorization: `Bearer ${token}`, accept },
    });
  };

  it('are what a parser of Prometheus reads, agree with the traffic, and are all in the table', async () => {
    await expect
      .poll(async () => (await (await scrape('')).text()).includes('portunus_records_total 8'))
      .toBe(true);
    const answer = await scrape('');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    // The parser mixes up histograms that have labels: it is told that their lines are metrics on their own.
    const parsed = parsePrometheus(text.replaceAll(' histogram\n', ' untyped\n'));
    const families = new Map<string, (typeof parsed)[number]['metrics']>();
    for (const { name, metrics } of parsed) families.set(name, [...(families.get(name) ?? []), ...metrics]);
    for (const { name, type, help } of parsed) {
      if (!help) {
        expect(METRICS).toHaveProperty(name.replace(/_(bucket|sum|count)$/, ''));
        continue;
      }
      const inTable = METRICS[name as keyof typeof METRICS];
      expect(help).toBe(inTable.help);
      expect(type.toLowerCase()).toBe(inTable.type === 'histogram' ? 'untyped' : inTable.type);
    }
    const values = (name: string): Record<string, number> =>
      Object.fromEntries(
        families.get(name)!.map(({ labels = {}, value }) => [Object.values(labels).join(' '), Number(value)]),
      );
    const bucket = (bound: string): number =>
      Number(
        families
          .get('http_server_request_duration_seconds_bucket')!
          .find(
            ({ labels }) =>
              labels!.le === bound &&
              labels!.http_route === 'stock' &&
              labels!.http_response_status_code === '200',
          )!.value,
      );
    expect(bucket('+Inf')).toBe(2);
    expect(bucket('10')).toBeGreaterThanOrEqual(bucket('0.005'));
    expect(values('http_server_request_duration_seconds_count')).toEqual({
      'GET orders 200': 1,
      'POST orders 200': 1,
      'GET orders 403': 1,
      'GET orders 401': 1,
      'GET stock 200': 2,
      'GET stock 429': 1,
      'GET  404': 1,
    });
    expect(values('portunus_decisions_total')).toMatchObject({
      'refused base closed': 1,
      'refused plans pace': 1,
    });
    expect(values('http_server_request_body_bytes_total')).toMatchObject({ orders: BODY.length });
    expect(values('portunus_config_loads_total')).toEqual({ live: 1, unchanged: 0, refused: 0 });
    expect(values('portunus_records_lost_total')).toEqual({
      ring: 0,
      'access-log': 0,
      'request-log': 0,
      traces: 0,
    });
    for (const name of [
      'nodejs_eventloop_delay_p99_seconds',
      'v8js_memory_heap_used_bytes',
      'process_resident_memory_bytes',
      'portunus_store_size_bytes',
    ] as const) {
      expect(families.has(name)).toBe(true);
    }
  });

  it('are all those of the table, but for what this gateway has nothing to say of', async () => {
    const absent = async (): Promise<readonly string[]> => {
      const text = await (await scrape('')).text();
      return Object.keys(METRICS)
        .filter((name) => !text.includes(`# TYPE ${name} `))
        .sort();
    };
    // The state of rate windows is made durable a second after the start.
    await expect.poll(absent, { timeout: 5_000 }).toEqual(Object.keys(CONDITIONAL).sort());
  });

  it('say of every bound that fills how full it is, on each thread that has it', async () => {
    const text = await (await scrape('')).text();
    const told = (metric: string): Record<string, number> =>
      Object.fromEntries(
        [
          ...text.matchAll(new RegExp(`^${metric}\\{bound="(\\w+)",thread="([a-z0-9-]+)"\\} (\\S+)$`, 'gm')),
        ].map(([, bound, thread, value]) => [`${bound} ${thread}`, Number(value)]),
      );
    const dataThreads = [...text.matchAll(/^portunus_connections\{thread="(data-\d+)"\}/gm)].map(
      ([, name]) => name,
    );
    expect(dataThreads.length).toBeGreaterThan(0);
    const bounds: Record<string, Record<string, number>> = {
      portunus_bound_max: {},
      portunus_bound_max_bytes: {},
    };
    for (const [name, { fillsOn }] of Object.entries(BOUND_VIEWS)) {
      const { max } = metricsOf(name as LimitName);
      const threads = fillsOn === 'data' ? dataThreads : fillsOn === 'control' ? ['control'] : [];
      for (const thread of threads) bounds[max]![`${name} ${thread}`] = LIMITS[name as LimitName].default;
    }
    for (const [metric, values] of Object.entries(bounds)) {
      expect(told(metric)).toEqual(values);
      const used = told(metric.replace('max', 'used'));
      expect(Object.keys(used).sort()).toEqual(Object.keys(values).sort());
    }
    const used = { ...told('portunus_bound_used'), ...told('portunus_bound_used_bytes') };
    // The scrape itself is a connection, the service has one address, and one key was made.
    expect(used).toMatchObject({
      'adminConnections control': expect.toSatisfy((open: number) => open > 0),
      'endpointAddresses control': 1,
      'consumerKeys control': 1,
      'configurationVersions control': 1,
      'auditRecords control': expect.toSatisfy((records: number) => records > 0),
      'directoryBytes control': expect.toSatisfy((bytes: number) => bytes > 0),
    });
    const refused = told('portunus_bound_refusals_total');
    for (const { seenBy } of Object.values<BoundView>(BOUND_VIEWS)) {
      for (const selector of seenBy) {
        const [, bound] = /^portunus_bound_refusals_total\{bound="(\w+)"\}$/.exec(selector) ?? [];
        if (bound === undefined) continue;
        const threads = bound === 'adminConnections' ? ['control'] : dataThreads;
        for (const thread of threads) expect(refused).toHaveProperty(`${bound} ${thread}`, 0);
      }
    }
  });

  it('say how endpoints are', async () => {
    const text = await (await scrape('')).text();
    const labels = `service="s",endpoint="http://127.0.0.1:${upstream.port}",address=""`;
    expect(text).toContain(`portunus_endpoint_up{${labels}} 1\n`);
    expect(text).toMatch(/^portunus_endpoint_connections\{[^}]+\} [1-9]$/m);
    expect(text).toContain(`portunus_endpoint_failed_attempts_total{${labels}} 0\n`);
  });

  it('say how near a limit is to its end, soon after', async () => {
    const used = async (): Promise<string | undefined> =>
      /portunus_limit_used_ratio\{policy="plans",rule="pace"[^}]*\} (\S+)/.exec(
        await (await scrape('')).text(),
      )?.[1];
    await expect.poll(used, { timeout: 5_000 }).toBe('1');
  });

  it('come in the format of OpenMetrics where it is asked for', async () => {
    const answer = await scrape('application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
    expect(answer.headers.get('content-type')).toContain('application/openmetrics-text');
    const text = await answer.text();
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(text).toContain('# TYPE portunus_records counter\nportunus_records_total ');
  });
});

describe('the request log', () => {
  const search = async (...options: string[]): Promise<LogPageBody['records']> =>
    (JSON.parse(await cli('log', project.folder, '--json', ...options)) as LogPageBody).records;

  it('finds a request by its id, and requests by what they have in common', async () => {
    const [record, ...others] = await search('--request', ids[1]!);
    expect(others).toEqual([]);
    expect(record).toMatchObject({
      method: 'POST',
      path: '/orders/2',
      route: 'orders',
      tenant: 'acme',
      consumer: 'web',
      status: 200,
      requestBytes: BODY.length,
    });
    const paths = (await search('--status', '4xx', '--since', '1h')).map(
      ({ path, code }) => `${path} ${code}`,
    );
    expect(paths).toEqual([
      '/orders/1 unauthenticated',
      '/nowhere route_not_found',
      '/stock limit_exceeded',
      '/orders/closed forbidden',
    ]);
    expect(await search('--rule', 'plans/pace')).toHaveLength(1);
    expect(await search('--path', '/orders/*', '--method', 'GET', '--tenant', 'acme')).toHaveLength(1);
    expect(await search('--until', '1h')).toEqual([]);
    expect(await search('--where', 'status >= 400', '--where', 'took < 1h')).toHaveLength(
      (await search('--status', '4xx', '--status', '5xx')).length,
    );
    expect(await search('--where', 'took > 1h')).toEqual([]);
  });

  it('is a table on a terminal, and all fields in CSV', async () => {
    const table = await cli('log', project.folder, '--status', '429');
    expect(table).toMatch(/time\s+status\s+method\s+path/);
    expect(table).toMatch(/429 {2}GET {5}\/stock {2}stock {2}acme\/web {2}limit_exceeded plans\/pace/);
    const csv = await cli('log', project.folder, '--status', '429', '--csv');
    const [names, row, end] = csv.split('\r\n');
    expect(names!.split(',')).toHaveLength(row!.split(',').length);
    expect([names!.includes('requestId'), row!.includes('plans/pace'), end]).toEqual([true, true, '']);
  });

  it('says what it can not understand', async () => {
    const wrong = await runPortunus(['log', project.folder, '--since', 'yesterday']);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      'portunus log: --since: "yesterday" is no time: write 15m for so long ago, or 2026-12-05 10:00.\n',
    ]);
    const status = await runPortunus(['log', project.folder, '--status', '42']);
    expect([status.code, status.stderr]).toEqual([
      2,
      'portunus log: --status: "42" is no status: write 429, or 5xx for a class.\n',
    ]);
    const where = await runPortunus(['log', project.folder, '--where', 'cost > 1h']);
    expect([where.code, where.stderr]).toEqual([
      2,
      'portunus log: --where: "1h" is not an amount of money. Write it like $250 or $0.002.\n',
    ]);
    const currency = await runPortunus(['log', project.folder, '--where', 'cost > €1']);
    expect(currency.stderr).toContain('where is wrong: €1 is in EUR, and accounts are kept in USD.');
  });
});

describe('usage', () => {
  const usage = async (...options: string[]): Promise<UsageReport> =>
    JSON.parse(await cli('usage', project.folder, '--json', ...options)) as UsageReport;

  it('is added up by each dimension', async () => {
    const counts = async (by: string): Promise<Record<string, number>> =>
      Object.fromEntries((await usage('--by', by)).rows.map(({ name, requests }) => [name, requests]));
    expect(await counts('route')).toEqual({ orders: 4, stock: 3, '(none)': 1 });
    expect(await counts('consumer')).toEqual({ 'acme/web': 5, '(none)': 3 });
    const credentials = await counts('credential');
    expect(Object.keys(credentials).map((name) => name.split('/').slice(0, -1).join('/'))).toEqual([
      'acme/web',
      '',
    ]);
    expect(Object.values(credentials)).toEqual([5, 3]);
    expect(await counts('decision')).toMatchObject({ 'refused by plans/pace': 1, route_not_found: 1 });
    const { total, rows } = await usage('--by', 'route', '--name', 'sto*', '--last', '1h', '--per', 'minute');
    expect(rows.map(({ name }) => name)).toEqual(['stock']);
    expect([total.requests, total.clientErrors, total.refused]).toEqual([3, 1, 1]);
    expect(total.series.reduce((sum, count) => sum + count)).toBe(3);
    expect(await cli('usage', project.folder, '--by', 'tenant')).toMatch(/acme\s+5\s+1\s+0\s+1\s/);
    expect(await cli('usage', project.folder, '--csv')).toMatch(/^route,requests,[^\r]+\r\norders,4,/);
  });

  it('and the log outlive a kill, but for the last second', async () => {
    // A search writes what was recorded up to then.
    await cli('log', project.folder);
    const before = await usage('--by', 'credential');
    await gateway.stop('SIGKILL');
    await start();
    const after = await usage('--by', 'credential');
    expect(after.rows).toEqual(before.rows);
    expect(await cli('log', project.folder, '--request', ids[0]!)).toContain('/orders/1');
  });
});

describe('top', () => {
  it('is live on a terminal until it is interrupted, and leaves the screen as it was', async ({ skip }) => {
    // Of util-linux: runs a command on a terminal of its own.
    if (spawnSync('script', ['--version']).error !== undefined) return skip('"script" is not installed');
    const command = `stty cols 60 rows 12; exec "${process.execPath}" "${PORTUNUS}" top "${project.folder}" --every 200ms`;
    const terminal = spawn('script', ['-qefc', command, '/dev/null'], { stdio: 'pipe' });
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    const ended = once(terminal, 'close');
    const frames = (): string[] => shown.split('\u001b[H').slice(1);
    await expect.poll(() => frames().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);
    await ask('/nowhere');
    await expect.poll(() => shown, { timeout: 30_000 }).toMatch(/requests [0-9]+\.[0-9]\/s {2}4xx/);
    terminal.stdin.write('\u0003');
    expect(await ended).toEqual([0, null]);
    expect(shown.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true);
    expect(shown.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
    const lines = frames()[0]!.split('\n');
    expect(lines.length).toBeLessThanOrEqual(12);
    for (const line of lines) expect(stripVTControlCharacters(line).trimEnd().length).toBeLessThanOrEqual(60);
  });

  it('prints once where nobody watches', async () => {
    const text = await cli('top', project.folder, '--every', '200ms');
    expect(text).toMatch(/^requests 0\.0\/s\nlatency {2}p50/);
    expect(text).toMatch(/thread\s+busy\s+loop delay p99/);
    expect(text).toContain(`http://127.0.0.1:${upstream.port}`);
    expect(text).not.toContain('\u001b');
  });
});

it('keeps no credential, no query and no body anywhere', async () => {
  await cli('log', project.folder);
  const run = promisify(execFile);
  for (const secret of [key, key.slice(-20), BODY, SECRET_QUERY]) {
    const found = await run('grep', ['-rlF', '-e', secret, project.folder]).catch(
      ({ stdout }: { stdout: string }) => ({ stdout }),
    );
    const files = found.stdout
      .trim()
      .split('\n')
      .filter((file) => file !== '' && !file.endsWith('first-keys.json'));
    expect(files).toEqual([]);
  }
  const everything = await cli('log', project.folder, '--json', '--limit', '1000');
  for (const secret of [key, BODY, SECRET_QUERY]) expect(everything).not.toContain(secret);
});
