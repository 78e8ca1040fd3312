/** What open event streams cost, and how much later than the upstream's a first byte comes. */
import { setTimeout as delay } from 'node:timers/promises';
import { atMost, type Figure } from './bench.ts';
import { residentBytes } from './cpu.ts';
import { openFilesLimit } from './machine.ts';
import type { Peer } from './peer.ts';
import { quantile } from './statistics.ts';
import type { FirstByte, StreamsClient } from './streams-client.ts';
import type { CountingUpstream } from './upstream.ts';

export const SETTLE_MS = 2_000;
/** Open files of the gateway beside two sockets a stream. */
const OTHER_FILES = 200;

/** As many streams as a process may have here; the note says so where these are fewer. */
export function possibleStreams(wanted: number): {
  readonly count: number;
  readonly note: readonly string[];
} {
  const count = Math.min(wanted, Math.floor((openFilesLimit() - OTHER_FILES) / 2));
  const note = `Only ${count} instead of ${wanted} streams: a process may have ${openFilesLimit()} open files here, and a stream takes two.`;
  return { count, note: count < wanted ? [note] : [] };
}

export async function measureMemory(
  gateway: Pick<Peer, 'pid'>,
  client: StreamsClient,
  upstream: CountingUpstream,
  count: number,
): Promise<{ open: number; kibPerStream: number; summary: string }> {
  const before = residentBytes(gateway.pid);
  await client.open();
  const readBefore = (await client.count()).eventsRead;
  const pulsed = await upstream.pulse();
  await delay(SETTLE_MS);
  const after = residentBytes(gateway.pid);
  const { open, eventsRead } = await client.count();
  const received = eventsRead - readBefore;
  if (received !== pulsed) throw new Error(`${pulsed} events were sent on open streams, ${received} came`);
  return {
    open,
    kibPerStream: (after - before) / 1_024 / count,
    summary: `${mib(before)} MiB before, ${mib(after)} MiB with ${open} streams.`,
  };
}

export function firstByteFigures(when: string, all: readonly FirstByte[]): readonly Figure[] {
  const delaysUs = all.map(({ delayUs }) => delayUs);
  const p50 = quantile(delaysUs, 0.5)! / 1_000;
  const p99 = quantile(delaysUs, 0.99)! / 1_000;
  const bar = when === 'idle' ? atMost(1) : null;
  return [
    { name: `first byte after upstream's, p50, ${when}`, unit: 'ms', values: [p50], bar },
    { name: `first byte after upstream's, p99, ${when}`, unit: 'ms', values: [p99], bar },
  ];
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
