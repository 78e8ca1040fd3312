import { afterEach, expect, test } from 'vitest';
import { type Gateway, startGateway } from './gateway.ts';
import { bundle, route } from './rules.ts';
import { ok, RawClient, type RawServer, rawServer } from './sockets.ts';

let gateway: Gateway;
let upstream: RawServer;

afterEach(() => {
  gateway.close();
  upstream.close();
});

test('a GET goes to the service and its answer comes back', async () => {
  upstream = await rawServer((socket) => socket.write(ok('hello', 'X-From: service\r\n')));
  gateway = await startGateway({ bundle: bundle([route('all', '/{rest...}')], upstream.port) });
  const client = await RawClient.connect(gateway.port);
  client.write('GET /a/b?x=1 HTTP/1.1\r\nHost: example.com\r\nX-Mine: 1\r\nX-Request-Id: forged\r\n\r\n');
  const answer = await client.answer();
  expect(answer.status).toBe(200);
  expect(answer.body).toBe('hello');
  expect(answer.fields.get('x-from')).toBe('service');
  expect(answer.fields.get('x-request-id')).toMatch(/^[0-9a-f]{16}$/);
  const request = upstream.requests[0]!;
  expect(request).toMatch(/^GET \/a\/b\?x=1 HTTP\/1\.1\r\n/);
  expect(request).toContain('x-mine: 1\r\n');
  expect(request).toContain('x-forwarded-for: 127.0.0.1\r\n');
  expect(request).not.toContain('forged');
  await gateway.recorded(1);
  expect(gateway.records[0]).toMatchObject({ status: 200, route: 'all', responseBytes: 5, code: '' });
});

test('a POST carries its body', async () => {
  upstream = await rawServer((socket, request) => socket.write(ok(request.split('\r\n\r\n')[1]!)));
  gateway = await startGateway({ bundle: bundle([route('all', '/{rest...}')], upstream.port) });
  const client = await RawClient.connect(gateway.port);
  client.write('POST /a HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\n\r\nbody');
  expect((await client.answer()).body).toBe('body');
  await gateway.recorded(1);
  expect(gateway.records[0]).toMatchObject({ status: 200, requestBytes: 4, responseBytes: 4 });
});
