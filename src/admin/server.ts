import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LimitValues } from '../base/limits.ts';
import { err, ok, type Result } from '../base/result.ts';
import { createAdminTokenTest } from '../governance/admin-token.ts';
import type { ListenAddress } from '../model/world.ts';
import type { AdminActions } from './actions.ts';
import { isLocalHost } from './host-check.ts';
import { ADMIN_PROBLEMS, type AdminProblemCode } from './problems.ts';
import { ADMIN_ROUTES, type AdminRoute } from './routes.ts';

export interface AdminServerOptions {
  readonly actions: AdminActions;
  /** See `governance/admin-token`. */
  readonly tokenHash: string;
  readonly listen: ListenAddress;
  readonly limits: Pick<LimitValues, 'adminHeaderBytes' | 'adminRequestMs' | 'adminConnections'>;
  /** An action threw: a defect of the gateway, for its log. The caller is told `internal_error`. */
  readonly onDefect: (error: unknown) => void;
}

export interface AdminServer {
  /** Where it listens: with the port that the system chose when port 0 was asked for. */
  readonly listen: ListenAddress;
  /** Answers what is in flight, for at most two seconds, and closes every connection. */
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 5_000;
const CLOSE_MS = 2_000;
const TIMEOUT_CHECK_MS = 1_000;

/** Opens the admin API. The error is one sentence: which address, and what the system said. */
export function createAdminServer(options: AdminServerOptions): Promise<Result<AdminServer, string>> {
  const { listen, limits } = options;
  const server = createServer({
    maxHeaderSize: limits.adminHeaderBytes,
    headersTimeout: limits.adminRequestMs,
    requestTimeout: limits.adminRequestMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  });
  server.maxConnections = limits.adminConnections;
  server.on('request', createHandler(options));
  return new Promise((resolve) => {
    server.once('error', (error) =>
      resolve(err(`The admin API can't listen on ${listen.address}:${listen.port}: ${error.message}.`)),
    );
    server.listen({ host: listen.address, port: listen.port, exclusive: true }, () => {
      const { port } = server.address() as AddressInfo;
      resolve(ok({ listen: { address: listen.address, port }, close: () => close(server) }));
    });
  });
}

function createHandler(options: AdminServerOptions) {
  const isAdminToken = createAdminTokenTest(options.tokenHash);
  return (request: IncomingMessage, response: ServerResponse): void => {
    const admitted = admit(request, isAdminToken);
    if (typeof admitted === 'string') {
      sendProblem(response, admitted, allowedMethods(request.url));
      return;
    }
    run(admitted, options, response);
  };
}

/** The route a request may use, or why it may not. Without token nobody learns which paths exist. */
function admit(
  request: IncomingMessage,
  isAdminToken: (presented: string) => boolean,
): AdminRoute | AdminProblemCode {
  const hosts = request.headersDistinct.host ?? [];
  if (hosts.length !== 1 || !isLocalHost(hosts[0]!)) return 'host_not_allowed';
  const candidates = ADMIN_ROUTES.filter(({ path }) => path === request.url);
  const route = candidates.find(({ method }) => method === request.method);
  const authorisation = route?.authorisation ?? 'admin';
  if (authorisation !== 'anyone' && !isAdminToken(bearerToken(request))) return 'unauthenticated';
  if (route === undefined) return candidates.length === 0 ? 'not_found' : 'method_not_allowed';
  return hasBody(request) ? 'body_not_expected' : route;
}

/** RFC 6750, 2.1; '' when there is none or there are several. */
function bearerToken(request: IncomingMessage): string {
  const fields = request.headersDistinct.authorization ?? [];
  const [scheme, token, ...rest] = fields.length === 1 ? fields[0]!.split(' ') : [];
  return scheme?.toLowerCase() === 'bearer' && token !== undefined && rest.length === 0 ? token : '';
}

function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function allowedMethods(url: string | undefined): string {
  return ADMIN_ROUTES.filter(({ path }) => path === url)
    .map(({ method }) => method)
    .join(', ');
}

async function run(route: AdminRoute, options: AdminServerOptions, response: ServerResponse): Promise<void> {
  try {
    const { status, body } = await route.answer(options.actions);
    send(response, status, 'application/json', body);
  } catch (error) {
    options.onDefect(error);
    sendProblem(response, 'internal_error', '');
  }
}

function sendProblem(response: ServerResponse, code: AdminProblemCode, allow: string): void {
  const problem = ADMIN_PROBLEMS[code];
  if (code === 'unauthenticated') response.setHeader('WWW-Authenticate', 'Bearer realm="portunus admin"');
  if (code === 'method_not_allowed') response.setHeader('Allow', allow);
  // What follows on the connection may be a body that nobody reads.
  response.setHeader('Connection', 'close');
  send(response, problem.status, 'application/problem+json', { type: 'about:blank', ...problem, code });
}

function send(response: ServerResponse, status: number, contentType: string, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
