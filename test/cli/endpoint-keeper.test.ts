/** The control thread and data threads over one memory of endpoints, with real services. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { LIMIT_DEFAULTS } from '../../src/base/limits.ts';
import { EndpointKeeper } from '../../src/cli/run/endpoint-keeper.ts';
import type { Service } from '../../src/model/world.ts';
import { createAlertBus } from '../../src/observe/alert-bus.ts';
import { createUpstream } from '../../src/upstream/client.ts';
import { CELL } from '../../src/upstream/endpoint-memory.ts';
import type { CheckTarget } from '../../src/upstream/health-checks.ts';
import { httpProbe } from '../../src/upstream/health-probe.ts';
import { makeCertificate } from '../upstream/certificate.ts';
import { exchange, request, serviceOf } from '../upstream/harness.ts';
import { SERVICE_SETTINGS } from '../upstream/service-settings.ts';
import { NO_CHANCE, VirtualTime } from '../upstream/virtual-time.ts';

const HEALTH = {
  path: '/healthz',
  everyMs: 5_000,
  timeoutMs: 1_000,
  healthyAfter: 1,
  unhealthyAfter: 1,
  expect: [],
};

const servers: Server[] = [];
const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) rig.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

interface Asked {
  readonly port: number;
  /** Of health checks. */
  status: number;
  checks: number;
  requests: number;
}

async function serve(port = 0, address = '127.0.0.1'): Promise<Asked> {
  const server = createServer((asked, answer) => {
    if (asked.url === '/healthz') seen.checks++;
    else seen.requests++;
    answer.writeHead(asked.url === '/healthz' ? seen.status : 200).end();
  });
  server.listen(port, address);
  await once(server, 'listening');
  servers.push(server);
  const seen = { port: (server.address() as AddressInfo).port, status: 200, checks: 0, requests: 0 };
  return seen;
}

/** A control thread and one data thread. */
class Rig {
  readonly time = new VirtualTime();
  readonly files: Record<string, string> = {};
  readonly zone: Record<string, readonly string[]> = {};
  readonly alerts = createAlertBus({
    clock: this.time.clock,
    deliveries: () => [],
    openAlertsMax: { gateway: 10, policy: 10 },
  });
  readonly keeper = new EndpointKeeper({
    clock: this.time.clock,
    random: NO_CHANCE,
    limits: LIMIT_DEFAULTS,
    alerts: this.alerts,
    after: this.time.after,
    probe: (target) => {
      this.probed.push(target);
      return this.#probe(target);
    },
    lookup: async (host) => {
      if (this.zone[host] === undefined) throw new Error(`ENOTFOUND ${host}`);
      return this.zone[host];
    },
    readFile: (path) => this.#file(path),
    tellAddresses: (changes) => this.upstream.resolved(changes),
  });
  readonly upstream = createUpstream({
    clock: this.time.clock,
    random: { ...NO_CHANCE, uint32: () => Math.floor(Math.random() * 2 ** 32) },
    limits: LIMIT_DEFAULTS,
    endpoints: this.keeper.shared,
    readFile: (path) => this.#file(path),
    ticker: (tick) => {
      this.#tick = tick;
      return () => {};
    },
  });
  readonly probed: CheckTarget[] = [];
  readonly #probe = httpProbe(this.time.after);
  #tick = () => {};
  #epoch = 0;

  constructor() {
    rigs.push(this);
  }

  #file(path: string): string {
    const text = this.files[path];
    if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
    return text;
  }

  /** A new version with this service alone. */
  serves(service: Service) {
    const read = this.keeper.readFiles([service]);
    if (!read.ok) throw new Error(read.error);
    const slots = this.keeper.prepare(++this.#epoch, [service]);
    if (!slots.ok) throw new Error(slots.error);
    const client = this.upstream.service(service, [...slots.value]);
    this.keeper.live([service], read.value);
    return client;
  }

  /** Lets real sockets do their work until it holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      this.keeper.look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** For the data thread as well, which keeps a time of its own while it has connections. */
  async advance(ms: number): Promise<void> {
    await this.time.advance(ms);
    this.#tick();
  }

  states(): readonly string[] {
    return this.keeper
      .status()[0]!
      .endpoints.map(({ state, why }) => (why === null ? state : `${state}: ${why}`));
  }

  close(): void {
    this.keeper.stop();
    this.upstream.close();
  }
}

test('endpoints whose checks fail get no requests; a service without any is told, and that it is back', async () => {
  const [one, two] = [await serve(), await serve()];
  const rig = new Rig();
  const client = rig.serves({ ...serviceOf(one.port, two.port), health: HEALTH });
  one.status = 503;
  await rig.time.advance(1_000);
  await rig.until(() => rig.states().join() === 'unhealthy: its health check fails: status 503,well');
  for (let round = 0; round < 20; round++) await exchange(client, request()).outcome;
  expect([one.requests, two.requests]).toEqual([0, 20]);
  expect(rig.alerts.open()).toEqual([]);

  two.status = 500;
  await rig.time.advance(5_000);
  await rig.until(() => rig.alerts.open().length === 1);
  expect(rig.alerts.open()[0]).toMatchObject({
    kind: 'service-down',
    subject: 'orders',
    severity: 'critical',
  });
  expect(rig.alerts.open()[0]!.message).toBe(
    `No endpoint of the service "orders" is well: http://127.0.0.1:${one.port} – its health check fails: status 503; ` +
      `http://127.0.0.1:${two.port} – its health check fails: status 500.`,
  );
  // Better to try than to fail every request.
  expect((await exchange(client, request()).outcome).error).toBeNull();

  one.status = 200;
  await rig.time.advance(5_000);
  await rig.until(() => rig.alerts.open().length === 0);
  expect(rig.states()[0]).toBe('warming');
});

test('an endpoint that refuses connections and one that is silent fail their checks', async () => {
  const silent = await serve();
  servers.at(-1)!.removeAllListeners('request');
  const rig = new Rig();
  rig.serves({ ...serviceOf(silent.port, 1), health: HEALTH });
  await rig.time.advance(1_000);
  await rig.until(() => rig.states()[1] !== 'well');
  await rig.time.advance(1_000);
  await rig.until(() => rig.states()[0] !== 'well');
  expect(rig.states()).toEqual([
    'unhealthy: its health check fails: no answer within 1000 ms',
    'unhealthy: its health check fails: connect ECONNREFUSED 127.0.0.1:1',
  ]);
});

test('checks end with the version that asked for them', async () => {
  const one = await serve();
  const rig = new Rig();
  rig.serves({ ...serviceOf(one.port), health: HEALTH });
  await rig.time.advance(1_000);
  await rig.until(() => one.checks === 1);
  rig.serves(serviceOf(one.port));
  await rig.time.advance(60_000);
  expect(one.checks).toBe(1);
});

test('a service whose requests meet refused connections is told without checks', async () => {
  const rig = new Rig();
  const client = rig.serves(serviceOf(1));
  await exchange(client, request()).outcome;
  rig.keeper.look();
  expect(rig.alerts.open()[0]!.message).toMatch(
    /:1 – connections to it fail; left alone for 1000 ms more\.$/,
  );
  rig.keeper.retire(1);
  rig.serves({ ...serviceOf(2), name: 'other' });
  expect(rig.alerts.open()).toEqual([]);
});

test('a name’s addresses are used and checked, each on its own; one that stops resolving keeps them', async () => {
  const one = await serve();
  const two = await serve(one.port, '127.0.0.2');
  const rig = new Rig();
  rig.zone['orders.test'] = ['127.0.0.1', '127.0.0.2'];
  const named = serviceOf({ host: 'orders.test', port: one.port });
  const client = rig.serves({ ...named, health: HEALTH });
  await rig.until(() => rig.states().length === 2);
  for (let round = 0; round < 40; round++) await exchange(client, request()).outcome;
  expect(one.requests).toBeGreaterThan(5);
  expect(two.requests).toBeGreaterThan(5);

  two.status = 503;
  await rig.time.advance(2_000);
  await rig.until(() => rig.states()[1]!.startsWith('unhealthy'));
  const before = two.requests;
  for (let round = 0; round < 10; round++) await exchange(client, request()).outcome;
  expect(two.requests).toBe(before);

  delete rig.zone['orders.test'];
  await rig.time.advance(30_000);
  expect(rig.alerts.open().find(({ kind }) => kind === 'name-not-resolved')?.message).toBe(
    'The name "orders.test" of an endpoint can\'t be resolved (ENOTFOUND orders.test): 127.0.0.1, 127.0.0.2 stays in use.',
  );
  expect((await exchange(client, request()).outcome).error).toBeNull();
  expect(rig.keeper.status()[0]!.endpoints[0]!.unresolved).toBe('ENOTFOUND orders.test');

  // A later version with another such endpoint knows them at once.
  const later = rig.serves({ ...named, resolveMs: 60_000 });
  expect((await exchange(later, request()).outcome).error).toBeNull();
  rig.zone['orders.test'] = ['127.0.0.2'];
  await rig.time.advance(60_000);
  await rig.until(() => rig.states().length === 1);
  expect(rig.alerts.open()).toEqual([]);
});

test('what requests met at each address is counted, for as long as the address is known', async () => {
  const one = await serve();
  const rig = new Rig();
  const service = { ...serviceOf(one.port, 1), retries: { share: 0.1, attempts: 2 } };
  const client = rig.serves(service);
  const counts = () =>
    rig.keeper
      .inspect()
      .map(({ url, address, ...rest }) => ({ port: Number(new URL(url).port), address, ...rest }));
  const calm = {
    service: 'orders',
    address: null,
    isUp: true,
    connections: 0,
    failedAttempts: 0,
    retries: 0,
    retriesRefused: 0,
    ejections: 0,
  };
  expect(counts()).toEqual([
    { ...calm, port: one.port },
    { ...calm, port: 1 },
  ]);
  // Whichever comes first: both are tried in few requests.
  while (counts()[1]!.failedAttempts === 0 || one.requests < 3) await exchange(client, request()).outcome;
  expect(counts()).toEqual([
    { ...calm, port: one.port, connections: 1 },
    { ...calm, port: 1, isUp: false, failedAttempts: 1, retries: 1, ejections: 1 },
  ]);

  // Another client over the same slots, as after a reload that changes the service: nothing may be repeated.
  const strict = rig.serves({ ...service, retries: { share: 0, attempts: 2 } });
  await rig.advance(SERVICE_SETTINGS.outliers.firstMs);
  while (counts()[1]!.failedAttempts === 1 || counts()[0]!.connections === 1)
    await exchange(strict, request()).outcome;
  expect(counts()[0]).toMatchObject({ connections: 2, failedAttempts: 0 });
  expect(counts()[1]).toMatchObject({ failedAttempts: 2, retries: 1, retriesRefused: 1, ejections: 2 });

  client.retire();
  strict.retire();
  await rig.until(() => counts()[0]!.connections === 0);
});

test('connections to an address that its name lost are that one’s no more', async () => {
  const one = await serve();
  const rig = new Rig();
  rig.zone['a.test'] = ['127.0.0.1'];
  const client = rig.serves({ ...serviceOf({ host: 'a.test', port: one.port }), resolveMs: 1_000 });
  const connections = () => rig.keeper.inspect().map((each) => `${each.address} ${each.connections}`);
  await rig.until(() => connections().join() === '127.0.0.1 0');
  const before = new Int32Array(rig.keeper.shared).slice();
  await exchange(client, request()).outcome;
  expect(connections()).toEqual(['127.0.0.1 1']);
  rig.zone['a.test'] = ['127.0.0.2'];
  await rig.time.advance(2_000);
  await rig.until(() => connections().join() === '127.0.0.2 0');
  const cells = new Int32Array(rig.keeper.shared);
  const sum = (of: Int32Array) => of.reduce((all, cell, at) => all + (at % 16 === CELL.counts ? cell : 0), 0);
  expect([sum(before), sum(cells)]).toEqual([0, 0]);
});

test('TLS files are read for each version: other texts make another digest, wrong ones a sentence', () => {
  const rig = new Rig();
  const authority = makeCertificate({ name: 'authority' });
  const [mine, other] = [
    makeCertificate({ name: 'mine' }, authority),
    makeCertificate({ name: 'other' }, authority),
  ];
  const service: Service = {
    ...serviceOf(1),
    tls: { caFile: '/ca.pem', certificateFile: '/c.pem', keyFile: '/c.key', serverName: null },
  };
  Object.assign(rig.files, {
    '/ca.pem': authority.certificate,
    '/c.pem': mine.certificate,
    '/c.key': mine.key,
  });
  const first = rig.keeper.readFiles([service]);
  expect(rig.keeper.readFiles([service])).toEqual(first);
  rig.files['/c.pem'] = other.certificate;
  expect(rig.keeper.readFiles([service])).toEqual({
    ok: false,
    error: 'Service "orders" can\'t be called by TLS: /c.key is not the key of the certificate in /c.pem.',
  });
  rig.files['/c.key'] = other.key;
  const second = rig.keeper.readFiles([service]);
  expect(second.ok).toBe(true);
  expect(second).not.toEqual(first);
});

test('what was read for a version that is refused changes nothing: checks go on with the files of the one that serves', async () => {
  const rig = new Rig();
  const [mine, other] = [makeCertificate({ name: 'mine' }), makeCertificate({ name: 'other' })];
  const one = await serve();
  const named = serviceOf({ host: 'orders.test', port: one.port, protocol: 'https' });
  const tls = { caFile: '/ca.pem', certificateFile: null, keyFile: null, serverName: null };
  rig.zone['orders.test'] = ['127.0.0.1'];
  rig.files['/ca.pem'] = mine.certificate;
  rig.serves({ ...named, tls, health: HEALTH });
  await rig.until(() => rig.states().length === 1);
  rig.files['/ca.pem'] = other.certificate;
  // As a reload does that then finds something else to refuse.
  expect(rig.keeper.readFiles([{ ...named, tls, health: HEALTH }]).ok).toBe(true);
  rig.zone['orders.test'] = ['127.0.0.1', '127.0.0.2'];
  await rig.time.advance(60_000);
  await rig.until(() => rig.states().length === 2);
  await rig.time.advance(10_000);
  expect(rig.probed.map(({ address }) => address)).toContain('127.0.0.2');
  expect(new Set(rig.probed.map(({ files }) => files.ca))).toEqual(new Set([mine.certificate]));
});
