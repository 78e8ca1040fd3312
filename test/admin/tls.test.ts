/** The admin API over TLS: who it is, before it is shown a token, and certificates that are replaced while it is asked. */
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import tls from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import type { AdminAccess, ServerProof } from '../../src/admin/access-file.ts';
import { LOCAL, STATUS, serverOptions } from '../../src/admin/admin.cases.ts';
import { requestStatus } from '../../src/admin/client.ts';
import { fingerprintOf } from '../../src/admin/proven-connection.ts';
import { type AdminServer, createAdminServer } from '../../src/admin/server.ts';
import { LIMIT_DEFAULTS } from '../../src/base/limits.ts';
import { type Certificate, makeCertificate } from '../upstream/certificate.ts';

const authority = makeCertificate({ name: 'authority' });
const first = makeCertificate(
  { name: 'first', dnsNames: ['gateway.example', 'localhost'], addresses: ['127.0.0.1'] },
  authority,
);
const second = makeCertificate(
  { name: 'second', dnsNames: ['renewed.example'], addresses: ['127.0.0.1'] },
  authority,
);
const nameless = makeCertificate({ name: 'nameless', dnsNames: ['elsewhere.example'] }, authority);

const unmake: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of unmake.splice(0).reverse()) await each();
});

function served(made: Certificate, names: readonly string[] = []) {
  return { certificate: made.certificate, key: made.key, names };
}

async function open(made: Certificate, names: readonly string[] = [], limits = LIMIT_DEFAULTS) {
  const server = await createAdminServer({ ...serverOptions({}, limits), certificate: served(made, names) });
  if (!server.ok) throw new Error(server.error);
  unmake.push(() => server.value.close());
  return server.value;
}

function access(server: AdminServer, proof: ServerProof, address = '127.0.0.1'): AdminAccess {
  return { listen: { address, port: server.listen.port }, token: LOCAL.token, tls: proof };
}

const VERIFIED: ServerProof = { kind: 'verified', authorities: authority.certificate };
const pinned = (...made: readonly Certificate[]): ServerProof => ({
  kind: 'pinned',
  fingerprints: made.map(({ der }) => fingerprintOf(der)),
});

async function whyNot(asked: AdminAccess): Promise<string> {
  const answer = await requestStatus(asked);
  return answer.ok ? 'it was asked' : answer.error.message;
}

interface Connection {
  readonly socket: tls.TLSSocket;
  readonly subject: string;
  /** Of the answer that comes next. */
  ask(host: string): Promise<number>;
}

async function connection(server: AdminServer, options: tls.ConnectionOptions = {}): Promise<Connection> {
  const at = { host: '127.0.0.1', port: server.listen.port, ca: authority.certificate };
  const socket = tls.connect({ ...at, ...options });
  unmake.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  const ask = async (host: string): Promise<number> => {
    const lines = ['GET /healthz HTTP/1.1', `Host: ${host}`, '', ''];
    socket.write(lines.join('\r\n'));
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    return Number(bytes.toString('latin1').split(' ')[1]);
  };
  return { socket, subject: socket.getPeerX509Certificate()!.subject, ask };
}

it('is asked by whoever knows its certificate, or who vouches for it', async () => {
  const server = await open(first);
  for (const asked of [
    access(server, VERIFIED),
    access(server, VERIFIED, 'localhost'),
    access(server, pinned(first)),
    access(server, pinned(second, first)),
    // the certificate was not made for this name, and a pin does not ask
    access(await open(nameless), pinned(nameless)),
  ])
    expect([asked, await requestStatus(asked)]).toEqual([asked, { ok: true, value: STATUS }]);
});

it('is not shown the token where it is another, or nobody vouches for it', async () => {
  const received: Buffer[] = [];
  const stranger = tls.createServer({ cert: first.certificate, key: first.key }, (socket) => {
    socket.on('data', (bytes) => received.push(bytes)).on('error', () => {});
  });
  stranger.listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  unmake.push(() => stranger.close());
  const { port } = stranger.address() as { port: number };
  const at = (proof: ServerProof): AdminAccess => ({
    listen: { address: '127.0.0.1', port },
    token: LOCAL.token,
    tls: proof,
  });
  const where = `The gateway on 127.0.0.1:${port} could not be asked: `;
  expect(await whyNot(at(pinned(second)))).toBe(
    `${where}it shows another certificate than the gateway of this data folder.`,
  );
  expect(await whyNot(at({ kind: 'verified', authorities: null }))).toMatch(
    /; name its authority with --ca FILE, and a host that its certificate is for\.$/,
  );
  expect(await whyNot(at({ kind: 'verified', authorities: second.certificate }))).toContain('--ca FILE');
  expect(await whyNot(access(await open(nameless), VERIFIED))).toMatch(/IP: 127\.0\.0\.1.*--ca FILE/);
  expect(received).toEqual([]);
});

it('says that nothing listens', async () => {
  const server = await open(first);
  await server.close();
  expect(await requestStatus(access(server, VERIFIED))).toMatchObject({
    ok: false,
    error: { kind: 'not-running' },
  });
});

it('answers to addresses, localhost and names of its certificate, and to no others', async () => {
  const server = await open(first, ['gateway.example']);
  const { ask } = await connection(server);
  for (const host of ['gateway.example:9090', 'localhost', '127.0.0.1']) expect(await ask(host)).toBe(200);
  expect(await ask('evil.example')).toBe(421);
  server.serveCertificate(served(second, ['renewed.example']));
  const renewed = await connection(server);
  expect(await renewed.ask('renewed.example')).toBe(200);
  expect(await renewed.ask('gateway.example')).toBe(421);
});

it('shows a new certificate to new connections, and ends none', async () => {
  const server = await open(first);
  const before = await connection(server);
  expect(await before.ask('localhost')).toBe(200);
  expect(server.serveCertificate(served(second))).toEqual({ ok: true, value: undefined });
  const after = await connection(server);
  expect([before.subject, after.subject]).toEqual(['CN=first', 'CN=second']);
  expect(await before.ask('localhost')).toBe(200);
  expect(await after.ask('localhost')).toBe(200);
});

it('goes on with the old one where certificate and key are no pair', async () => {
  const server = await open(first);
  const refused = server.serveCertificate({ ...served(second), key: first.key });
  expect(refused.ok ? '' : refused.error).toMatch(/^The admin API can't serve the certificate: .*mismatch/);
  expect((await connection(server)).subject).toBe('CN=first');
});

it('speaks TLS 1.2 and 1.3, nothing older, and ends who does not speak it or does not go on', async () => {
  const server = await open(first, [], { ...LIMIT_DEFAULTS, adminRequestMs: 100 });
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { socket } = await connection(server, { minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
  }
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
  await expect(connection(server, old)).rejects.toThrow();
  for (const text of ['GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', '']) {
    const plain = connectPlain(server.listen.port, '127.0.0.1', () => plain.write(text));
    plain.on('error', () => {}).resume();
    await once(plain, 'close');
  }
});
