import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { CheckTarget, Probe } from './health-checks.ts';
import { endpointHead } from './request-head.ts';
import type { After } from './timers.ts';

/** Asks once over a connection of its own; the status decides, no body is read. */
export function httpProbe(after: After): Probe {
  return (target) =>
    new Promise((resolve) => {
      const { timeoutMs } = target.settings;
      let cancel = (): void => {};
      const request = begin(target);
      const settle = (why: string | null): void => {
        cancel();
        request.destroy();
        resolve(why);
      };
      cancel = after(timeoutMs, () => settle(`no answer within ${timeoutMs} ms`));
      request.on('response', ({ statusCode }) => settle(statusFault(statusCode!, target.settings.expect)));
      request.on('error', (error) => settle(error.message));
      request.end();
    });
}

/** Null for a status that is good. */
export function statusFault(status: number, expected: readonly number[]): string | null {
  const isGood = expected.length === 0 ? status >= 200 && status <= 299 : expected.includes(status);
  return isGood ? null : `status ${status}`;
}

function begin({ endpoint, address, settings, tls, files }: CheckTarget): http.ClientRequest {
  const options: http.RequestOptions = {
    host: address ?? endpoint.host,
    port: endpoint.port,
    path: endpoint.basePath + settings.path,
    agent: false,
    maxHeaderSize: HEADER_BYTES_MAX,
    headers: { host: endpointHead(endpoint).authority, 'user-agent': 'portunus-health', accept: '*/*' },
  };
  if (endpoint.protocol === 'http') return http.request(options);
  const name = tls.serverName ?? endpoint.host;
  return https.request({
    ...options,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(files.ca === null ? {} : { ca: files.ca }),
    ...(files.certificate === null ? {} : { cert: files.certificate, key: files.key! }),
  });
}

const HEADER_BYTES_MAX = 16_384;
