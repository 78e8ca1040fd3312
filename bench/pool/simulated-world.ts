/** What a run has for itself: its time, its chance, and the providers of the scenario. */
import { seeded } from '../seeded.ts';
import type { LoadedCall } from './load.ts';
import type { Scenario } from './scenario.ts';
import { SimulatedProvider } from './simulated-provider.ts';
import { VirtualTime } from './virtual-time.ts';

export interface SimulatedWorld {
  readonly time: VirtualTime;
  readonly random: () => number;
  /** In the scenario's order. */
  /** When a provider took which call. */
  readonly acceptedMs: readonly number[];
  readonly providers: readonly SimulatedProvider[];
}

export function simulatedWorld(
  { providers, changes }: Scenario,
  load: readonly LoadedCall[],
  seed: number,
): SimulatedWorld {
  const time = new VirtualTime();
  const acceptedMs: number[] = [];
  return {
    time,
    acceptedMs,
    random: seeded(seed + CHOICES),
    providers: providers.map(
      (spec, nth) =>
        new SimulatedProvider({
          spec,
          changes,
          load,
          time,
          acceptedMs,
          random: seeded(seed + LATENCIES + nth),
        }),
    ),
  };
}

/** Seeds of their own, so that who draws more often changes nothing for the others. */
const CHOICES = 1_000_003;
const LATENCIES = 2_000_003;
