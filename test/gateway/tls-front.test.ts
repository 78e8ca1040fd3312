/** TLS towards clients: versions, names, and certificates that are replaced while requests are served. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { ServedCertificate } from '../../src/gateway/server.ts';
import { makeCertificate } from '../upstream/certificate.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { bundle, route } from './rules.ts';
import { freePort } from './running-gateway.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

const authority = makeCertificate({ name: 'authority' });
let folder: string;
let upstream: UpstreamServer;
let gateway: Gateway;
const seen: string[] = [];
let held: (() => void)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-tls-'));
  upstream = await startUpstream((request, response) => {
    seen.push(String(request.headers['x-forwarded-proto']));
    if (request.url === '/slow') held.push(() => response.end('late'));
    else response.end('ok');
  });
});
afterEach(() => gateway.close());
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await upstream.close();
});

function certificate(name: string, dnsNames: readonly string[]): ServedCertificate {
  const made = makeCertificate({ name, dnsNames, addresses: ['127.0.0.1'] }, authority);
  const files = { certificateFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) };
  writeFileSync(files.certificateFile, made.certificate);
  writeFileSync(files.keyFile, made.key);
  return { ...files, names: dnsNames };
}

async function start(...certificates: readonly ServedCertificate[]): Promise<void> {
  const port = await freePort();
  gateway = await startGateway({
    bundle: bundle([route('all', '/{rest...}')], upstream.port),
    server: { listen: { address: '127.0.0.1', port }, certificates },
    certificates,
  });
}

interface Connection {
  readonly socket: tls.TLSSocket;
  readonly subject: string;
  text: string;
}

async function connect(servername?: string, options: tls.ConnectionOptions = {}): Promise<Connection> {
  const name = servername === undefined ? {} : { servername };
  const socket = tls.connect({
    port: gateway.port,
    host: '127.0.0.1',
    ca: authority.certificate,
    ...name,
    ...options,
  });
  await once(socket, 'secureConnect');
  const connection = { socket, subject: socket.getPeerX509Certificate()!.subject, text: '' };
  socket.on('data', (bytes: Buffer) => {
    connection.text += bytes.toString('latin1');
  });
  return connection;
}

async function ask(connection: Connection, path = '/'): Promise<string> {
  const before = connection.text.length;
  connection.socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`);
  while (!/\r\n\r\n(?:ok|late)$/.test(connection.text.slice(before))) {
    if (connection.socket.closed)
      throw new Error(`the connection ended after ${connection.text.slice(before)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return connection.text.slice(before);
}

test('TLS 1.2 and 1.3, nothing older; services are told of https', async () => {
  await start(certificate('front', ['front.test']));
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const connection = await connect('front.test', { minVersion: version, maxVersion: version });
    expect(await ask(connection)).toContain('200 OK');
    expect(connection.socket.getProtocol()).toBe(version);
    connection.socket.destroy();
  }
  expect(seen.at(-1)).toBe('https');
  const old = connect('front.test', {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'ALL:@SECLEVEL=0',
  });
  await expect(old).rejects.toThrow(/protocol version/);
});

test('each name gets its certificate, wildcards too; all others the first', async () => {
  await start(certificate('front', ['front.test']), certificate('shop', ['shop.test', '*.shop.test']));
  const subjects: string[] = [];
  for (const name of ['shop.test', 'a.shop.test', 'front.test', 'b.test', undefined]) {
    const connection = await connect(name, { rejectUnauthorized: false });
    expect(await ask(connection)).toContain('200 OK');
    subjects.push(connection.subject);
    connection.socket.destroy();
  }
  expect(subjects).toEqual(['CN=shop', 'CN=shop', 'CN=front', 'CN=front', 'CN=front']);
});

test('new certificates: not one request fails, under way or new, and old connections end with their answer', async () => {
  held = [];
  await start(certificate('front', ['front.test']));
  const [kept, idle] = [await connect('front.test'), await connect('front.test')];
  const late = ask(kept, '/slow');
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));

  let isOver = false;
  const subjects = new Map<string, number>();
  const client = async () => {
    while (!isOver) {
      const connection = await connect('front.test');
      expect(await ask(connection)).toContain('200 OK');
      subjects.set(connection.subject, (subjects.get(connection.subject) ?? 0) + 1);
      connection.socket.destroy();
    }
  };
  const clients = Array.from({ length: 8 }, client);
  while ((subjects.get('CN=front') ?? 0) < 20) await new Promise((resolve) => setImmediate(resolve));
  gateway.send({ kind: 'listen', certificates: [certificate('renewed', ['front.test'])] });
  await gateway.said('listening', 2);
  // Kept from being dropped as idle.
  await ask(idle);
  // As long as so many come, both are served.
  while ((subjects.get('CN=renewed') ?? 0) < 40) await new Promise((resolve) => setImmediate(resolve));
  isOver = true;
  await Promise.all(clients);

  // The old socket goes as soon as nobody comes.
  while (!/connection: close/i.test(await ask(idle)));
  held[0]!();
  const ended = once(kept.socket, 'end');
  expect(await late).toMatch(/connection: close/i);
  await ended;
  for (let round = 0; round < 20; round++) expect((await connect('front.test')).subject).toBe('CN=renewed');
});

test('files that can’t be used leave what is served as it is', async () => {
  await start(certificate('front', ['front.test']));
  const wrong = { ...certificate('other', ['front.test']), keyFile: join(folder, 'front.key') };
  gateway.send({ kind: 'listen', certificates: [wrong] });
  expect(await gateway.said('listen-failed')).toMatchObject({
    why: expect.stringContaining('with these certificates'),
  });
  const connection = await connect('front.test');
  expect(connection.subject).toBe('CN=front');
  expect(await ask(connection)).not.toMatch(/connection: close/i);
});

test('a further certificate that can’t be used is no reason to serve the first in its place', async () => {
  await start(certificate('front', ['front.test']));
  const wrong = { ...certificate('shop', ['shop.test']), keyFile: join(folder, 'front.key') };
  gateway.send({ kind: 'listen', certificates: [certificate('front', ['front.test']), wrong] });
  await gateway.said('listen-failed');
  expect((await connect('front.test')).subject).toBe('CN=front');
});
