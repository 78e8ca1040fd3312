import { LIMIT_DEFAULTS, LIMITS, type LimitName, type LimitValues } from '../../base/limits.ts';
import { isDiscoverableIssuer } from '../../model/issuer-address.ts';
import type {
  CertificateFiles,
  ClientCertificateSettings,
  HistorySettings,
  ListenAddress,
  ServerSettings,
  SignatureSettings,
  TokenIssuer,
  TraceSettings,
} from '../../model/world.ts';
import type {
  CertificateDocument,
  FrontTlsDocument,
  ListenDocument,
  PortunusDocument,
  TokenIssuerDocument,
} from '../documents.ts';
import { below, type Here, type Report, valueAt } from '../finding.ts';
import { show } from '../show.ts';
import { count, durationMs, share, sizeBytes } from './literals.ts';
import { resolvePath } from './paths.ts';
import type { Checked } from './sources.ts';

/** Settings of the server. */
export function buildServer(
  { file, document }: Checked<PortunusDocument>,
  projectFolder: string,
  report: Report,
): ServerSettings {
  const root: Here = { file, path: [] };
  const listen = listenAddress(document.listen);
  const admin = listenAddress(document.admin);
  checkAdmin(listen, { ...admin, tls: document.admin.tls }, root, report);
  const dataFolder = resolvePath(document.data, below(root, 'data'), projectFolder, report);
  return {
    listen,
    certificates: certificates(document.listen.tls, below(root, 'listen', 'tls'), projectFolder, report),
    admin,
    adminCertificate:
      document.admin.tls === undefined
        ? null
        : certificateFiles(document.admin.tls, below(root, 'admin', 'tls'), projectFolder, report),
    dataThreads: document.dataThreads === 'auto' ? 'auto' : count(document.dataThreads),
    dataFolder: dataFolder ?? projectFolder,
    refuseChunkedRequests: document.refuseChunkedRequests,
    forwardedFields: document.forwardedFields,
    mergeSlashes: document.mergeSlashes,
    tellCosts: document.tellCosts,
    tokenIssuers: tokenIssuers(document.tokenIssuers, below(root, 'tokenIssuers'), report),
    clientCertificates: clientCertificates(document.clientCertificates, root, projectFolder, report),
    signatures: signatureSettings(document.signatures),
    history: historySettings(document.history),
    traces: traceSettings(document.traces),
  };
}

function traceSettings(document: PortunusDocument['traces']): TraceSettings | null {
  return document === undefined ? null : { endpoint: document.endpoint, share: share(document.share) };
}

function historySettings({ log, minutes, hours, days }: PortunusDocument['history']): HistorySettings {
  return {
    logBytes: sizeBytes(log.size),
    logAgeMs: durationMs(log.age),
    minutesMs: durationMs(minutes),
    hoursMs: durationMs(hours),
    daysMs: durationMs(days),
  };
}

function clientCertificates(
  document: PortunusDocument['clientCertificates'],
  root: Here,
  projectFolder: string,
  report: Report,
): ClientCertificateSettings | null {
  if (document === undefined) return null;
  const { trustedProxies, authorities } = document;
  const here = below(root, 'clientCertificates', 'authorities');
  return {
    trustedProxies,
    authoritiesFile: authorities === undefined ? null : resolvePath(authorities, here, projectFolder, report),
  };
}

function signatureSettings(document: PortunusDocument['signatures']): SignatureSettings {
  const { components, maxAge, clockSkew } = document;
  return { components, maxAgeMs: durationMs(maxAge), clockSkewMs: durationMs(clockSkew) };
}

function tokenIssuers(
  documents: PortunusDocument['tokenIssuers'],
  here: Here,
  report: Report,
): readonly TokenIssuer[] {
  const issuers = Object.entries(documents).map(([name, issuer]) => tokenIssuer(name, issuer));
  for (const { name, issuer, keys } of issuers) {
    if (keys.from === 'address' || isDiscoverableIssuer(issuer)) continue;
    report({
      code: 'PT3212',
      message: `${show(issuer)} can't be asked where its keys are.`,
      target: valueAt(below(here, name, 'issuer')),
      help: 'Write the https address that the issuer names itself by, without query; or for keys the address at which they lie.',
    });
  }
  for (const [at, { name, issuer, audience }] of issuers.entries()) {
    for (const before of issuers.slice(0, at)) {
      const shared =
        before.issuer === issuer ? before.audience.find((each) => audience.includes(each)) : undefined;
      if (shared === undefined) continue;
      report({
        code: 'PT3208',
        message: `A token from ${show(issuer)} for ${show(shared)} could be of "${before.name}" or of "${name}".`,
        target: valueAt(below(here, name, 'audience')),
        help: 'Give each of them audiences of its own, or make one of both.',
        related: [{ target: valueAt(below(here, before.name, 'audience')), message: 'the other one' }],
      });
    }
  }
  return issuers;
}

const CLAIM = 'claim:';
const DISCOVERY = 'discovery';

function tokenIssuer(name: string, document: TokenIssuerDocument): TokenIssuer {
  const { issuer, audience, keys, algorithms, clockSkew, tenant, consumerClaim } = document;
  return {
    name,
    issuer,
    audience,
    keys: keys === DISCOVERY ? { from: 'discovery' } : { from: 'address', address: keys },
    algorithms,
    clockSkewMs: durationMs(clockSkew),
    tenant: tenant.startsWith(CLAIM)
      ? { kind: 'claim', claim: tenant.slice(CLAIM.length) }
      : { kind: 'fixed', name: tenant },
    consumerClaim,
  };
}

export function buildLimits({ document }: Checked<PortunusDocument>): LimitValues {
  const values = Object.entries(document.limits).map(([name, value]) => {
    const read = READ_UNIT[LIMITS[name as LimitName].unit];
    return [name, read(value)] as const;
  });
  return { ...LIMIT_DEFAULTS, ...Object.fromEntries(values) };
}

const READ_UNIT: Readonly<Record<'bytes' | 'ms' | 'count', (value: number | string) => number>> = {
  bytes: (value) => sizeBytes(String(value)),
  ms: (value) => durationMs(String(value)),
  count,
};

function listenAddress({ address, port }: ListenDocument): ListenAddress {
  return { address, port: count(port) };
}

function certificates(
  tls: FrontTlsDocument | undefined,
  here: Here,
  projectFolder: string,
  report: Report,
): readonly CertificateFiles[] | null {
  if (tls === undefined) return null;
  const files = (each: CertificateDocument, at: Here): CertificateFiles =>
    certificateFiles(each, at, projectFolder, report);
  const further = (tls.further ?? []).map((each, index) => files(each, below(here, 'further', index)));
  return [files(tls, here), ...further];
}

function certificateFiles(
  { certificate, key }: CertificateDocument,
  here: Here,
  projectFolder: string,
  report: Report,
): CertificateFiles {
  return {
    certificateFile: resolvePath(certificate, below(here, 'certificate'), projectFolder, report) ?? '',
    keyFile: resolvePath(key, below(here, 'key'), projectFolder, report) ?? '',
  };
}

const DEFAULT_ADMIN_PORT = 9090;
/** 127.0.0.0/8 and ::1 (RFC 6890). */
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|(?:0*:)*:?0*1)$/;

function checkAdmin(
  listen: ListenAddress,
  admin: ListenAddress & { readonly tls: CertificateDocument | undefined },
  root: Here,
  report: Report,
): void {
  if (admin.tls === undefined && !LOOPBACK.test(admin.address)) {
    report({
      code: 'PT3114',
      message: `The admin API would listen on ${admin.address}, which others can reach, without TLS.`,
      target: valueAt(below(root, 'admin', 'address')),
      help: 'Add `tls: { certificate: …, key: … }` to `admin`, or write 127.0.0.1 or ::1.',
    });
  }
  const covers =
    listen.address === admin.address || isEveryAddress(listen.address) || isEveryAddress(admin.address);
  if (listen.port === admin.port && listen.port !== 0 && covers) {
    report({
      code: 'PT3115',
      message: `Requests and the admin API would both listen on port ${admin.port}.`,
      // The one that is not the default was written.
      target: valueAt(below(root, admin.port === DEFAULT_ADMIN_PORT ? 'listen' : 'admin', 'port')),
      help: 'Give one of them another port.',
    });
  }
}

function isEveryAddress(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
