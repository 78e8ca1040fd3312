import type {
  AdminHealth,
  AdminStatus,
  CertificateStatus,
  CounterStatus,
  DirectoryUsage,
  KeptStatus,
  LoadReport,
  ServiceStatus,
} from '../../admin/actions.ts';
import type { VersionList } from '../../admin/routes/configuration.ts';
import { assert } from '../../base/assert.ts';
import type { LimitValues } from '../../base/limits.ts';
import { renderText } from '../../diagnostics/render/text.ts';
import { counterLabel, counterMeasure } from '../../language/canonical.ts';
import type { World } from '../../model/world.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';
import type { ConfigurationHistory } from '../../state/configuration-history.ts';
import type { CounterUsage } from '../../state/counter-registry.ts';
import { quotaUsedUpMs } from '../../state/quota-forecast.ts';
import type { OpenSlice } from '../../state/quota-leases.ts';
import type { RateKeeping } from '../../state/rates/rate-checkpoints.ts';
import type { Store } from '../../state/store.ts';
import { VERSION } from '../version.ts';
import type { LoadResult, Running } from './configuration.ts';
import type { Observation } from './observation.ts';

export interface StatusParts {
  readonly project: string;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly monotonicMs: number;
  readonly health: AdminHealth;
  /** The world of the first version: its addresses, threads and limits are in force until the process ends. */
  readonly settings: Pick<World, 'server' | 'limits'>;
  readonly directory: DirectoryUsage;
  /** Consumers of files and those made at run time. */
  readonly consumers: number;
  readonly threads: number;
  readonly running: Running | null;
  readonly lastResult: LoadResult | null;
  readonly observation: Observation;
  readonly counters: readonly CounterUsage[];
  readonly openSlices: readonly OpenSlice[];
  readonly rates: RateKeeping;
  readonly store: Store;
  readonly services: readonly ServiceStatus[];
  readonly certificates: readonly CertificateStatus[];
}

export function adminStatus(parts: StatusParts): AdminStatus {
  const { running, lastResult, observation } = parts;
  assert(running !== null && lastResult !== null, 'the admin API opens after the first version is live');
  return {
    version: VERSION,
    health: parts.health,
    processId: process.pid,
    project: parts.project,
    startedMs: parts.startedMs,
    uptimeMs: parts.nowMs - parts.startedMs,
    configuration: {
      epoch: running.epoch,
      hash: running.bundle.hash,
      liveSinceMs: running.sinceMs,
      routes: running.world.routes.size,
      rules: running.bundle.ruleCount,
      consumers: parts.consumers,
    },
    directory: parts.directory,
    lastLoad: loadReport(lastResult),
    listen: parts.settings.server.listen,
    admin: parts.settings.server.admin,
    dataThreads: Array.from({ length: parts.threads }, (_, thread) => ({ thread, state: parts.health })),
    traffic: observation.traffic.summary(),
    records: {
      ...observation.drain.counts,
      logDropped: observation.accessLog.counts.dropped,
      logError: observation.destination.lastError,
    },
    counters: parts.counters.map(({ identity, keysUsed, keysMax, keysWanted, replaced, headroom }) => ({
      identity,
      label: counterLabel(identity),
      keys: keysUsed,
      keysMax,
      keysMaxFromNextStart: Math.max(keysMax, keysWanted),
      currency: counterMeasure(identity) === 'money' ? running.world.currency : null,
      openSlice: sliceOf(parts, identity)?.amount ?? null,
      reserved: sliceOf(parts, identity)?.reserved ?? null,
      usedShare: headroom.usedShare,
      usedUpMs: usedUpMs(running.bundle.counters, identity, headroom.usedShare, parts.nowMs),
      replaced: replaced === null ? null : replacedStatus(replaced, parts),
    })),
    services: parts.services,
    certificates: parts.certificates.map(({ certificateFile, names, expiresMs }) => ({
      certificateFile,
      names,
      expiresMs,
    })),
    rateWindows: parts.rates,
    node: parts.store.holder,
    kept: keptStatus(parts.store, parts.settings.limits),
    alerts: observation.alerts.open(),
    deliveries: observation.deliveries.inspect(),
    limits: parts.settings.limits,
  };
}

function usedUpMs(
  counters: readonly CounterSpec[],
  identity: string,
  usedShare: number,
  nowMs: number,
): number | null {
  const window = counters.find((spec) => spec.identity === identity)?.window;
  return window === undefined ? null : quotaUsedUpMs(window, usedShare, nowMs);
}

function replacedStatus(
  { endsAtMs }: NonNullable<CounterUsage['replaced']>,
  { nowMs, monotonicMs }: StatusParts,
): CounterStatus['replaced'] {
  if (endsAtMs === null) return { state: 'in-force', endsMs: null };
  const leftMs = endsAtMs - monotonicMs;
  return { state: leftMs > 0 ? 'in-force' : 'over', endsMs: Math.round(nowMs + leftMs) };
}

export function keptStatus({ audit, history, idempotency }: Store, limits: LimitValues): KeptStatus {
  const { sequence } = audit.head();
  return {
    auditEnd: sequence,
    auditRecords: sequence - audit.base().sequence,
    auditRecordsMax: limits.auditRecords,
    versions: history.versions().length,
    versionsMax: limits.configurationVersions,
    idempotencyKeys: idempotency.count,
    idempotencyKeysMax: limits.adminIdempotencyKeys,
  };
}

export function versionList(
  history: ConfigurationHistory,
  running: Running | null,
  { configurationVersions }: LimitValues,
): VersionList {
  assert(running !== null, 'the admin API opens after the first version is live');
  return {
    running: running.epoch,
    versionsMax: configurationVersions,
    versions: history.versions().map(({ epoch, hash, digest, timeMs, reason, actor }) => ({
      version: epoch,
      hash,
      digest,
      timeMs,
      reason,
      actor,
    })),
  };
}

function sliceOf({ openSlices }: StatusParts, identity: string): OpenSlice | undefined {
  return openSlices.find((slice) => slice.identity === identity);
}

export function loadReport(result: LoadResult): LoadReport {
  const { reason, atMs, tookMs, outcome, diagnostics } = result;
  return {
    reason,
    atMs,
    tookMs,
    outcome,
    diagnostics: diagnostics.length === 0 ? '' : renderText(diagnostics, { colour: 'off' }),
  };
}
