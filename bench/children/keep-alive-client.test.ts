import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { KeepAliveClient, type PlannedRequest } from './keep-alive-client.ts';
import { Ledger } from './ledger.ts';

const REQUEST: PlannedRequest = { id: 5, dueMs: 0, method: 'POST', path: '/v1/items/42', body: '{"id":5}' };
const GOOD = '{"id":5,"seen":1,"version":"3","bodyBytes":8}';

function answer(json: string, status = '200 OK', fields = ''): string {
  return `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${json.length}\r\n\r\n${json}`;
}

let server: Server;
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** Sends the requests, one after the other, to a server that handles each with `respond`. */
async function exchange(times: number, respond: (socket: Socket) => void) {
  const seen: string[] = [];
  let connections = 0;
  server = createServer((socket) => {
    connections += 1;
    socket.on('data', (data) => {
      seen.push(data.toString());
      respond(socket);
    });
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ledger = new Ledger();
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    let sent = 1;
    const client = new KeepAliveClient(port, 'host: a\r\n', ledger, () => {
      if (sent === times) {
        client.close();
        resolve();
      } else {
        sent += 1;
        client.send(REQUEST);
      }
    });
    client.send(REQUEST);
  });
  return { seen, connections, report: ledger.report() };
}

describe('a keep-alive client', () => {
  it('sends requests over one connection and books right answers', async () => {
    const { seen, connections, report } = await exchange(3, (socket) => socket.write(answer(GOOD)));
    expect(seen[0]).toBe('POST /v1/items/42?id=5 HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\n{"id":5}');
    expect(connections).toBe(1);
    expect(report).toMatchObject({ answered: 3, failures: {}, versions: 1 });
  });

  it('opens another connection when the answer announces the close of this one', async () => {
    const { connections, report } = await exchange(2, (socket) =>
      socket.end(answer(GOOD, '200 OK', 'Connection: close\r\n')),
    );
    expect(connections).toBe(2);
    expect(report).toMatchObject({ answered: 2, failures: {} });
  });

  it.each([
    ['status 503: {}', answer('{}', '503 Service Unavailable')],
    ['answer to another request', answer(GOOD.replace('5', '6'))],
    ['request came upstream more than once', answer(GOOD.replace('"seen":1', '"seen":2'))],
    ['request body of another length upstream', answer(GOOD.replace('8', '7'))],
    ['answer that did not come from the upstream', answer('hello')],
  ])('books "%s"', async (failure, text) => {
    const { report } = await exchange(2, (socket) => socket.write(text));
    expect(report).toMatchObject({ answered: 0, failures: { [failure]: 2 } });
  });

  it.each([
    ['connection closed before the answer was whole', answer(GOOD).slice(0, -1)],
    ['connection closed before the answer was whole', ''],
    ['answer that is no HTTP/1.1: answer without framing: ', 'HTTP/1.1 200 OK\r\n\r\n'],
  ])('books "%s" and goes on with another connection', async (failure, text) => {
    const { report, connections } = await exchange(2, (socket) => socket.end(text));
    expect(report).toMatchObject({ answered: 0, failures: { [failure]: 2 } });
    expect(connections).toBe(2);
  });
});
