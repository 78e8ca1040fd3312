/** The calls of a scenario: the same ones for each seed, whoever serves them. */
import { seeded } from '../seeded.ts';
import type { Arrivals, Scenario } from './scenario.ts';

export interface LoadedCall {
  readonly id: number;
  /** Index into the scenario's tenants. */
  readonly tenant: number;
  readonly atMs: number;
  readonly promptTokens: number;
  readonly maxTokens: number;
  readonly outputTokens: number;
  readonly streams: boolean;
  /** Data thread that it comes to. */
  readonly thread: number;
}

export const THREADS = 2;

export function loadOf({ tenants }: Scenario, seed: number): readonly LoadedCall[] {
  const random = seeded(seed);
  const calls: Omit<LoadedCall, 'id'>[] = [];
  tenants.forEach(({ calls: arrivals }, tenant) => {
    for (const each of arrivals)
      for (const atMs of momentsOf(each, random)) calls.push(callAt(atMs, tenant, each, random));
  });
  return calls.sort((one, other) => one.atMs - other.atMs).map((call, id) => ({ ...call, id }));
}

/** A Poisson process: gaps are exponential. */
function momentsOf({ fromMs, untilMs, perSecond }: Arrivals, random: () => number): number[] {
  const moments: number[] = [];
  for (let atMs = fromMs; ; ) {
    atMs += (-Math.log(1 - random()) * 1_000) / perSecond;
    if (atMs >= untilMs) return moments;
    moments.push(atMs);
  }
}

function callAt(
  atMs: number,
  tenant: number,
  { promptTokens, maxTokens }: Arrivals,
  random: () => number,
): Omit<LoadedCall, 'id'> {
  const within = ([least, most]: readonly [number, number]): number =>
    least + Math.floor(random() * (most - least + 1));
  const most = within(maxTokens);
  return {
    tenant,
    atMs,
    promptTokens: within(promptTokens),
    maxTokens: most,
    outputTokens: Math.max(1, Math.round(most * (0.2 + 0.8 * random()))),
    streams: random() < 0.5,
    thread: Math.floor(random() * THREADS),
  };
}

/** What the provider counts it as, when it answers. */
export function sizeOf(
  { promptTokens, maxTokens, outputTokens }: LoadedCall,
  unit: 'requests' | 'tokens',
  tokensCounted: 'reserved' | 'used',
): number {
  if (unit === 'requests') return 1;
  return promptTokens + (tokensCounted === 'reserved' ? maxTokens : outputTokens);
}

const WORD = 'word ';

/** A body whose prompt has that many tokens: a word each, and few for what is around them. */
export function bodyOf({ promptTokens, maxTokens, streams }: LoadedCall, model: string): Buffer {
  const content = WORD.repeat(Math.max(1, promptTokens - TOKENS_AROUND));
  return Buffer.from(
    JSON.stringify({ model, max_tokens: maxTokens, stream: streams, messages: [{ role: 'user', content }] }),
  );
}
const TOKENS_AROUND = 8;
