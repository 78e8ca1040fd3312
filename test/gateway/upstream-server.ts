import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An upstream that a test scripts: it sees every request, and the test decides how it answers. */
export interface UpstreamServer {
  readonly port: number;
  readonly requests: readonly string[];
  close(): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const ANSWER_JSON: Answer = (_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end('{"fine":true}');
};

export async function startUpstream(answer: Answer = ANSWER_JSON): Promise<UpstreamServer> {
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
