import { isIPv6 } from 'node:net';
import type { Endpoint, HealthCheckSettings, OutlierSettings, Service } from '../../model/world.ts';
import type { CallDocument, HealthDocument, RoutesDocument, ServiceDocument } from '../documents.ts';
import { below, type Here, type Report, valueAt } from '../finding.ts';
import { isHost } from '../shape/hosts.ts';
import { clip } from '../show.ts';
import { count, durationMs, share } from './literals.ts';
import { definitionsOf, type NameTable } from './names.ts';
import { resolvePath } from './paths.ts';
import type { Files } from './sources.ts';

export function buildServices(
  files: Files<RoutesDocument>,
  names: NameTable,
  projectFolder: string,
  report: Report,
): ReadonlyMap<string, Service> {
  const services = new Map<string, Service>();
  for (const { name, here, definition } of definitionsOf(files, 'services', names)) {
    services.set(name, {
      name,
      owner: definition.owner ?? null,
      endpoints: buildEndpoints(definition.endpoints, below(here, 'endpoints'), report),
      ...buildCalls(definition, 'beside-others', here, projectFolder, report),
    });
  }
  return services;
}

/** How a service is called, wherever it is. */
export function buildCalls(
  document: CallDocument,
  judged: OutlierSettings['judged'],
  here: Here,
  projectFolder: string,
  report: Report,
): Omit<Service, 'name' | 'owner' | 'endpoints'> {
  const file = (name: 'ca' | 'certificate' | 'key'): string | null => {
    const written = document.tls[name];
    return written === undefined
      ? null
      : resolvePath(written, below(here, 'tls', name), projectFolder, report);
  };
  const { certificate, key, serverName } = document.tls;
  if ((certificate === undefined) !== (key === undefined))
    reportAlone(certificate, below(here, 'tls'), report);
  return {
    timeouts: {
      connectMs: durationMs(document.timeouts.connect),
      firstByteMs: durationMs(document.timeouts.firstByte),
      idleMs: durationMs(document.timeouts.idle),
      totalMs: durationMs(document.timeouts.total),
    },
    tls: {
      caFile: file('ca'),
      certificateFile: file('certificate'),
      keyFile: file('key'),
      serverName: serverName?.toLowerCase() ?? null,
    },
    health: document.health === undefined ? null : healthOf(document.health),
    outliers: outliersOf(document.outliers, judged),
    slowStartMs: durationMs(document.slowStart),
    resolveMs: durationMs(document.resolve),
    retries: { share: share(document.retries.share), attempts: count(document.retries.attempts) },
    place: here.file.placeOf(here.path),
  };
}

function reportAlone(certificate: string | undefined, here: Here, report: Report): void {
  const [given, missing] = certificate === undefined ? ['key', 'certificate'] : ['certificate', 'key'];
  report({
    code: 'PT3119',
    message: `There is a ${given} without its ${missing}.`,
    target: valueAt(below(here, given)),
    help: `Name the file of the ${missing} as well, or remove this line.`,
  });
}

function healthOf(document: HealthDocument): HealthCheckSettings {
  return {
    path: document.path,
    everyMs: durationMs(document.every),
    timeoutMs: durationMs(document.timeout),
    healthyAfter: count(document.healthyAfter),
    unhealthyAfter: count(document.unhealthyAfter),
    expect: document.expect ?? [],
  };
}

function outliersOf(
  document: ServiceDocument['outliers'],
  judged: OutlierSettings['judged'],
): OutlierSettings {
  return {
    judged,
    failures: count(document.failures),
    errorShare: share(document.errorShare),
    windowMs: durationMs(document.window),
    requestsMin: count(document.requests),
    firstMs: durationMs(document.first),
    longestMs: durationMs(document.longest),
    outMax: share(document.outAtMost),
  };
}

function buildEndpoints(
  documents: ServiceDocument['endpoints'],
  here: Here,
  report: Report,
): readonly Endpoint[] {
  const endpoints: Endpoint[] = [];
  const seen = new Map<string, number>();
  for (const [index, { url, weight }] of documents.entries()) {
    const parsed = readEndpoint(url, below(here, index, 'url'), report);
    if (parsed === null) continue;
    const key = `${parsed.protocol} ${parsed.host} ${parsed.port} ${parsed.basePath}`;
    const first = seen.get(key);
    if (first !== undefined) reportSame(first, index, here, report);
    else seen.set(key, index);
    endpoints.push({ ...parsed, weight: count(weight) });
  }
  return endpoints;
}

/** Null for a URL that leads nowhere, which is reported. */
export function readEndpoint(url: string, here: Here, report: Report): Omit<Endpoint, 'weight'> | null {
  const parsed = parseEndpoint(url);
  if (!('fault' in parsed)) return parsed;
  const message = `"${clip(url)}" ${parsed.fault}`;
  report({ code: 'PT3113', message, target: valueAt(here), help: parsed.help });
  return null;
}

function reportSame(first: number, second: number, here: Here, report: Report): void {
  report({
    code: 'PT3108',
    message: `Endpoints ${first + 1} and ${second + 1} are the same.`,
    target: valueAt(below(here, second, 'url')),
    help: 'Remove one of them; weight says how much an endpoint gets.',
    related: [{ target: valueAt(below(here, first, 'url')), message: 'first written here' }],
  });
}

/** Not `new URL`, which repairs what it reads: `http:/a\b` and `http://127.1` would be accepted as something else. */
const URL_PARTS = /^(https?):\/\/(\[[^\]]*\]|[^/?#@[\]:]*)(?::(\d+))?(\/[^?#]*)?$/;
const PATH = /^(?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})+)*\/?$/;
const DEFAULT_PORTS = { http: 80, https: 443 } as const;
const PORT_MAX = 65_535;

type ParsedEndpoint = Omit<Endpoint, 'weight'> | { readonly fault: string; readonly help: string };

function parseEndpoint(url: string): ParsedEndpoint {
  const match = URL_PARTS.exec(url);
  if (match === null) return { fault: 'is not an endpoint.', help: urlHelp(url) };
  const protocol = match[1] as 'http' | 'https';
  const host = bareHost(match[2]!);
  if (host === null)
    return { fault: 'has no host that can be called.', help: 'Write a host name or an IP address.' };
  const port = match[3] === undefined ? DEFAULT_PORTS[protocol] : Number(match[3]);
  if (port < 1 || port > PORT_MAX)
    return { fault: 'has no possible port.', help: `Ports go from 1 to ${PORT_MAX}.` };
  const basePath = (match[4] ?? '').replace(/\/$/, '');
  if (!PATH.test(basePath) || /\/\.{1,2}(?:\/|$)/.test(basePath)) {
    return {
      fault: 'has a path that is not in its normal form.',
      help: 'Write the path without dot segments, doubled slashes and characters that need escapes.',
    };
  }
  return { protocol, host, port, basePath };
}

function bareHost(written: string): string | null {
  if (!written.startsWith('[')) return isHost(written) ? written.toLowerCase() : null;
  const address = written.slice(1, -1);
  return isIPv6(address) && !address.includes('%') ? address.toLowerCase() : null;
}

function urlHelp(url: string): string {
  if (url.includes('@')) return 'Remove what stands before the @: credentials do not belong into a URL.';
  if (/[?#]/.test(url)) return 'Remove the query or fragment: they come with each request.';
  return 'Write it like http://127.0.0.1:9001 or https://orders.example.com/api.';
}
