import type tls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../test/upstream/certificate.ts';
import { ClientHarness, exchange, OK, post, request, serviceOf, turns } from '../../test/upstream/harness.ts';
import { type Peer, RawServer } from '../../test/upstream/raw-server.ts';
import type { Service } from '../model/world.ts';
import type { UpstreamService } from '../pipeline/upstream.ts';

const authority = makeCertificate({ name: 'Test Authority' });
const stranger = makeCertificate({ name: 'Another Authority' });
const leaf = { name: 'upstream', dnsNames: ['upstream.test', 'localhost'], addresses: ['127.0.0.1'] };
const good = makeCertificate(leaf, authority);
const FILES = { '/ca.pem': authority.certificate, '/garbage.pem': 'not a certificate' };

const servers: RawServer[] = [];
const clients: ClientHarness[] = [];

afterEach(async () => {
  for (const harness of clients.splice(0)) harness.upstream.close();
  for (const server of servers.splice(0)) await server.stop();
});

async function serve(
  options: tls.TlsOptions | null = { cert: good.certificate, key: good.key },
  script: (peer: Peer) => void | Promise<void> = answerAll,
): Promise<RawServer> {
  const server = await RawServer.start(script, options);
  servers.push(server);
  return server;
}

async function answerAll(peer: Peer): Promise<void> {
  while ((await peer.request()) !== null) await peer.send(OK);
}

interface Settings {
  readonly host?: string;
  readonly caFile?: string | null;
  readonly serverName?: string | null;
}

function secureService(server: RawServer, settings: Settings = {}): UpstreamService {
  const harness = new ClientHarness({}, FILES);
  clients.push(harness);
  const { host = '127.0.0.1', caFile = '/ca.pem', serverName = null } = settings;
  const service = serviceOf({ protocol: 'https', host, port: server.port });
  return harness.open({ ...service, tls: { ...service.tls, caFile, serverName } });
}

describe('https upstreams', () => {
  test('an own authority, by address', async () => {
    const server = await serve();
    const service = secureService(server);
    expect(await exchange(service, post('hello'), 'hello').outcome).toMatchObject({
      body: 'ok',
      error: null,
    });
    expect((await exchange(service, request()).outcome).body).toBe('ok');
    expect(server.peers.length).toBe(1);
    const socket = server.peers[0]!.socket as tls.TLSSocket & { servername: string | false };
    // RFC 6066, 3: an address is no server name.
    expect(socket.servername).toBe(false);
    expect(socket.alpnProtocol).toBe(false);
  });

  test('by name, and by a name that differs from the host', async () => {
    const server = await serve();
    for (const settings of [{ host: 'localhost' }, { serverName: 'upstream.test' }]) {
      expect((await exchange(secureService(server, settings), request()).outcome).body).toBe('ok');
    }
    const names = server.peers.map(
      (peer) => (peer.socket as tls.TLSSocket & { servername: string }).servername,
    );
    expect(names).toEqual(['localhost', 'upstream.test']);
  });

  test('the session is resumed', async () => {
    const resumed: boolean[] = [];
    const server = await serve(undefined, async (peer) => {
      resumed.push((peer.socket as tls.TLSSocket).isSessionReused());
      await peer.request();
      await peer.send(OK.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
    });
    const service = secureService(server);
    for (let round = 0; round < 3; round++) {
      expect((await exchange(service, request()).outcome).body).toBe('ok');
    }
    expect(resumed).toEqual([false, true, true]);
  });

  test('large bodies both ways, with a pause', async () => {
    const large = 'z'.repeat(2_000_000);
    const server = await serve(undefined, async (peer) => {
      await peer.request();
      await peer.send(`HTTP/1.1 200 OK\r\ncontent-length: ${large.length}\r\n\r\n${large}`);
    });
    const { call, outcome, head, body } = exchange(secureService(server), post(large), large);
    await head;
    call.pause();
    await turns(20);
    const before = body().length;
    await turns(20);
    expect(body().length).toBe(before);
    expect(before).toBeLessThan(large.length);
    call.resume();
    expect((await outcome).body).toBe(large);
  });

  const refused: readonly [name: string, options: tls.TlsOptions, settings: Settings, detail: string][] = [
    [
      'an unknown authority',
      { cert: good.certificate, key: good.key },
      { caFile: null },
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    ['another authority', pair(makeCertificate(leaf, stranger)), {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['a certificate that vouches for itself', pair(makeCertificate(leaf)), {}, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [
      'a certificate for another name',
      pair(good),
      { serverName: 'other.test' },
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    [
      'a certificate without the address',
      pair(makeCertificate({ name: 'x', dnsNames: ['upstream.test'] }, authority)),
      {},
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    [
      'an expired certificate',
      pair(makeCertificate({ ...leaf, years: [2000, 2001] }, authority)),
      {},
      'CERT_HAS_EXPIRED',
    ],
    [
      'a certificate from the future',
      pair(makeCertificate({ ...leaf, years: [2048, 2049] }, authority)),
      {},
      'CERT_NOT_YET_VALID',
    ],
  ];

  test.each(refused)('%s is refused before anything is sent', async (_, options, settings, detail) => {
    const server = await serve(options);
    const { error } = await exchange(secureService(server, settings), post('secret'), 'secret').outcome;
    expect(error).toMatchObject({ code: 'upstream_tls_failed', attempts: 1, unprocessed: true });
    expect(error!.detail).toContain(detail);
    expect(server.peers.every((peer) => peer.received === '')).toBe(true);
  });

  test('a server that speaks no TLS', async () => {
    const server = await serve(null, async (peer) => {
      await peer.sees('\x16\x03');
      await peer.send('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const { error } = await exchange(secureService(server), post('x'), 'x').outcome;
    expect(error).toMatchObject({ code: 'upstream_tls_failed', unprocessed: true });
  });

  test('a server that closes in the handshake', async () => {
    const server = await serve(null, async (peer) => {
      await peer.sees('\x16\x03');
      peer.end();
    });
    const { error } = await exchange(secureService(server), post('x'), 'x').outcome;
    expect(error).toMatchObject({ code: 'upstream_tls_failed', unprocessed: true });
  });

  test('a CA file without certificate is said when the service is opened', async () => {
    const server = await serve();
    expect(() => secureService(server, { caFile: '/garbage.pem' })).toThrow(
      '/garbage.pem holds no readable PEM certificate',
    );
  });

  test('a client certificate, read again with each version', async () => {
    const [first, second] = [1, 2].map((number) => makeCertificate({ name: `client ${number}` }, authority));
    const files: Record<string, string> = {
      ...FILES,
      '/client.pem': first!.certificate,
      '/client.key': first!.key,
    };
    const harness = new ClientHarness({}, files);
    clients.push(harness);
    const server = await serve({
      cert: good.certificate,
      key: good.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const service: Service = {
      ...serviceOf({ protocol: 'https', port: server.port }),
      tls: { caFile: '/ca.pem', certificateFile: '/client.pem', keyFile: '/client.key', serverName: null },
    };
    const subjects: string[] = [];
    const ask = async (): Promise<void> => {
      expect((await exchange(harness.open(service), request()).outcome).error).toBeNull();
      const socket = server.peers.at(-1)!.socket as tls.TLSSocket;
      subjects.push(socket.getPeerX509Certificate()!.subject);
    };
    await ask();
    await ask();
    expect(server.peers).toHaveLength(1);
    Object.assign(files, { '/client.pem': second!.certificate, '/client.key': second!.key });
    await ask();
    expect(subjects).toEqual(['CN=client 1', 'CN=client 1', 'CN=client 2']);
    files['/client.key'] = first!.key;
    await expect(ask()).rejects.toThrow('/client.key is not the key of the certificate in /client.pem');
    files['/client.key'] = 'none';
    await expect(ask()).rejects.toThrow('/client.key holds no readable PEM private key');
  });
});

function pair({ certificate, key }: { certificate: string; key: string }): tls.TlsOptions {
  return { cert: certificate, key };
}
