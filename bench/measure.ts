import { cpuUsBetween, readCpu } from './cpu.ts';
import { applyLoad, type LoadReport, type LoadSpec } from './load.ts';
import type { Peer } from './peer.ts';

/** One measurement of one peer: what a request cost the whole process, and how many went through. */
export interface PeerSample extends LoadReport {
  readonly cpuUsPerRequest: number;
}

/** The load, without what depends on the peer. */
export type SharedLoad = Omit<LoadSpec, 'url'> & { readonly path: string };

export async function measurePeer(peer: Peer, load: SharedLoad): Promise<PeerSample> {
  const before = readCpu(peer.pid);
  const report = await applyLoad({
    ...load,
    url: `${peer.url}${load.path}`,
    headers: { ...peer.credential, ...load.headers },
  });
  const cpuUs = cpuUsBetween(before, readCpu(peer.pid));
  // A machine that has no time for it: what was spent on none says nothing of one.
  if (report.requests === 0)
    throw new Error(`no request to ${peer.name} came to its end within ${load.seconds} s`);
  return { ...report, cpuUsPerRequest: cpuUs / report.requests };
}

/** The column of one measure over all rounds. */
export function column(
  samples: readonly PeerSample[] | undefined,
  measure: keyof PeerSample,
): readonly number[] {
  return (samples ?? []).map((sample) => sample[measure]);
}
