/** Very many clients that hardly say anything, on the built product: ordinary requests don't notice them. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Project, RunningGateway, writeProject } from './running-gateway.ts';
import { RawClient } from './sockets.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

const IDLE_WANTED = 10_000;
const SLOW = 1_000;
/** What both processes need beside the connections of the clients. */
const FILES_RESERVED = 500;
const BATCH = 250;
const BEATS = 25;
const REQUESTS_PER_BEAT = 20;
const IDLE_RSS_BYTES_MAX = 20 * 1024;
/** What is kept for a connection that has gone would show here, beyond what V8's heap grows by in two steps. */
const SECOND_RSS_BYTES_MAX = 2 * 1024;
const HEAP_STEP_BYTES = 32 * 1024 * 1024;

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;
let pid: number;

beforeAll(async () => {
  // What came last of the path or of the body is the answer: each client can tell its own.
  upstream = await startUpstream((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => response.end(`${request.url} ${body}`));
  });
  const files = {
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
    'policies/p.policy': 'language 1\npolicy "p" applies to every route { permit }\n',
  };
  // all of them come from one address, and the second crowd before those of the first have been counted off
  project = await writeProject(files, { settings: 'limits: { connectionsPerAddress: 60000 }' });
  gateway = await RunningGateway.start(project);
  pid = gateway.child.pid!;
});

afterAll(async () => {
  await gateway?.stop();
  await project?.remove();
  await upstream?.close();
});

test('idle and slow clients by the thousand disturb no request, cost little, and leave nothing', async () => {
  const idleCount = Math.min(IDLE_WANTED, (await openFilesMax()) - SLOW - FILES_RESERVED);
  expect(idleCount, 'the open-file limit leaves no connections to be idle').toBeGreaterThan(0);
  await ordinaryRequests('warm', 2_000);
  const rssBefore = await residentBytes();

  const idle = await openIdle(idleCount);
  const rssPerIdle = Math.round(((await residentBytes()) - rssBefore) / idleCount);
  console.info(`${idleCount} idle connections, ${rssPerIdle} bytes of RSS each; ${SLOW} slow clients`);
  expect(await clientConnections()).toBeGreaterThanOrEqual(idleCount);
  expect(rssPerIdle).toBeLessThanOrEqual(IDLE_RSS_BYTES_MAX);

  const slow = await openSlow();
  for (let beat = 0; beat < BEATS; beat++) {
    for (const client of slow) client.write(LETTERS[beat]!);
    await ordinaryRequests(`beat${beat}`, REQUESTS_PER_BEAT);
  }
  await expectAnswered(slow);

  for (const client of [...idle, ...slow]) client.destroy();
  await vanished();

  // The second crowd finds the memory that the first one had.
  const rssAfter = await residentBytes();
  for (const socket of await openIdle(idleCount)) socket.destroy();
  const rssOfSecond = (await residentBytes()) - rssAfter;
  console.info(`${Math.round(rssOfSecond / idleCount)} bytes of RSS for each of a second crowd`);
  expect(rssOfSecond).toBeLessThanOrEqual(SECOND_RSS_BYTES_MAX * idleCount + HEAP_STEP_BYTES);
  await vanished();
});

const LETTERS = 'abcdefghijklmnopqrstuvwxy';

/** Each connection has had an answer, and would take another request. */
async function openIdle(count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const size = Math.min(BATCH, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: size }, openOneIdle))));
  }
  return sockets;
}

async function openOneIdle(): Promise<Socket> {
  const socket = connect(project.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write('GET /idle HTTP/1.1\r\nHost: a\r\n\r\n');
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  if (!bytes.toString().endsWith('/idle ')) throw new Error(`an idle client got ${bytes}`);
  return socket;
}

/** Their heads have gone; of their bodies one byte comes at a time. */
async function openSlow(): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < SLOW) {
    const batch = await Promise.all(Array.from({ length: BATCH }, () => RawClient.connect(project.port)));
    for (const client of batch)
      client.write(`POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: ${BEATS}\r\n\r\n`);
    clients.push(...batch);
  }
  return clients;
}

async function expectAnswered(slow: readonly RawClient[]): Promise<void> {
  const answers = await Promise.all(slow.map((client) => client.answer()));
  expect(answers.every(({ status, body }) => status === 200 && body === `/slow ${LETTERS}`)).toBe(true);
}

/** Four at a time on connections of their own; every one has to succeed. */
async function ordinaryRequests(name: string, count: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(project.port)));
  const run = async (client: RawClient, from: number): Promise<void> => {
    for (let number = from; number < count; number += clients.length) {
      client.received = '';
      client.write(`GET /${name}/${number} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const { status, body } = await client.answer();
      expect([status, body]).toEqual([200, `/${name}/${number} `]);
    }
  };
  await Promise.all(clients.map(run));
  for (const client of clients) client.destroy();
}

/** Requests go on until the connection they come on is the only one. */
async function vanished(): Promise<void> {
  const client = await RawClient.connect(project.port);
  do {
    client.received = '';
    client.write('GET /still HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answer()).status).toBe(200);
  } while ((await clientConnections()) > 1);
  client.destroy();
}

async function openFilesMax(): Promise<number> {
  const limits = await Promise.all(
    [`/proc/${pid}/limits`, '/proc/self/limits'].map((file) => readFile(file, 'utf8')),
  );
  return Math.min(...limits.map((text) => Number(/^Max open files\s+(\d+)/m.exec(text)![1])));
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) * 1024;
}

/** Connections that the gateway has accepted and not closed, as the kernel knows them: ESTABLISHED or CLOSE_WAIT. */
async function clientConnections(): Promise<number> {
  const port = project.port.toString(16).toUpperCase().padStart(4, '0');
  const table = await readFile('/proc/net/tcp', 'utf8');
  return table.match(new RegExp(`^ *\\d+: \\w+:${port} \\w+:\\w+ (01|08) `, 'gm'))?.length ?? 0;
}
