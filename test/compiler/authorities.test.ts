/** What a folder of policies may govern (language-rules #36), from its text to decisions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkPolicies } from '../../src/language/check.ts';
import type { Authority, World } from '../../src/model/world.ts';
import { Choices } from './choices.ts';
import { NAMES, randomSteps, randomWorld, type Step } from './random-world.ts';
import { compiledJudge, interpretedJudge, type Observation } from './run.ts';
import { KeyNames } from './world.ts';

const numbers = fc.uint16Array({ minLength: 200, maxLength: 400, size: 'max' });
const FOLDER = 'policies/tenants/acme';

const SCOPES: readonly Authority['scope'][] = [
  { tenants: ['acme'], owned: null },
  { tenants: ['acme'], owned: { routes: ['orders'], services: [], tags: [] } },
  { tenants: null, owned: { routes: [], services: ['probe'], tags: [] } },
  { tenants: ['acme', 'berlin'], owned: { routes: ['health'], services: [], tags: ['money'] } },
];

interface Rivals {
  readonly world: World;
  readonly scope: NonNullable<Authority['scope']>;
  readonly alone: string;
  readonly guest: string;
  readonly steps: readonly Step[];
  readonly keys: KeyNames;
}

function randomRivals(choices: Choices): Rivals {
  const keys = new KeyNames();
  const scope = choices.one(SCOPES)!;
  const directory = { tenants: new Map(), plans: new Set(NAMES.plans), roles: new Set(NAMES.roles) };
  const world = { ...randomWorld(choices), directory, enforcement: new Map() };
  const steps = randomSteps(world, choices, keys);
  return {
    world: { ...world, authorities: [{ folder: FOLDER, scope, place: 'portunus.yaml:2:3' }] },
    scope,
    alone: `language 1\npolicy "base" { ${choices.one(['permit', 'forbid', 'permit when request.method is "GET"'])} }\n`,
    guest: randomGuest(choices, claimsOf(world), scope.owned !== null),
    steps,
    keys,
  };
}

function claimsOf(world: World): readonly string[] {
  const names = [...world.routes.keys()].slice(0, 2).map((name) => `"${name}"`);
  return [
    '',
    'applies to every route',
    `applies to route ${names.join(', ')}`,
    'applies to not routes in state published',
    'effective until 2099-01-01 applies to service "probe" or true',
  ];
}
const GUESTS = [
  'forbid status 451',
  'limit at most 1 request in any 1m  in total',
  'timeout 250ms',
  'warn because "hi"',
];
const SHAPES = ['set header "x-guest" to "1" in response', 'require request.method is "POST"'];

function randomGuest(choices: Choices, claims: readonly string[], ownsRoutes: boolean): string {
  const rules = choices.times(1, 3, () =>
    choices.one([...GUESTS, ...SHAPES, ...(ownsRoutes ? ['permit', 'permit'] : [])]),
  );
  return `language 1\npolicy "guest" ${choices.one(claims)} {\n${[...new Set(rules)].join('\n')}\n}\n`;
}

function policiesOf(world: World, files: Readonly<Record<string, string>>) {
  const { policies, diagnostics } = checkPolicies(
    Object.entries(files).map(([path, text]) => new SourceText(path, text)),
    world,
  );
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return policies;
}

/** Whether a request is one that the guest may govern, said in another way than the checker does. */
function isWithin({ scope, world }: Rivals, { route: name, request }: Step): boolean {
  const route = world.routes.get(name)!;
  const tenant = route.auth === 'none' ? undefined : request.identity?.tenant.name;
  const { tenants, owned } = scope;
  if (tenants !== null && (tenant === undefined || !tenants.includes(tenant))) return false;
  if (owned === null) return true;
  return (
    owned.routes.includes(name) ||
    (route.service !== null && owned.services.includes(route.service)) ||
    route.tags.some((tag) => owned.tags.includes(tag))
  );
}

/** Rules are numbered over all policies, and "guest" comes after "base": equal numbers are equal rules. */
function seen({ counters: _counters, ...observation }: Observation) {
  return observation;
}

describe('the policies of a folder', () => {
  it('change nothing for requests outside of its authority, whoever judges', () => {
    let [within, outside] = [0, 0];
    fc.assert(
      fc.property(numbers, fc.constantFrom(compiledJudge, interpretedJudge), (drawn, judgeOf) => {
        const rivals = randomRivals(new Choices(drawn));
        const { world, alone, guest, keys } = rivals;
        const before = {
          world,
          steps: [],
          keys,
          policies: policiesOf(world, { 'policies/base.policy': alone }),
        };
        const files = { 'policies/base.policy': alone, [`${FOLDER}/guest.policy`]: guest };
        const after = { ...before, policies: policiesOf(world, files) };
        const [one, other] = [judgeOf(before), judgeOf(after)];
        for (const step of rivals.steps) {
          const [expected, found] = [one, other].map((judge) => seen(judge.judge(step.route, step.request)));
          if (isWithin(rivals, step)) within++;
          else {
            outside++;
            expect(found).toEqual(expected);
          }
        }
      }),
      { numRuns: 400 },
    );
    expect(Math.min(within, outside)).toBeGreaterThan(200);
  });

  it('permit nothing where it owns no route', () => {
    fc.assert(
      fc.property(numbers, (drawn) => {
        const rivals = randomRivals(new Choices(drawn));
        if (rivals.scope.owned !== null) return;
        const { world, guest, keys, steps } = rivals;
        const policies = policiesOf(world, { [`${FOLDER}/guest.policy`]: guest });
        const judge = compiledJudge({ world, policies, steps: [], keys });
        for (const { route, request } of steps) expect(judge.judge(route, request).decision).toBe('refused');
      }),
      { numRuns: 200 },
    );
  });
});
