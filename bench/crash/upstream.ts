import { ask } from '../conversation.ts';
import { type StartedProcess, startProgram } from '../processes.ts';
import type { CountedRoute } from './counters.ts';
import { pathOf } from './counters.ts';

/** What the service got on one path. */
export interface Received {
  readonly requests: number;
  /** What it charges for them, in nano-units. */
  readonly nano: number;
}

/** Its account of everything until now. */
export interface Account {
  readonly paths: Readonly<Record<string, Received>>;
  /** The most requests of one consumer that came to the route with a window in any stretch of its length, of what surely lies in it. */
  readonly windowPeak: number;
}

/** The service behind the gateway that is killed, in a process that nobody kills: its account is the truth. */
export interface ChargingUpstream {
  readonly port: number;
  /** Once every connection of the killed gateway is closed. */
  readonly account: () => Promise<Account>;
  /** Streams that are open stay so, and what they reserved in the gateway with them. */
  readonly holdStreams: () => Promise<null>;
  readonly endStreams: () => Promise<null>;
  readonly stop: () => Promise<void>;
}

export async function startChargingUpstream(folder: string, seed: number): Promise<ChargingUpstream> {
  const started: StartedProcess = startProgram(import.meta.resolve('../children/charging-upstream.js'), {
    name: 'charging-upstream',
    args: [String(seed)],
    folder,
    core: null,
  });
  return {
    port: await ask<number>(started, 'listen'),
    account: () => ask<Account>(started, 'account'),
    holdStreams: () => ask<null>(started, 'holdStreams'),
    endStreams: () => ask<null>(started, 'endStreams'),
    stop: started.stop,
  };
}

/** What one counter has let through, in its own unit. */
export function chargedOn(
  route: CountedRoute,
  group: number,
  consumers: readonly string[],
  { paths }: Account,
): number {
  return consumers.reduce((sum, consumer) => {
    const on = paths[pathOf(route, group, consumer)];
    return sum + (on === undefined ? 0 : route.counts === 'requests' ? on.requests : on.nano);
  }, 0);
}
