/** A load through the product's own pools: two data threads over one memory, their calls to simulated providers, in virtual time. */
import { createHash } from 'node:crypto';
import { LIMIT_DEFAULTS } from '../../src/base/limits.ts';
import { ok } from '../../src/base/result.ts';
import type { KeyHash } from '../../src/pipeline/identity.ts';
import type { ModelService } from '../../src/pipeline/model-request.ts';
import type { UpstreamRequest } from '../../src/pipeline/upstream.ts';
import { ThreadModelServices } from '../../src/pools/model-services.ts';
import { createPoolMemory } from '../../src/pools/pool-memory.ts';
import { PoolRegistry } from '../../src/pools/pool-registry.ts';
import { Caller } from './caller.ts';
import { configuredModels, MODEL } from './configured-models.ts';
import { bodyOf, type LoadedCall, THREADS } from './load.ts';
import type { CallOutcome, RunOutcome } from './outcome.ts';
import type { Scenario } from './scenario.ts';
import { CALL_FIELD } from './simulated-provider.ts';
import { type SimulatedWorld, simulatedWorld } from './simulated-world.ts';

export function runPool(scenario: Scenario, load: readonly LoadedCall[], seed: number): RunOutcome {
  const world = simulatedWorld(scenario, load, seed);
  const services = threadServices(scenario, world);
  const calls: CallOutcome[] = [];
  for (const call of load) {
    world.time.at(call.atMs, () => {
      const caller = new Caller(
        () => world.time.monotonicMs(),
        (outcome) => {
          calls[call.id] = outcome;
        },
      );
      const body = bodyOf(call, MODEL);
      const service = services[call.thread]!;
      const read = service.read(body);
      if ('code' in read) throw new Error(read.sentence);
      service.send(read, null, requestOf(scenario, call, body.length), caller, null);
    });
  }
  world.time.run(Number.POSITIVE_INFINITY);
  return { calls, acceptedMs: world.acceptedMs, providers: world.providers.map(({ counts }) => counts) };
}

function threadServices(scenario: Scenario, { time, random, providers }: SimulatedWorld): ModelService[] {
  const limits = LIMIT_DEFAULTS;
  const memory = createPoolMemory({ ...limits, ...SMALL }, THREADS);
  const sizes = { ...limits, ...SMALL };
  const registry = new PoolRegistry({
    memory,
    sizes,
    clock: time,
    readSecret: (reference) => ok(Buffer.from(reference.in === 'environment' ? reference.name : '')),
    readFormer: () => null,
    setAside: () => null,
  });
  const models = configuredModels(scenario);
  const prepared = registry.prepare(models);
  if (!prepared.ok) throw new Error(prepared.error);
  registry.activate(models);
  const services = new Map(providers.map((provider, nth) => [scenario.providers[nth]!.name, provider]));
  return Array.from({ length: THREADS }, (_, thread) =>
    new ThreadModelServices({
      memory,
      limits: sizes,
      thread,
      clock: time,
      decoders: { decode: () => null },
      random: { fill: () => {}, uint32: () => Math.floor(random() * 2 ** 32) },
      // Timers of Node count whole milliseconds, and come late when there is much to do.
      countPrompt: () => null,
      later: (delayMs, run) =>
        delayMs <= 0 ? time.after(0, run) : time.after(Math.max(1, Math.trunc(delayMs)) + random(), run),
    })
      .bind(models, prepared.value, services)
      .service('openai/chat'),
  );
}

/** As large as scenarios need: memory of the defaults is for thousands of keys. */
const SMALL = { poolLanes: 64, poolKeys: 64, pools: 8, poolTenants: 64, rememberedAnswers: 64 } as const;

function requestOf({ tenants }: Scenario, { id, tenant }: LoadedCall, bodyBytes: number): UpstreamRequest {
  return {
    method: 'POST',
    target: '/v1/chat/completions',
    fieldLines: `content-type: application/json\r\n${CALL_FIELD}: ${id}\r\n`,
    idLines: '',
    host: null,
    bodyBytes,
    repeatable: false,
    connectMs: 1_000,
    firstByteMs: 60_000,
    idleMs: 60_000,
    tenant: hashOf(tenants[tenant]!.name),
    priority: 'normal',
    share: tenants[tenant]!.share,
  };
}

function hashOf(name: string): KeyHash {
  const digest = createHash('sha256').update(name).digest();
  return { high: digest.readInt32LE(0), low: digest.readInt32LE(4) };
}
