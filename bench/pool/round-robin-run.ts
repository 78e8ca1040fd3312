/** The same load by what most people begin with: the next key in turn, another one when a call is refused, and no memory of it. */
import type { ResponseHead, UpstreamHandler, UpstreamRequest } from '../../src/pipeline/upstream.ts';
import type { LoadedCall } from './load.ts';
import { THREADS } from './load.ts';
import type { CallOutcome, RunOutcome } from './outcome.ts';
import { keysOf, type Scenario } from './scenario.ts';
import { CALL_FIELD, type SimulatedProvider } from './simulated-provider.ts';
import { simulatedWorld } from './simulated-world.ts';

/** As many as the pool's default. */
const ATTEMPTS = 4;

export function runRoundRobin(scenario: Scenario, load: readonly LoadedCall[], seed: number): RunOutcome {
  const { time, providers, acceptedMs } = simulatedWorld(scenario, load, seed);
  const keys = scenario.providers.flatMap(({ accounts }, nth) =>
    accounts.flatMap((account) => keysOf(account).map((key) => ({ key, provider: providers[nth]! }))),
  );
  const calls: CallOutcome[] = [];
  const next = new Array<number>(THREADS).fill(0);
  for (const call of load) {
    let attempts = 0;
    const attempt = (): void => {
      const { key, provider } = keys[next[call.thread]!++ % keys.length]!;
      attempts++;
      send(provider, key, call, (status) => {
        if (status !== 200 && attempts < ATTEMPTS) attempt();
        else calls[call.id] = { status, code: '', endedMs: time.monotonicMs() };
      });
    };
    time.at(call.atMs, attempt);
  }
  time.run(Number.POSITIVE_INFINITY);
  return { calls, acceptedMs, providers: providers.map(({ counts }) => counts) };
}

function send(
  provider: SimulatedProvider,
  key: string,
  { id }: LoadedCall,
  ended: (status: number) => void,
): void {
  let status = 0;
  const handler: UpstreamHandler = {
    onHead(head: ResponseHead, _chunk: Uint8Array, last: boolean) {
      status = head.status;
      if (last) ended(status);
    },
    onData(_chunk: Uint8Array, last: boolean) {
      if (last) ended(status);
    },
    onDrain() {},
    onError: () => ended(502),
  };
  const fieldLines = `authorization: Bearer ${key}\r\n${CALL_FIELD}: ${id}\r\n`;
  provider.dispatch({ fieldLines } as UpstreamRequest, handler).end();
}
