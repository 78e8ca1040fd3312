/** The scenarios of `bench pool`. */
import type { Arrivals, Scenario, ScenarioAccount, ScenarioTenant } from './scenario.ts';

const MINUTE_MS = 60_000;
const RUN_MS = 150_000;

function account(
  name: string,
  {
    tpm,
    rpm,
    keys = 1,
    isDeclared = true,
  }: { tpm: number; rpm: number; keys?: number; isDeclared?: boolean },
): ScenarioAccount {
  return {
    name,
    windows: [
      { unit: 'requests', kind: 'bucket', amount: rpm, windowMs: MINUTE_MS },
      { unit: 'tokens', kind: 'bucket', amount: tpm, windowMs: MINUTE_MS },
    ],
    keys,
    isDeclared,
  };
}

const USUAL = { promptTokens: [50, 600], maxTokens: [50, 300] } as const;

/** As much as thirty others. What no key has whole at the end of a run is lost to them, but not to the bound: so theirs is long. */
const HEAVY = { promptTokens: [8_000, 20_000], maxTokens: [200, 1_000] } as const;
const HEAVY_RUN_MS = 600_000;

function steady(
  perSecond: number,
  sizes: Pick<Arrivals, 'promptTokens' | 'maxTokens'> = USUAL,
  untilMs: number = RUN_MS,
): Arrivals {
  return { fromMs: 0, untilMs, perSecond, ...sizes };
}

function tenants(...calls: (readonly Arrivals[])[]): readonly ScenarioTenant[] {
  return calls.map((each, nth) => ({ name: `tenant-${nth + 1}`, share: 1, calls: each }));
}

const THREE_TENANTS = tenants([steady(4)], [steady(8)], [steady(12)]);

/** 85 % of what three keys of 90 requests a minute give: less than half of it evenly, the rest in bursts that wait for seconds. */
const BURSTS: readonly Arrivals[] = [
  { ...steady(1.8), ...USUAL },
  ...Array.from({ length: 9 }, (_, nth) => ({
    fromMs: 10_000 + 15_000 * nth,
    untilMs: 10_500 + 15_000 * nth,
    perSecond: 60,
    ...USUAL,
  })),
];

const UNEVEN = [
  account('large', { tpm: 200_000, rpm: 10_000 }),
  account('middle', { tpm: 60_000, rpm: 3_000 }),
  account('small', { tpm: 20_000, rpm: 1_000 }),
];

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'uneven keys',
    shows: 'three keys of 200,000, 60,000 and 20,000 tokens a minute, and twice the load that they carry',
    goal: 0.99,
    scarce: 'tokens',
    deadlineMs: 10_000,
    providers: [{ name: 'one', tokensCounted: 'reserved', tellsLimits: true, accounts: UNEVEN }],
    tenants: THREE_TENANTS,
    changes: [],
  },
  {
    name: 'token-heavy mix',
    shows: 'one of twelve calls is too large for the small keys, and takes as much as thirty others',
    goal: 0.99,
    scarce: 'tokens',
    deadlineMs: 15_000,
    providers: [
      {
        name: 'one',
        tokensCounted: 'used',
        tellsLimits: true,
        accounts: [
          account('large', { tpm: 240_000, rpm: 10_000 }),
          account('middle', { tpm: 60_000, rpm: 3_000 }),
          account('small', { tpm: 30_000, rpm: 1_000 }),
        ],
      },
    ],
    tenants: tenants(
      [steady(4, USUAL, HEAVY_RUN_MS), steady(0.3, HEAVY, HEAVY_RUN_MS)],
      [steady(4, USUAL, HEAVY_RUN_MS), steady(0.3, HEAVY, HEAVY_RUN_MS)],
    ),
    changes: [],
  },
  {
    name: 'burst beyond capacity',
    shows: '1,200 calls within a second, on keys with room for 450 now and 150 a minute each',
    goal: 0.99,
    scarce: 'requests',
    deadlineMs: 30_000,
    providers: [
      {
        name: 'one',
        tokensCounted: 'reserved',
        tellsLimits: true,
        accounts: ['a', 'b', 'c'].map((name) => account(name, { tpm: 10_000_000, rpm: 150 })),
      },
    ],
    tenants: tenants(
      [{ fromMs: 1_000, untilMs: 2_000, perSecond: 400, ...USUAL }],
      [{ fromMs: 1_000, untilMs: 2_000, perSecond: 800, ...USUAL }],
    ),
    changes: [],
  },
  {
    name: 'burst within capacity',
    shows: '500 calls at once on three keys with room for 300 now and 200 within 4 s: none need be refused',
    goal: 0.99,
    scarce: 'requests',
    deadlineMs: 5_000,
    providers: [
      {
        name: 'one',
        tokensCounted: 'reserved',
        tellsLimits: true,
        accounts: ['a', 'b', 'c'].map((name) => ({
          name,
          windows: [{ unit: 'requests', kind: 'bucket', amount: 100, windowMs: 6_000 }],
          keys: 1,
          isDeclared: true,
        })),
      },
    ],
    tenants: tenants([{ fromMs: 1_000, untilMs: 1_050, perSecond: 10_000, ...USUAL }]),
    changes: [],
  },
  {
    name: 'shared account',
    shows: 'six keys of two accounts: each account gives once what its keys are told',
    goal: 0.99,
    scarce: 'tokens',
    deadlineMs: 10_000,
    providers: [
      {
        name: 'one',
        tokensCounted: 'used',
        tellsLimits: true,
        accounts: [
          account('org', { tpm: 150_000, rpm: 5_000, keys: 4 }),
          account('lab', { tpm: 90_000, rpm: 5_000, keys: 2 }),
        ],
      },
    ],
    tenants: THREE_TENANTS,
    changes: [],
  },
  {
    name: 'flood and trickle',
    shows: 'one tenant asks for ten times its share, another for a tenth of it: the little one loses nothing',
    goal: 0.99,
    scarce: 'tokens',
    deadlineMs: 8_000,
    providers: [{ name: 'one', tokensCounted: 'reserved', tellsLimits: true, accounts: UNEVEN }],
    tenants: tenants([steady(40)], [steady(0.5)]),
    changes: [],
  },
  {
    name: 'unequal shares',
    shows: 'three tenants ask for the same, and are promised one, two and five parts',
    goal: 0.99,
    scarce: 'tokens',
    deadlineMs: 10_000,
    providers: [{ name: 'one', tokensCounted: 'reserved', tellsLimits: true, accounts: UNEVEN }],
    tenants: tenants([steady(10)], [steady(10)], [steady(10)]).map((tenant, nth) => ({
      ...tenant,
      share: [1, 2, 5][nth]!,
    })),
    changes: [],
  },
  {
    name: 'close below capacity',
    shows: 'as many calls as three keys take, but for a twentieth: none need be refused',
    goal: 0.99,
    scarce: 'requests',
    deadlineMs: 10_000,
    providers: [
      {
        name: 'one',
        tokensCounted: 'reserved',
        tellsLimits: true,
        accounts: ['a', 'b', 'c'].map((name, nth) => ({
          name,
          windows: [{ unit: 'requests', kind: 'bucket', amount: 9 * (nth + 1), windowMs: 6_000 }],
          keys: 1,
          isDeclared: true,
        })),
      },
    ],
    tenants: tenants([steady(2.85)], [steady(2.85)], [steady(2.85)]),
    changes: [],
  },
  {
    name: 'bursts below capacity',
    shows: 'bursts of 30 calls beside a steady load, 85 % of what three keys take: none need be refused',
    goal: 0.99,
    scarce: 'requests',
    deadlineMs: 10_000,
    providers: [
      {
        name: 'one',
        tokensCounted: 'reserved',
        tellsLimits: true,
        accounts: ['a', 'b', 'c'].map((name) => ({
          name,
          windows: [{ unit: 'requests', kind: 'bucket', amount: 6, windowMs: 4_000 }],
          keys: 1,
          isDeclared: true,
        })),
      },
    ],
    tenants: tenants(BURSTS),
    changes: [],
  },
  {
    name: 'undeclared limits',
    shows: 'nothing is declared; what fields of answers tell is all that is known',
    goal: 0.95,
    scarce: 'tokens',
    deadlineMs: 10_000,
    providers: [
      {
        name: 'one',
        tokensCounted: 'reserved',
        tellsLimits: true,
        accounts: UNEVEN.map((each) => ({ ...each, isDeclared: false })),
      },
    ],
    tenants: THREE_TENANTS,
    changes: [],
  },
  {
    name: 'undeclared and untold limits',
    shows: 'nothing is declared and no field tells: refusals are all that is known',
    goal: 0.95,
    scarce: 'requests',
    deadlineMs: 10_000,
    providers: [
      {
        name: 'one',
        tokensCounted: 'reserved',
        tellsLimits: false,
        accounts: ['a', 'b', 'c'].map((name, nth) =>
          account(name, { tpm: 10_000_000, rpm: 120 * (nth + 1), isDeclared: false }),
        ),
      },
    ],
    tenants: THREE_TENANTS,
    changes: [],
  },
  {
    name: 'lowered mid-run',
    shows: 'the largest account is lowered to a third after a minute, and raised again after two',
    goal: 0.95,
    scarce: 'tokens',
    deadlineMs: 10_000,
    providers: [{ name: 'one', tokensCounted: 'reserved', tellsLimits: true, accounts: UNEVEN }],
    tenants: THREE_TENANTS,
    changes: [
      { kind: 'limits', atMs: 60_000, account: 'large', factor: 1 / 4 },
      { kind: 'limits', atMs: 120_000, account: 'large', factor: 4 },
    ],
  },
  {
    name: 'key revoked',
    shows: 'one of three equal keys is revoked after a minute',
    goal: 0.95,
    scarce: 'tokens',
    deadlineMs: 10_000,
    providers: [
      {
        name: 'one',
        tokensCounted: 'used',
        tellsLimits: true,
        accounts: ['a', 'b', 'c'].map((name) => account(name, { tpm: 90_000, rpm: 3_000 })),
      },
    ],
    tenants: THREE_TENANTS,
    changes: [{ kind: 'revoked', atMs: 60_000, key: 'b-1' }],
  },
  {
    name: 'provider outage',
    shows: 'the first of two providers answers 503 for half a minute',
    goal: 0.95,
    scarce: 'tokens',
    deadlineMs: 10_000,
    providers: [
      {
        name: 'one',
        tokensCounted: 'reserved',
        tellsLimits: true,
        accounts: [account('a', { tpm: 120_000, rpm: 5_000 })],
      },
      {
        name: 'two',
        tokensCounted: 'reserved',
        tellsLimits: true,
        accounts: [account('b', { tpm: 120_000, rpm: 5_000 })],
      },
    ],
    tenants: THREE_TENANTS,
    changes: [{ kind: 'outage', atMs: 60_000, untilMs: 90_000, provider: 'one' }],
  },
];
