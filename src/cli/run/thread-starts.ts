import { availableParallelism } from 'node:os';
import type { LimitValues } from '../../base/limits.ts';
import { type DataThreadStart, EPOCH_CELLS } from '../../gateway/messages.ts';
import type { ServerSettings } from '../../model/world.ts';
import { createThreadGauges } from '../../pipeline/thread-gauges.ts';
import type { TakeJournalStart } from '../../state/rates/take-journal.ts';
import type { ServedWorld } from './ready-project.ts';
import { readText } from './tls-files.ts';

export function threadCount(server: ServerSettings): number {
  return server.dataThreads === 'auto' ? availableParallelism() : server.dataThreads;
}

/** A bundle that can't be read is told by the findings of certificates, before the start. */
function authoritiesOf({ clientCertificates }: ServerSettings): string | null {
  const file = clientCertificates?.authoritiesFile ?? null;
  const read = file === null ? null : readText(file);
  return read !== null && 'text' in read ? read.text : null;
}

type SharedByThreads = Pick<
  DataThreadStart,
  'addressConnections' | 'endpoints' | 'keyHashSecret' | 'poolMemory' | 'seenSignatures' | 'startedMs'
> & {
  /** Of each thread. */
  readonly takeJournals: readonly TakeJournalStart[];
};

/** What each data thread begins with. */
export function threadStarts(
  world: ServedWorld,
  rings: readonly SharedArrayBuffer[],
  { takeJournals, ...shared }: SharedByThreads,
): DataThreadStart[] {
  const epochs = new SharedArrayBuffer(EPOCH_CELLS.count * Int32Array.BYTES_PER_ELEMENT);
  const limits: LimitValues = world.limits;
  const clientAuthorities = authoritiesOf(world.server);
  return rings.map((recordRing, thread) => ({
    thread,
    server: world.server,
    limits,
    epochs,
    recordRing,
    ...shared,
    takeJournal: takeJournals[thread],
    gauges: createThreadGauges(),
    clientAuthorities,
  }));
}
