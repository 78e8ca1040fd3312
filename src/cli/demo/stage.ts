/** Everything that the demo runs: two mock providers with the same accounts, the gateway before one, naive rotation before the other. */
import type { AdminAccess } from '../../admin/access-file.ts';
import { callAdmin } from '../../admin/client.ts';
import type { LiveStatus } from '../../admin/routes/observation.ts';
import type { PoolView } from '../../admin/routes/pools.ts';
import type { Clock } from '../../base/ports.ts';
import { ok, type Result } from '../../base/result.ts';
import { type MockProvider, startMockProvider } from '../../tools/mock-provider/server.ts';
import { findGateway } from '../commands/data-folder.ts';
import { Caller, DEMO_MODEL } from './calls.ts';
import { type DemoGateway, startDemoGateway } from './gateway.ts';
import { NaiveRotation } from './naive.ts';
import type { KeySight, SideSight } from './screen.ts';
import { KEYS, LOST_KEY, type Story, type StoryEvent, type Tenant } from './story.ts';
import { Tally } from './tally.ts';

export class Stage {
  readonly gateway = new Tally();
  readonly naive = new Tally();
  readonly #parts: StageParts;
  readonly #rotation: NaiveRotation;
  #calls = 0;

  constructor(parts: StageParts) {
    this.#parts = parts;
    this.#rotation = new NaiveRotation(parts.caller, parts.naiveProvider.url, KEYS.map(secretOf));
  }

  /** One call of a tenant, to both sides. */
  call(tenant: Tenant): void {
    const { clock, caller, gateway } = this.#parts;
    const prompt = `call ${this.#calls++} of ${tenant}`;
    const nowMs = clock.monotonicMs();
    const ended = [this.gateway, this.naive].map((tally) => tally.begins(tenant, nowMs));
    const callee = { url: gateway.url, key: gateway.keyOf(tenant) };
    void caller.chat(callee, prompt).then((answer) => ended[0]!(answer, clock.monotonicMs()));
    void this.#rotation.chat(prompt).then((answer) => ended[1]!(answer, clock.monotonicMs()));
  }

  /** At both providers; what a person then does, to the gateway. */
  async happens(event: StoryEvent): Promise<void> {
    const { provider, naiveProvider, access } = this.#parts;
    for (const { url } of [provider, naiveProvider]) {
      const state = event === 'revoke' ? 'revoked' : 'valid';
      const body = JSON.stringify({ key: secretOf(LOST_KEY), state });
      await fetch(`${url}/mock/keys`, { method: 'POST', body });
    }
    if (event === 'renew')
      await callAdmin(access, { method: 'POST', path: `/v1/pools/main/keys/${LOST_KEY}/enable` });
  }

  /** As the gateway says it by its admin API; null where it does not answer. */
  async look(): Promise<{ readonly pool: PoolView; readonly alerts: LiveStatus['alerts'] } | null> {
    const { access } = this.#parts;
    const pools = await callAdmin<{ readonly pools: readonly PoolView[] }>(access, {
      method: 'GET',
      path: '/v1/pools',
    });
    const live = await callAdmin<LiveStatus>(access, { method: 'GET', path: '/v1/live' });
    return pools.ok && live.ok ? { pool: pools.value.pools[0]!, alerts: live.value.alerts } : null;
  }

  /** What callers of each side saw, and how its keys are: the gateway's by its own word, the others as their provider knows them. */
  sides(pool: PoolView | null): { readonly gateway: SideSight; readonly naive: SideSight } {
    const { provider, naiveProvider, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    const naiveKeys = naiveProvider.accounts.map((account): KeySight => {
      const [limit] = account.states(DEMO_MODEL, nowMs);
      const isRevoked = account.revoked.size > 0;
      return {
        name: account.name,
        share: limit === undefined ? 1 : limit.remaining / limit.amount,
        state: isRevoked ? 'revoked' : 'active',
      };
    });
    const keys = (pool?.keys ?? []).map(({ name, headroom, state, throttled }) => ({
      name,
      share: headroom,
      state: state === 'active' && throttled.length > 0 ? 'throttled' : state,
    }));
    return {
      gateway: { keys, tally: this.gateway, refusals: refusalsOf(provider) },
      naive: { keys: naiveKeys, tally: this.naive, refusals: refusalsOf(naiveProvider) },
    };
  }

  async close(): Promise<void> {
    const { caller, gateway, provider, naiveProvider } = this.#parts;
    caller.close();
    await gateway.close();
    await provider.close();
    await naiveProvider.close();
  }
}

interface StageParts {
  readonly clock: Clock;
  readonly caller: Caller;
  readonly gateway: DemoGateway;
  readonly access: AdminAccess;
  readonly provider: MockProvider;
  readonly naiveProvider: MockProvider;
}

function secretOf(key: string): string {
  return `mock-key-${key}`;
}

function refusalsOf({ accounts }: MockProvider): number {
  return accounts.reduce((sum, { counts }) => sum + counts.refused + counts.unauthorised, 0);
}

/** The error is a sentence; nothing is left running then. */
export async function openStage(story: Story, seed: number, clock: Clock): Promise<Result<Stage, string>> {
  const opened: (() => Promise<void>)[] = [];
  let stage: Result<Stage, string> | null = null;
  try {
    stage = await openParts(story, seed, clock, opened);
    return stage;
  } finally {
    if (stage?.ok !== true) for (const close of opened.reverse()) await close();
  }
}

async function openParts(
  story: Story,
  seed: number,
  clock: Clock,
  opened: (() => Promise<void>)[],
): Promise<Result<Stage, string>> {
  const providers: MockProvider[] = [];
  for (let nth = 0; nth < 2; nth++) {
    const started = await startMockProvider({
      port: 0,
      seed,
      accounts: KEYS.map((name) => ({ name, keys: [secretOf(name)], limits: { rpm: story.rpm } })),
      models: [DEMO_MODEL],
      latencyMs: LATENCY_MS,
      eventMs: 0,
      clock,
    });
    if (!started.ok) return started;
    opened.push(() => started.value.close());
    providers.push(started.value);
  }
  const [provider, naiveProvider] = providers;
  const gateway = await startDemoGateway(story, provider!.url, secretOf);
  if (!gateway.ok) return gateway;
  opened.push(() => gateway.value.close());
  const access = await findGateway(gateway.value.folder);
  if (!access.ok) return access;
  return ok(
    new Stage({
      clock,
      caller: new Caller(),
      gateway: gateway.value,
      access: access.value,
      provider: provider!,
      naiveProvider: naiveProvider!,
    }),
  );
}

const LATENCY_MS = [60, 240] as const;
