/** Services and the front of the built gateway, as routes/*.yaml and portunus.yaml have them: one gateway behind TLS, each service with its own trouble. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAdminAccess } from '../../src/admin/access-file.ts';
import type { AdminStatus } from '../../src/admin/actions.ts';
import { type Certificate, makeCertificate } from '../upstream/certificate.ts';
import { FaultShim } from './fault-shim.ts';
import { type Project, RunningGateway, writeProject } from './running-gateway.ts';

/** One endpoint: what it does with requests is changed while it runs. */
class Endpoint {
  readonly server: Server;
  requests = 0;
  /** Of checks. */
  health = 200;
  does: 'answer' | 'break' | 'hold' = 'answer';
  /** Told of each request that it holds. */
  onHeld: () => void = () => {};
  #held: ServerResponse[] = [];

  constructor(server = createServer()) {
    this.server = server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (request.url === '/healthz') response.writeHead(this.health).end();
      else this.#serve(response);
    });
  }

  #serve(response: ServerResponse): void {
    this.requests++;
    if (this.does === 'break') response.socket!.destroy();
    else if (this.does === 'hold') {
      this.#held.push(response);
      this.onHeld();
    } else response.end('ok');
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get held(): number {
    return this.#held.length;
  }

  /** Answers what it has held, and holds nothing more. */
  release(): void {
    this.does = 'answer';
    for (const response of this.#held.splice(0)) response.end('late');
  }

  async listen(port = 0, address = '127.0.0.1'): Promise<this> {
    this.server.listen(port, address);
    await once(this.server, 'listening');
    return this;
  }
}

const authority = makeCertificate({ name: 'authority' });
const signed = (name: string, dnsNames: readonly string[] = []): Certificate =>
  makeCertificate({ name, dnsNames, addresses: ['127.0.0.1'] }, authority);

/** Names that the service of TLS was shown. */
const shown: string[] = [];

async function secureEndpoint(): Promise<Endpoint> {
  const { certificate, key } = signed('orders');
  const server = createTlsServer({
    cert: certificate,
    key,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.on('request', ({ socket }) =>
    shown.push((socket as TLSSocket).getPeerCertificate().subject.CN as string),
  );
  return await new Endpoint(server as unknown as Server).listen();
}

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A WebSocket whose frames come back as they are. */
async function echoEndpoint(): Promise<Endpoint> {
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    const key = request.headers['sec-websocket-key']! + WEBSOCKET_GUID;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on('error', () => {});
    socket.on('data', (frame: Buffer) => {
      const payload = frame.subarray(6).map((byte, at) => byte ^ frame[2 + (at & 3)]!);
      socket.write(Buffer.concat([Buffer.of(frame[0]!, payload.length), payload]));
    });
  });
  return await new Endpoint(server).listen();
}

type Pair = readonly [one: Endpoint, two: Endpoint];
const PAIRS = ['checked', 'outlier', 'weighted', 'pair', 'broken'] as const;
const pairs = {} as Record<(typeof PAIRS)[number], Pair>;
let secure: Endpoint;
let echo: Endpoint;
/** Two addresses, one port. */
let resolved: Pair;
let shim: FaultShim | null = null;
let project: Project;
let gateway: RunningGateway;
let agent: TlsAgent;
let token = '';

const LOW_AT_MOST = 5;

beforeAll(async () => {
  for (const name of PAIRS) pairs[name] = [await new Endpoint().listen(), await new Endpoint().listen()];
  secure = await secureEndpoint();
  echo = await echoEndpoint();
  const first = await new Endpoint().listen();
  resolved = [first, await new Endpoint().listen(first.port, '127.0.0.2')];
  project = await writeProject({ 'policies/p.policy': POLICY });
  shim = FaultShim.build(join(project.folder, 'data'));
  shim?.setNames({ 'orders.test': ['127.0.0.1'] });
  await project.write('routes/r.yaml', routes());
  await project.write('portunus.yaml', settings());
  await project.write('routes/authority.pem', authority.certificate);
  await project.write('routes/stranger.pem', makeCertificate({ name: 'stranger' }).certificate);
  await writePair('routes/client', signed('gateway'));
  await writePair('front', signed('front'));
  await writePair('inner', signed('inner', ['inner.test']));
  gateway = await RunningGateway.start(project, {
    arguments: ['--log', '/dev/null'],
    environment: shim?.environment ?? {},
  });
  const access = await readAdminAccess(join(project.folder, 'data', 'admin-access.json'));
  if (!access.ok) throw new Error(access.error.message);
  token = access.value.token;
  agent = new TlsAgent({ keepAlive: true, ca: authority.certificate });
});
afterAll(async () => {
  agent?.destroy();
  await gateway?.stop('SIGKILL');
  await project?.remove();
  shim?.close();
  for (const { server } of [...Object.values(pairs), resolved ?? [], [secure, echo]].flat()) {
    server.closeAllConnections();
    server.close();
  }
});

const POLICY = `language 1
policy "p" { permit }
policy "live" applies to route "live" { limit "open" at most 1 requests at once in total }
`;

function settings(): string {
  const pem = (name: string): string => `certificate: ${name}.pem, key: ${name}.key`;
  return `portunus: 1
listen: { address: 127.0.0.1, port: ${project.port}, tls: { ${pem('front')}, further: [{ ${pem('inner')} }] } }
admin: { address: 127.0.0.1, port: ${project.adminPort} }
dataThreads: 1
data: ./data
limits: { lowExchangesPerThread: ${LOW_AT_MOST}, eventLoopDelayMs: 1m }
`;
}

function routes(): string {
  const url = ({ port }: Endpoint): string => `http://127.0.0.1:${port}`;
  const endpoints = ([one, two]: Pair, weight = 1): string =>
    `endpoints: [{ url: "${url(one)}", weight: ${weight} }, { url: "${url(two)}" }]`;
  const tls = (ca: string): string =>
    `endpoints: [{ url: "https://127.0.0.1:${secure.port}" }], tls: { ca: ./${ca}.pem, certificate: ./client.pem, key: ./client.key }`;
  const services = {
    checked: `${endpoints(pairs.checked)}, health: { path: /healthz, every: 100ms, healthyAfter: 1, unhealthyAfter: 2 }, slowStart: 1h`,
    outlier: `${endpoints(pairs.outlier)}, outliers: { failures: 2, first: 200ms }, slowStart: 0s, retries: { share: 100% }`,
    weighted: endpoints(pairs.weighted, 3),
    pair: `${endpoints(pairs.pair)}, timeouts: { firstByte: 1m }`,
    broken: `${endpoints(pairs.broken)}, outliers: { outAtMost: 0% }, retries: { share: 10%, attempts: 2 }`,
    secure: tls('authority'),
    estranged: tls('stranger'),
    named: `endpoints: [{ url: "http://orders.test:${resolved[0].port}" }], resolve: 1s`,
  };
  const lines = Object.entries(services);
  return `services:
${lines.map(([name, service]) => `  ${name}: { ${service} }\n`).join('')}  echo: { endpoints: [{ url: "${url(echo)}" }] }
routes:
${lines.map(([name]) => `  ${name}: { service: ${name}, match: { path: /${name} }, auth: none }\n`).join('')}  reports: { service: weighted, match: { path: /reports }, auth: none, priority: low }
  live: { service: echo, match: { path: /live }, auth: none, websocket: {} }
`;
}

async function writePair(path: string, { certificate, key }: Certificate): Promise<void> {
  await project.write(`${path}.pem`, certificate);
  await project.write(`${path}.key`, key);
}

async function ask(route: string, method = 'GET'): Promise<number> {
  const request = tlsRequest({
    host: '127.0.0.1',
    port: project.port,
    path: `/${route}`,
    method,
    agent,
  }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode!;
}

/** One after the other, so that each endpoint has nothing to do but what a test has it hold. */
async function many(route: string, requests: number, method = 'GET'): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  for (let at = 0; at < requests; at++) {
    const status = await ask(route, method);
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
  return statuses;
}

/** Asks until an endpoint holds so many; what will be answered. */
async function hold(route: string, endpoint: Endpoint, count: number): Promise<readonly Promise<number>[]> {
  const asked: Promise<number>[] = [];
  endpoint.does = 'hold';
  while (endpoint.held < count) {
    const holds = new Promise<void>((resolve) => {
      endpoint.onHeld = resolve;
    });
    const answer = ask(route);
    asked.push(answer);
    await Promise.race([answer, holds]);
  }
  return asked;
}

async function admin(path: string, method = 'GET'): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  return await fetch(`http://127.0.0.1:${project.adminPort}${path}`, { method, headers });
}

async function status(): Promise<AdminStatus> {
  return (await (await admin('/v1/status')).json()) as AdminStatus;
}

async function states(service: string): Promise<readonly string[]> {
  const { services } = await status();
  return services.find(({ name }) => name === service)!.endpoints.map(({ state }) => state);
}

async function alert(kind: string): Promise<AdminStatus['alerts'][number] | undefined> {
  return (await status()).alerts.find((each) => each.kind === kind);
}

/** Over the endpoints of a service. */
async function counted(metric: string, service: string): Promise<number> {
  const lines = (await (await admin('/metrics')).text()).split('\n');
  const mine = lines.filter((line) => line.startsWith(`${metric}{`) && line.includes(`service="${service}"`));
  return mine.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

const SOON = { timeout: 30_000, interval: 50 };

describe('retries', () => {
  it('are a tenth of the requests, beside some at the start and two a second; what may change something is never sent twice', async () => {
    for (const endpoint of pairs.broken) endpoint.does = 'break';
    const [unsafe, asked] = [20, 150];
    expect(await many('broken', unsafe, 'POST')).toEqual({ 502: unsafe });
    const arrived = (): number => pairs.broken[0].requests + pairs.broken[1].requests;
    expect(arrived()).toBe(unsafe);
    expect(await many('broken', asked)).toEqual({ 502: asked });
    const retries = arrived() - unsafe - asked;
    const byRequests = 10 + (unsafe + asked) / 10;
    expect(retries).toBeGreaterThanOrEqual(byRequests);
    expect(retries).toBeLessThanOrEqual(byRequests + 2 * (process.uptime() + 1));
    expect(await counted('portunus_endpoint_retries_total', 'broken')).toBe(retries);
    expect(await counted('portunus_endpoint_retries_refused_total', 'broken')).toBe(asked - retries);
  });
});

describe('checks', () => {
  it('take an endpoint out, bring it back slowly, and say when none is well', async () => {
    const [one, two] = pairs.checked;
    one.health = 503;
    await expect.poll(() => states('checked'), SOON).toEqual(['unhealthy', 'well']);
    expect(await many('checked', 20)).toEqual({ 200: 20 });
    expect([one.requests, two.requests]).toEqual([0, 20]);

    one.health = 200;
    await expect.poll(() => states('checked'), SOON).toEqual(['warming', 'well']);
    expect(await many('checked', 120)).toEqual({ 200: 120 });
    // A tenth of its share: one of eleven.
    expect(one.requests).toBeGreaterThan(0);
    expect(one.requests).toBeLessThan(35);

    for (const endpoint of [one, two]) endpoint.health = 500;
    await expect
      .poll(() => alert('service-down'), SOON)
      .toMatchObject({
        subject: 'checked',
        severity: 'critical',
        message: expect.stringContaining(`:${two.port} – its health check fails: status 500`),
        remedy: 'See to the service; "portunus status" says how each endpoint is.',
      });
    // Better to try than to refuse everything.
    expect(await ask('checked')).toBe(200);
    for (const endpoint of [one, two]) endpoint.health = 200;
    await expect.poll(() => alert('service-down'), SOON).toBeUndefined();
  });
});

describe('an endpoint', () => {
  it('that breaks exchanges off is left alone, then tried with one request, whose answer brings it back', async () => {
    const [one, two] = pairs.outlier;
    one.does = 'break';
    while (one.requests < 2) expect(await ask('outlier')).toBe(200);
    expect(await counted('portunus_endpoint_ejections_total', 'outlier')).toBe(1);

    const probe = await hold('outlier', one, 1);
    expect(one.requests).toBe(3);
    const before = two.requests;
    expect(await many('outlier', 30)).toEqual({ 200: 30 });
    expect([one.requests, two.requests - before]).toEqual([3, 30]);
    one.release();
    expect(new Set(await Promise.all(probe))).toEqual(new Set([200]));
    expect(await many('outlier', 60)).toEqual({ 200: 60 });
    expect(one.requests).toBeGreaterThan(10);
  });

  it('gets its share by weight, less while it has more to do; low priority is turned away first', async () => {
    expect(await many('weighted', 200)).toEqual({ 200: 200 });
    // Three of four.
    expect(pairs.weighted[0].requests).toBeGreaterThan(125);
    expect(pairs.weighted[0].requests).toBeLessThan(176);

    const [one] = pairs.pair;
    const held = await hold('pair', one, LOW_AT_MOST);
    expect([await ask('reports'), await ask('weighted')]).toEqual([503, 200]);
    one.does = 'answer';
    const before = one.requests;
    expect(await many('pair', 200)).toEqual({ 200: 200 });
    // Only where both draws are this one: a quarter of the requests, not half of them.
    expect(one.requests - before).toBeGreaterThan(20);
    expect(one.requests - before).toBeLessThan(75);
    one.release();
    expect(new Set(await Promise.all(held))).toEqual(new Set([200]));
    expect(await ask('reports')).toBe(200);
  });

  it('is asked by TLS with an own authority and a client certificate, which a reload replaces', async () => {
    expect([await ask('secure'), shown]).toEqual([200, ['gateway']]);
    expect([await ask('estranged'), shown]).toEqual([502, ['gateway']]);
    await writePair('routes/client', signed('renewed'));
    expect((await admin('/v1/reload', 'POST')).status).toBe(200);
    expect([await ask('secure'), shown]).toEqual([200, ['gateway', 'renewed']]);
  });

  it('is where its name leads now; a name that leads nowhere keeps its addresses, and is told', async ({
    skip,
  }) => {
    if (shim === null) return skip('there is no C compiler');
    const [one, two] = resolved;
    expect([await ask('named'), one.requests, two.requests]).toEqual([200, 1, 0]);
    shim.setNames({ 'orders.test': ['127.0.0.2'] });
    await expect.poll(async () => [await ask('named'), two.requests > 0], SOON).toEqual([200, true]);
    const before = one.requests;
    expect(await many('named', 20)).toEqual({ 200: 20 });
    expect(one.requests).toBe(before);
    shim.setNames({ 'orders.test': [] });
    await expect
      .poll(() => alert('name-not-resolved'), SOON)
      .toMatchObject({
        message: expect.stringContaining('127.0.0.2 stays in use'),
        remedy: 'See to the name server, or correct the endpoint.',
      });
    expect(await ask('named')).toBe(200);
    shim.setNames({ 'orders.test': ['127.0.0.1', '127.0.0.2'] });
    await expect.poll(() => alert('name-not-resolved'), SOON).toBeUndefined();
  });
});

it('a WebSocket goes through, and holds what its limit counts until it ends', async () => {
  const { WebSocket: Client, Agent } = (await import('undici')) as unknown as {
    WebSocket: new (url: string, options: object) => WebSocket;
    Agent: new (options: object) => object;
  };
  const dispatcher = new Agent({ connect: { ca: authority.certificate } });
  const open = async (): Promise<WebSocket | null> => {
    const client = new Client(`wss://127.0.0.1:${project.port}/live`, { dispatcher });
    return await new Promise((resolve) => {
      client.addEventListener('open', () => resolve(client));
      client.addEventListener('error', () => resolve(null));
    });
  };
  const client = await open();
  const answer = once(client!, 'message') as unknown as Promise<[MessageEvent]>;
  client!.send('there and back');
  expect((await answer)[0].data).toBe('there and back');
  expect(await open()).toBeNull();
  client!.close();
  await expect.poll(open, SOON).not.toBeNull();
});

it('the front shows each name its certificate, and a new one without ending what is under way', async () => {
  const subjectFor = async (servername?: string): Promise<string> => {
    const asked = servername === undefined ? {} : { servername };
    const socket = connectTls({ host: '127.0.0.1', port: project.port, ca: authority.certificate, ...asked });
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerX509Certificate()!;
    socket.destroy();
    return subject;
  };
  expect([await subjectFor('inner.test'), await subjectFor()]).toEqual(['CN=inner', 'CN=front']);
  const [one] = pairs.pair;
  const held = await hold('pair', one, 1);
  await writePair('front', signed('another front'));
  await expect.poll(() => subjectFor(), SOON).toBe('CN=another front');
  expect(await subjectFor('inner.test')).toBe('CN=inner');
  one.release();
  expect(new Set(await Promise.all(held))).toEqual(new Set([200]));
});
