import type {
  AdminStatus,
  CertificateStatus,
  CounterStatus,
  DeliveryStatus,
  DirectoryUsage,
  RateWindowStatus,
  ServiceStatus,
} from '../../admin/actions.ts';
import { requestStatus } from '../../admin/client.ts';
import { moneyText } from '../../model/money.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { spell } from '../moments.ts';
import { findGateway } from './data-folder.ts';
import { sentence } from './reload.ts';
import type { GatewayOptions } from './remote-gateway.ts';

/** `portunus status [FOLDER]`: what the gateway of a project does now. */
export async function status(
  folder: string,
  options: GatewayOptions & { readonly json?: true },
): Promise<ExitCode> {
  const access = await findGateway(folder, options);
  const answer = access.ok ? await requestStatus(access.value) : null;
  if (!access.ok || !answer?.ok) {
    const why = access.ok ? answer!.ok === false && answer!.error.message : access.error;
    process.stderr.write(`portunus status: ${why}\n`);
    return EXIT.couldNotRun;
  }
  process.stdout.write(options.json ? `${JSON.stringify(answer.value, null, 2)}\n` : report(answer.value));
  return EXIT.fine;
}

function report(status: AdminStatus): string {
  const { configuration, traffic, records } = status;
  const rows: readonly (readonly [string, string])[] = [
    [
      'gateway',
      `${status.health}, version ${status.version}, process ${status.processId}, up ${spell(status.uptimeMs)}`,
    ],
    ['node', `${status.node.node}, its process number ${status.node.epoch}`],
    ['project', status.project],
    ['listens on', `${address(status.listen)}, admin on ${address(status.admin)}`],
    ['data threads', String(status.dataThreads.length)],
    [
      'configuration',
      `version ${configuration.epoch} (${configuration.hash}), live for ${spell(Date.now() - configuration.liveSinceMs)}: ` +
        `${configuration.routes} routes, ${configuration.rules} rules, ${configuration.consumers} consumers`,
    ],
    ['callers', directoryText(status.directory)],
    [
      'last load',
      `${status.lastLoad.reason}, ${spell(Date.now() - status.lastLoad.atMs)} ago${outcome(status)}`,
    ],
    ...notes(status).map((note) => ['note', note] as const),
    ['requests', `${traffic.requests}${classes(traffic.byStatusClass)}`],
    ['turned away', turnedAway(status)],
    ['latency', `p50 ${traffic.latency.p50Us} µs, p99 ${traffic.latency.p99Us} µs over the last minute`],
    [
      'records lost',
      `${records.dropped + records.logDropped}${records.logError === null ? '' : ` (${records.logError})`}`,
    ],
    ...traffic.refusalsByRule
      .slice(0, 10)
      .map(({ name, count }) => ['refused by', `${name}: ${count}`] as const),
    ...traffic.shadowRefusalsByRule
      .slice(0, 10)
      .map(({ name, count }) => ['would refuse', `${name}: ${count} (shadow)`] as const),
    ...traffic.warningsByRule
      .slice(0, 10)
      .map(({ name, count }) => ['warned by', `${name}: ${count}`] as const),
    ...status.counters.slice(0, 20).map((counter) => ['counter', counterText(counter)] as const),
    ...rateWindowsText(status.rateWindows).map((line) => ['rate windows', line] as const),
    ...status.certificates.map((certificate) => ['certificate', certificateText(certificate)] as const),
    ['services', servicesText(status.services)],
    ...troubled(status.services).map((line) => ['endpoint', line] as const),
    [
      'audit log',
      `${status.kept.auditRecords} of at most ${status.kept.auditRecordsMax} records, the newest is ${status.kept.auditEnd}`,
    ],
    ['history', `${status.kept.versions} of at most ${status.kept.versionsMax} versions`],
    ...status.deliveries.map((delivery) => ['delivery', deliveryText(delivery)] as const),
    ...status.alerts.map(({ message, remedy }) => ['alert', `${message} ${remedy}`] as const),
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}${value}`);
  if (status.lastLoad.outcome.kind === 'refused') lines.push('', sentence(status.lastLoad));
  return `${lines.join('\n')}\n`;
}

function directoryText({ keys, keysMax, bytes, bytesMax, stored, leftOut }: DirectoryUsage): string {
  const room = `${keys} keys of at most ${keysMax}, in ${Math.ceil((100 * bytes) / bytesMax)} % of their memory`;
  const made = stored === 0 ? '' : `; ${stored} tenants, teams and consumers made at run time`;
  return `${room}${made}${leftOut === 0 ? '' : `, of which ${leftOut} can't be used as the files are now`}`;
}

function outcome({ lastLoad }: AdminStatus): string {
  return lastLoad.outcome.kind === 'refused' ? ': refused, see below' : '';
}

/** What the last load said beside its outcome. */
function notes({ lastLoad }: AdminStatus): readonly string[] {
  return lastLoad.outcome.kind === 'refused' ? [] : lastLoad.outcome.notes;
}

function counterText({
  label,
  keys,
  keysMax,
  keysMaxFromNextStart,
  currency,
  openSlice,
  reserved,
  usedShare,
  usedUpMs,
  replaced,
}: CounterStatus): string {
  const later = keysMaxFromNextStart > keysMax ? ` (${keysMaxFromNextStart} from the next start on)` : '';
  const text = (amount: number) => (currency === null ? String(amount) : moneyText(amount, currency));
  const held =
    reserved === null || reserved === 0 ? '' : ` and spend ${text(reserved)} that is only reserved`;
  const atRisk = openSlice === null ? '' : `; a crash now would lose ${text(openSlice)} of it${held}`;
  const forecast =
    usedUpMs === null
      ? ''
      : usedShare >= 1
        ? '; a key has used all of it'
        : `; a key has used ${Math.floor(100 * usedShare)} % of it, and all by ${new Date(usedUpMs).toISOString().slice(0, 16)}Z if it goes on so`;
  return `${label}${replacedText(replaced)}: ${keys} of ${keysMax} keys${later}${atRisk}${forecast}`;
}

function replacedText(replaced: CounterStatus['replaced']): string {
  if (replaced === null) return '';
  const { state, endsMs } = replaced;
  if (state === 'over') return ' as before an edit (in force no more)';
  if (endsMs === null) return ' as before an edit (in force until requests of before have ended)';
  return ` as before an edit (in force until ${new Date(endsMs).toISOString()})`;
}

function rateWindowsText(rates: RateWindowStatus): readonly string[] {
  const { state, journalShare, journalBytes, snapshotAgeMs, durableAgeMs } = rates;
  if (state === 'unused') return [];
  const age = (ms: number | null) => (ms === null ? 'never' : `${spell(ms)} ago`);
  const found =
    state === 'exact'
      ? 'a crash now would lose none of what was taken'
      : 'a start would find each of them full';
  const journal = `journal ${Math.ceil(100 * journalShare)} % of ${Math.round(journalBytes / 2 ** 20)} MiB`;
  return [`${found}; ${journal}, copied ${age(snapshotAgeMs)}, checkpoint ${age(durableAgeMs)}`];
}

/** Requests that met a bound of the gateway itself, not of a policy. */
function turnedAway({ traffic }: AdminStatus): string {
  const count = traffic.byCode.find(({ name }) => name === 'overloaded')?.count ?? 0;
  return count === 0 ? 'none' : `${count}, because the gateway had too much to do`;
}

function certificateText({ certificateFile, names, expiresMs }: CertificateStatus): string {
  const whose = names.length === 0 ? '' : ` for ${names.join(', ')}`;
  return `${certificateFile}${whose}, until ${new Date(expiresMs).toISOString().slice(0, 10)}`;
}

function servicesText(services: readonly ServiceStatus[]): string {
  const endpoints = services.flatMap((service) => service.endpoints);
  const serving = endpoints.filter(({ state }) => state === 'well' || state === 'warming');
  return `${services.length}, with ${endpoints.length} endpoints, of which ${serving.length} serve`;
}

/** Endpoints of which there is more to say than that they are well. */
function troubled(services: readonly ServiceStatus[]): readonly string[] {
  return services
    .flatMap(({ name, endpoints }) =>
      endpoints.flatMap(({ url, address, state, why, unresolved }) => {
        if (state === 'well' && unresolved === null) return [];
        const where = `${name} ${url}${address === null ? '' : ` (${address})`}`;
        const nameFault = unresolved === null ? '' : `; its name can't be resolved: ${unresolved}`;
        return [`${where}: ${state}${why === null ? '' : `, ${why}`}${nameFault}`];
      }),
    )
    .slice(0, ENDPOINTS_SHOWN_MAX);
}

const ENDPOINTS_SHOWN_MAX = 20;

function deliveryText({ name, delivered, queued, givenUp, dropped, lastError }: DeliveryStatus): string {
  const failure = lastError === null ? '' : `; last failure: ${lastError}`;
  return `${name}: ${delivered} sent, ${queued} waiting, ${givenUp + dropped} lost${failure}`;
}

function classes(byStatusClass: Readonly<Record<string, number>>): string {
  const parts = Object.entries(byStatusClass).filter(([, count]) => count > 0);
  return parts.length === 0 ? '' : ` (${parts.map(([name, count]) => `${name}: ${count}`).join(', ')})`;
}

function address(listen: { readonly address: string; readonly port: number }): string {
  return listen.address.includes(':')
    ? `[${listen.address}]:${listen.port}`
    : `${listen.address}:${listen.port}`;
}
