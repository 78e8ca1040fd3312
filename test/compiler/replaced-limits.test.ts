/** Limits whose windows or keys are edited while requests come: the way from texts to counters, as the gateway goes it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type KeptLimit,
  keptReplaced,
  REPLACED_FILE,
  ReplacedKeeper,
  stillInForce,
} from '../../src/cli/run/replaced-keeper.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import type { RuleBundle } from '../../src/pipeline/program.ts';
import type { CounterMemory } from '../../src/state/counter-layout.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { buildProject } from '../../src/tools/build-project.ts';
import { ProjectMemory } from '../../src/tools/project-memory.ts';
import type { PolicyText, ReplacedLimit } from '../../src/tools/replaced-limits.ts';
import { WALL_START_MS } from './random-world.ts';
import { bundleJudge, type Judge } from './run.ts';
import { KeyNames } from './world.ts';

const ROUTES = `services: { s: { endpoints: [{ url: "http://127.0.0.1:1" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`;
const POLICY = 'policies/p.policy';

function policy(rules: string): Readonly<Record<string, string>> {
  return { [POLICY]: `language 1\npolicy "p" {\n    permit\n    ${rules}\n}\n` };
}

interface Version {
  readonly files: Readonly<Record<string, string>>;
  readonly bundle: RuleBundle;
  readonly replaced: readonly ReplacedLimit[];
  readonly memory: CounterMemory;
  readonly judge: Judge;
}

/** One gateway after the other over the same counters, with a clock that stands still unless it is told otherwise. */
class Gateways {
  nowMs = 1_000_000;
  written = '';
  readonly #registry = createCounterRegistry();
  readonly #clock = { monotonicMs: () => this.nowMs, wallMs: () => WALL_START_MS + this.nowMs };
  readonly #keys = new KeyNames();
  #memory = new ProjectMemory();
  #keeper = this.#newKeeper([]);
  #running: Version | null = null;
  #next: Version | null = null;
  #epoch = 0;

  get running(): Version {
    return this.#running!;
  }

  #newKeeper(kept: readonly KeptLimit[]): ReplacedKeeper {
    return new ReplacedKeeper(
      {
        write: async (text) => {
          this.written = text;
        },
        registry: this.#registry,
        clock: this.#clock,
        boot: 'b',
        alerts: { raise: () => true, resolve: () => {} },
      },
      kept,
    );
  }

  /** Other files are there, and threads begin to serve them. */
  async edit(files: Readonly<Record<string, string>>, settings = ''): Promise<Version> {
    const all = { 'portunus.yaml': `portunus: 1\n${settings}`, 'routes/r.yaml': ROUTES, ...files };
    const texts = Object.entries(all).map(([path, text]) => new SourceText(path, text));
    const running = this.#running;
    const former = {
      files: Object.entries(running?.files ?? {})
        .filter(([path, text]) => path.endsWith('.policy') && files[path] !== text)
        .map(([path, text]): PolicyText => ({ path, text })),
      replaced: (running?.replaced ?? this.#atStart).filter((limit) => !this.#keeper.isOver(limit)),
    };
    const { built, diagnostics } = buildProject(texts, '/p', WALL_START_MS, this.#memory, former);
    if (built === null) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
    const { bundle, replaced } = built;
    const memory = this.#registry.prepare(bundle.counters);
    await this.#keeper.prepare(replaced);
    const bound = createSharedCounters(memory, null);
    const counters = { bind: () => bound.bind(bundle.counters) };
    this.#next = { files, bundle, replaced, memory, judge: bundleJudge(bundle, this.#keys, counters) };
    return this.#next;
  }
  #atStart: readonly ReplacedLimit[] = [];

  /** All threads serve what {@link edit} began; requests of before are still in flight. */
  async flip(): Promise<Version> {
    const now = this.#next!;
    this.#running = now;
    this.#living.set(++this.#epoch, now);
    await this.#keeper.live(this.#epoch, now.replaced);
    this.#keeper.earliestIs(Math.min(...this.#living.keys()));
    return now;
  }
  readonly #living = new Map<number, Version>();

  async load(files: Readonly<Record<string, string>>, settings = ''): Promise<Version> {
    await this.edit(files, settings);
    return await this.flip();
  }

  /** No request of a version before the running one is in flight any more. */
  endEarlier(): void {
    for (const [epoch, version] of this.#living) {
      if (epoch === this.#epoch) continue;
      version.judge.release();
      this.#registry.retire(version.memory);
      this.#living.delete(epoch);
    }
    this.#keeper.earliestIs(this.#epoch);
  }

  /** The process ends and another begins, with the counters as they were. */
  restart(kept: readonly KeptLimit[]): void {
    this.#running = null;
    this.#memory = new ProjectMemory();
    this.#keeper = this.#newKeeper(kept);
    this.#atStart = stillInForce(kept, this.#clock);
  }

  /** Whether a request is permitted now. */
  ask(ip = '192.0.2.1', version = this.running): boolean {
    return version.judge.judge('all', { ...REQUEST, ip, ...this.#arrival() }).decision === 'permitted';
  }
  #arrival() {
    return { arrivedMonotonicMs: this.nowMs, arrivedWallMs: this.#clock.wallMs() };
  }

  /** What the caller of a request reads of limits. */
  fields(ip: string): string {
    return this.running.judge.judge('all', { ...REQUEST, ip, ...this.#arrival() }).rateLimitPolicy;
  }

  /** How many of `count` requests are permitted. */
  permitted(count: number, ip?: string): number {
    return Array.from({ length: count }, () => this.ask(ip)).filter(Boolean).length;
  }

  labels(): readonly string[] {
    return this.running.bundle.rules
      .map(({ rule }) => rule)
      .filter((rule) => rule.includes('before an edit'));
  }
}

const REQUEST = {
  id: { high: 0, low: 0 },
  method: 'GET',
  path: '/x',
  query: '',
  host: 'api.example',
  bodyBytes: 0,
  headers: [],
  parameters: ['x'],
  identity: null,
  call: null,
  countedTokens: null,
  isKept: false,
  body: null,
} as const;

let gateways = new Gateways();
afterEach(() => {
  gateways = new Gateways();
});

describe('a limit whose window or key is edited', () => {
  it('stays in force as it was for one more T, and not longer', async () => {
    await gateways.load(policy('limit "pace" at most 60 requests in any 1m in total'));
    expect(gateways.permitted(100)).toBe(60);
    gateways.nowMs += 1_000;
    await gateways.load(policy('limit "pace" at most 60 requests in any 2m in total'));
    expect(gateways.permitted(100)).toBe(0);
    gateways.nowMs += 58_000;
    expect(gateways.permitted(100)).toBe(0);
    // The ring gives back what lies a minute and a sub-window back.
    gateways.nowMs += 6_000;
    expect(gateways.permitted(100)).toBe(60);
    gateways.nowMs += 62_000;
    expect(gateways.permitted(100)).toBe(0);
    gateways.nowMs += 70_000;
    expect(gateways.permitted(100)).toBe(60);
    expect(gateways.labels()).toHaveLength(1);
    // The next load, of whatever, leaves it out.
    await gateways.load(policy('limit "pace" at most 60 requests in any 2m in total  # so it is'));
    expect(gateways.labels()).toEqual([]);
  });

  it('in a chain of edits each stays in force until its own end', async () => {
    for (const [minutes, limits] of [
      [1, 0],
      [2, 1],
      [3, 2],
    ] as const) {
      await gateways.load(policy(`limit "pace" at most ${minutes}0 requests in any ${minutes}m in total`));
      expect(gateways.labels()).toHaveLength(limits);
      gateways.nowMs += 10_000;
    }
    expect(gateways.permitted(40)).toBe(10);
    // the first has ended: 10 of 2m are left, and 20 of 3m
    gateways.nowMs += 41_000;
    expect(gateways.permitted(40)).toBe(10);
    await gateways.load(policy('limit "pace" at most 30 requests in any 3m in total  # again'));
    expect(gateways.labels()).toEqual([expect.stringMatching(/^pace before an edit: limit at most 20 /)]);
    gateways.nowMs += 70_000;
    expect(gateways.permitted(40)).toBe(10);
  });

  it('that is edited back is the limit that it was, with what it counted', async () => {
    await gateways.load(policy('limit "pace" at most 5 requests in any 1m in total'));
    expect(gateways.permitted(4)).toBe(4);
    await gateways.load(policy('limit "pace" at most 9 requests in any 2m in total'));
    await gateways.load(policy('limit "pace" at most 5 requests in any 1m in total'));
    gateways.endEarlier();
    expect(gateways.permitted(9)).toBe(1);
    expect(gateways.labels()).toEqual([expect.stringContaining('at most 9 ')]);
  });

  it('keeps its own scope, condition and key, whatever the policy says now', async () => {
    const old = 'limit "pace" at most 1 requests in any 1m for each request.ip  when request.method is "GET"';
    await gateways.load(policy(old));
    expect([gateways.ask('192.0.2.1'), gateways.ask('192.0.2.1'), gateways.ask('192.0.2.2')]).toEqual([
      true,
      false,
      true,
    ]);
    await gateways.load(policy('limit "pace" at most 9 requests in any 1m in total'));
    expect([gateways.ask('192.0.2.1'), gateways.ask('192.0.2.3'), gateways.ask('192.0.2.3')]).toEqual([
      false,
      true,
      false,
    ]);
    // Callers see what will be there: the new one, had it a key of theirs.
    expect(gateways.fields('192.0.2.4')).toBe('');
  });

  it.each([
    ['is removed', 'forbid when request.method is "PUT"'],
    ['gets another name without `was`', 'limit "other" at most 5 requests in any 2m in total'],
    ['loses its name', 'limit at most 5 requests in any 2m in total'],
  ])('goes at once where it %s', async (_what, rules) => {
    await gateways.load(policy('limit "pace" at most 1 requests in any 1m in total'));
    expect(gateways.permitted(2)).toBe(1);
    await gateways.load(policy(rules));
    expect(gateways.labels()).toEqual([]);
    expect(gateways.permitted(2)).toBe(2);
  });

  it.each([
    ['another that was there before', 'limit at most 9 requests in any 5m in total'],
    ['a quota that was there before', 'quota 9 requests per day in UTC  in total'],
  ])('goes at once where it is removed, has no name, and beside it is %s', async (_what, other) => {
    await gateways.load(policy(`limit at most 1 requests in any 1m in total\n    ${other}`));
    expect(gateways.permitted(2)).toBe(1);
    await gateways.load(policy(other));
    expect(gateways.labels()).toEqual([]);
    expect(gateways.permitted(2)).toBe(2);
  });

  it('has no name, and stays in force beside others without one, over edits of its file', async () => {
    const other = 'limit at most 9 requests in any 5m in total';
    await gateways.load(policy(`limit at most 1 requests in any 1m in total\n    ${other}`));
    expect(gateways.permitted(2)).toBe(1);
    for (const text of ['', '# again']) {
      await gateways.load(policy(`limit at most 5 requests in any 2m in total\n    ${other}  ${text}`));
      expect(gateways.labels()).toEqual([expect.stringMatching(/^before an edit: limit at most 1 /)]);
      expect(gateways.permitted(2)).toBe(0);
    }
  });

  it('stays in force where it is renamed with `was`, or has never had a name, or moves to another file', async () => {
    await gateways.load(policy('limit "pace" at most 1 requests in any 1m in total'));
    expect(gateways.permitted(2)).toBe(1);
    await gateways.load(policy('limit "speed" at most 5 requests in any 2m in total  was "pace"'));
    expect(gateways.permitted(2)).toBe(0);
    const unnamed = new Gateways();
    await unnamed.load(policy('limit at most 1 requests in any 1m in total'));
    expect(unnamed.permitted(2)).toBe(1);
    const [text] = Object.values(policy('limit at most 5 requests in any 2m in total'));
    await unnamed.load({ 'policies/q.policy': text! });
    expect(unnamed.permitted(2)).toBe(0);
  });

  it('needs nothing where only its amount changes, or its file', async () => {
    const text = (amount: number) => policy(`limit "pace" at most ${amount} requests in any 1m in total`);
    await gateways.load(text(5));
    await gateways.load(text(6));
    await gateways.load({ 'policies/q.policy': text(6)[POLICY]! });
    expect(gateways.running.replaced).toEqual([]);
  });

  it('of `at once` is in force until the last request that it counted has ended', async () => {
    await gateways.load(policy('limit "slots" at most 2 requests at once in total'));
    expect(gateways.permitted(3)).toBe(2);
    await gateways.load(policy('limit "slots" at most 2 requests at once for each request.ip'));
    expect(gateways.permitted(1, '192.0.2.7')).toBe(0);
    gateways.endEarlier();
    expect(gateways.permitted(3, '192.0.2.7')).toBe(2);
    expect(gateways.permitted(3, '192.0.2.8')).toBe(2);
  });

  it('goes on over a restart for what is left of its time', async () => {
    await gateways.load(policy('limit "pace" at most 1 requests in any 1m in total'));
    const edited = policy('limit "pace" at most 5 requests in any 2m in total');
    await gateways.load(edited);
    gateways.nowMs += 20_000;
    const { limits } = JSON.parse(gateways.written) as { readonly limits: readonly KeptLimit[] };
    expect(limits).toMatchObject([{ limit: { lengthMs: 60_000 }, endsAtMs: 1_060_000 }]);
    gateways.restart(limits);
    await gateways.load(edited);
    expect(gateways.permitted(3)).toBe(1);
    gateways.nowMs += 41_000;
    expect(gateways.permitted(9)).toBe(4);
    gateways.restart(limits);
    await gateways.load(edited);
    expect(gateways.running.replaced).toEqual([]);
    expect(JSON.parse(gateways.written)).toMatchObject({ limits: [] });
  });

  it.each([
    ['the machine runs on', 'b', [1_020_000, 1_060_000, 1_000_000]],
    ['the machine began anew', 'another', [1_060_000, 1_060_000, 1_000_000]],
  ])('has a time that is known at the next start, where %s', async (_what, boot, ends) => {
    const folder = await mkdtemp(join(tmpdir(), 'portunus-replaced-'));
    const limit = { path: POLICY, text: '', identity: '["p"]', lengthMs: 60_000 };
    const limits = [
      { limit, endsAtMs: 1_020_000 },
      // It went live and the process ended before it could say when.
      { limit, endsAtMs: null },
      { limit: { ...limit, lengthMs: null }, endsAtMs: null },
      { limit: 'damaged' },
    ];
    const clock = { monotonicMs: () => 1_000_000, wallMs: () => 0 };
    expect(keptReplaced(folder, clock, 'b')).toEqual([]);
    await writeFile(join(folder, REPLACED_FILE), JSON.stringify({ boot: 'b', limits }));
    expect(keptReplaced(folder, clock, boot).map(({ endsAtMs }) => endsAtMs)).toEqual(ends);
    await rm(folder, { recursive: true });
  });

  it('is left out where its text no longer fits the project, and the newest are kept of more than there is room for', async () => {
    await gateways.load({
      'policies/p.policy':
        'language 1\npolicy "p" applies to route "all" { permit  limit "a" at most 1 requests in any 1m in total }\n',
    });
    const renamed = ROUTES.replace('all:', 'every:');
    const files = (minutes: number) =>
      policy(
        `limit "a" at most 1 requests in any ${minutes}m in total\n    limit "b" at most 1 requests in any ${minutes}m in total`,
      );
    await gateways.load({ ...files(2), 'routes/r.yaml': renamed });
    expect(gateways.labels()).toEqual([]);
    await gateways.load(files(4));
    await gateways.load(files(3), 'limits: { replacedLimits: 2 }\n');
    expect(gateways.labels()).toEqual([
      expect.stringMatching(/^a before .* 240000ms/),
      expect.stringMatching(/^b before .* 240000ms/),
    ]);
  });
});

/** What the windows of a project may be edited to; amounts belong to them, so that a window says what it promised. */
const WINDOWS = [
  { amount: 2, windowMs: 1_000, key: 'in total' },
  { amount: 3, windowMs: 2_000, key: 'in total' },
  { amount: 2, windowMs: 3_000, key: 'for each request.ip' },
  { amount: 1, windowMs: 500, key: 'for each request.ip' },
] as const;
type WindowCase = (typeof WINDOWS)[number];

const events = fc.array(
  fc.oneof(
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('edit' as const), to: fc.nat(WINDOWS.length - 1) }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'flip' as const }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('ask' as const),
        afterMs: fc.constantFrom(0, 0, 10, 100, 300, 900),
        ip: fc.constantFrom('192.0.2.1', '192.0.2.2'),
        onNew: fc.boolean(),
      }),
    },
  ),
  { minLength: 30, maxLength: 80 },
);

it('in no window of a limit, over all edits and for one more T, are more permitted than it says', async () => {
  const seen = { refused: 0, withReplaced: 0 };
  await fc.assert(
    fc.asyncProperty(events, async (all) => {
      const gateway = new Gateways();
      const textOf = ({ amount, windowMs, key }: WindowCase) =>
        policy(`limit "w" at most ${amount} requests in any ${windowMs}ms ${key}`);
      let shown = WINDOWS[0] as WindowCase;
      await gateway.load(textOf(shown));
      let next: { readonly window: WindowCase; readonly version: Version } | null = null;
      const admitted: { readonly atMs: number; readonly ip: string }[] = [];
      /** Since which admitted request each window has been in force without a break, and until when. */
      const inForce = new Map<WindowCase, { readonly since: number; untilMs: number }>();
      inForce.set(shown, { since: 0, untilMs: Number.POSITIVE_INFINITY });
      for (const event of all) {
        if (event.kind === 'edit' && next === null) {
          const window = WINDOWS[event.to]!;
          next = { window, version: await gateway.edit(textOf(window)) };
        } else if (event.kind === 'flip' && next !== null) {
          await gateway.flip();
          const { window } = next;
          if (window !== shown) inForce.get(shown)!.untilMs = gateway.nowMs + shown.windowMs;
          const known = inForce.get(window);
          if (known === undefined || known.untilMs <= gateway.nowMs)
            inForce.set(window, { since: admitted.length, untilMs: Number.POSITIVE_INFINITY });
          else known.untilMs = Number.POSITIVE_INFINITY;
          shown = window;
          next = null;
        } else if (event.kind === 'ask') {
          gateway.nowMs += event.afterMs;
          const version = event.onNew && next !== null ? next.version : gateway.running;
          const { nowMs } = gateway;
          if (!gateway.ask(event.ip, version)) {
            seen.refused++;
            continue;
          }
          admitted.push({ atMs: nowMs, ip: event.ip });
          for (const [{ amount, windowMs, key }, { since, untilMs }] of inForce) {
            if (nowMs >= untilMs) continue;
            const counted = admitted
              .slice(since)
              .filter(({ atMs, ip }) => atMs > nowMs - windowMs && (key === 'in total' || ip === event.ip));
            expect(counted.length).toBeLessThanOrEqual(amount);
          }
        }
      }
      if (gateway.running.bundle.counters.some(({ replaced }) => replaced)) seen.withReplaced++;
    }),
    { numRuns: 60, endOnFailure: true },
  );
  expect(seen.refused).toBeGreaterThan(60);
  expect(seen.withReplaced).toBeGreaterThan(10);
}, 60_000);
