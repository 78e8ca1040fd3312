import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdminServer } from '../../admin/server.ts';
import type { LimitValues } from '../../base/limits.ts';
import type { Clock } from '../../base/ports.ts';
import type { LiveDirectory } from '../../governance/live-directory.ts';
import type { FilledBound } from '../../observe/metrics/bound-table.ts';
import { countSeenSignatures } from '../../state/seen-signatures.ts';
import type { Store } from '../../state/store.ts';
import type { EndpointKeeper } from './endpoint-keeper.ts';
import type { Observation } from './observation.ts';
import { START_CACHE_FILE } from './start-cache.ts';
import { keptStatus } from './status-report.ts';

export interface ControlBoundParts {
  readonly observation: Pick<Observation, 'destination' | 'history' | 'traces' | 'alerts'>;
  readonly store: Store;
  readonly limits: LimitValues;
  readonly dataFolder: string;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly directory: Pick<LiveDirectory, 'usage'>;
  readonly endpoints: Pick<EndpointKeeper, 'addresses' | 'checksUnderWay'>;
  readonly seenSignatures: SharedArrayBuffer;
  /** Null before the admin API is open. */
  readonly admin: Pick<AdminServer, 'connections'> | null;
}

/** How much is used of each bound that the control thread keeps. NaN where that can't be seen. */
export async function controlBounds(
  parts: ControlBoundParts,
): Promise<Readonly<Record<FilledBound<'control'>, number>>> {
  const { observation, directory, endpoints } = parts;
  const { open } = observation.alerts.counts;
  const kept = keptStatus(parts.store, parts.limits);
  return {
    endpointAddresses: endpoints.addresses,
    healthChecksAtOnce: endpoints.checksUnderWay,
    signaturesRemembered: countSeenSignatures(parts.seenSignatures, parts.clock.wallMs()),
    consumerKeys: directory.usage.keys,
    storedEntities: directory.usage.stored,
    storedSecrets: parts.store.storedSecrets.list().length,
    directoryBytes: directory.usage.bytes,
    accessLogQueueBytes: observation.destination.queuedBytes,
    traceQueueSpans: observation.traces === null ? 0 : observation.traces.waiting,
    requestLogQueueBytes: observation.history.waitingBytes,
    openAlerts: open.gateway,
    openPolicyAlerts: open.policy,
    adminConnections: parts.admin === null ? 0 : parts.admin.connections().open,
    adminIdempotencyKeys: kept.idempotencyKeys,
    auditRecords: kept.auditRecords,
    configurationVersions: kept.versions,
    compiledCacheBytes: await sizeOf(join(parts.dataFolder, START_CACHE_FILE)),
  };
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 0 : Number.NaN;
  }
}
