/** Random conditions that the checker would accept: a fact that may be missing stands behind a guard or has a fallback. */
import type { CheckedCalendar, FactExpression, Operand, TypedExpression } from '../../src/language/typed.ts';
import { elementPath, isElementPath } from '../../src/model/facts.ts';
import { BODY, joinedPath } from '../../src/model/member-path.ts';
import type { ScalarValue } from '../../src/model/types.ts';
import {
  and,
  calculated,
  compare,
  constant,
  converted,
  during,
  elementOf,
  fact,
  hasRole,
  inNetworks,
  inNetworksOf,
  is,
  list,
  memberOf,
  not,
  or,
  otherwise,
  present,
  quantified,
  share,
  subscribed,
  tagged,
  textTest,
} from './ast.ts';
import { BODY_VALUES, ITEM_VALUES, PART_VALUES } from './bodies.ts';
import type { Choices } from './choices.ts';
import { NAMES, WALL_START_MS } from './random-world.ts';

/** Requests arrive on the evening of this day, UTC, and in the night that follows. */
const LAST_DAY = Math.floor(WALL_START_MS / 86_400_000);

interface FactCase {
  readonly path: string;
  readonly parameter?: string;
  readonly values: readonly ScalarValue[];
}

export const FACT_CASES: readonly FactCase[] = [
  { path: 'request.method', values: NAMES.methods },
  { path: 'request.path', values: ['/orders/1', '/refunds/red/2', '/'] },
  { path: 'request.host', values: NAMES.hosts },
  { path: 'request.ip', values: NAMES.addresses },
  { path: 'request.size', values: [0, 100, 4_999] },
  { path: 'request.header', parameter: 'x-color', values: NAMES.words },
  { path: 'request.query', parameter: 'a', values: NAMES.words },
  { path: 'request.parameter', parameter: 'id', values: NAMES.words },
  { path: 'request.parameter', parameter: 'part', values: NAMES.words },
  { path: 'request.date', parameter: 'Europe/Berlin', values: [LAST_DAY, LAST_DAY + 1] },
  { path: 'request.date', parameter: 'UTC', values: [LAST_DAY, LAST_DAY + 1] },
  { path: 'request.time', parameter: 'Europe/Berlin', values: [0, 22 * 60, 23 * 60 + 30] },
  { path: 'request.time', parameter: 'Asia/Kathmandu', values: [165, 225, 8 * 60] },
  { path: 'request.weekday', parameter: 'Europe/Berlin', values: ['thu', 'fri', 'sat'] },
  ...Object.entries(BODY_VALUES).map(([name, values]) => ({ path: joinedPath(BODY, name), values })),
  { path: 'model', values: NAMES.models },
  { path: 'request.model', values: NAMES.models },
  { path: 'request.tokens', values: [1, 2, 3] },
  { path: 'request.output_cap', values: [1, 2, 3] },
  { path: 'route', values: NAMES.routes },
  { path: 'route.service', values: NAMES.services },
  { path: 'route.tags', values: NAMES.tags },
  { path: 'route.state', values: NAMES.states },
  { path: 'route.requires_identity', values: [true, false] },
  { path: 'route.version', values: NAMES.versions },
  { path: 'route.cost', values: [1, 2, 0] },
  { path: 'tenant', values: NAMES.tenants },
  { path: 'tenant.name', values: NAMES.tenants },
  { path: 'tenant.plan', values: NAMES.plans },
  { path: 'tenant.tier', values: [0, 1, 2] },
  { path: 'tenant.regions', values: NAMES.words },
  { path: 'tenant.constructor', values: NAMES.words },
  { path: 'team', values: NAMES.teams },
  { path: 'team.name', values: NAMES.teams },
  { path: 'team.cost_center', values: ['cc-shop', 'cc-lab'] },
  { path: 'consumer', values: NAMES.consumers },
  { path: 'consumer.name', values: NAMES.consumers },
  { path: 'consumer.roles', values: NAMES.roles },
  { path: 'consumer.contact', values: NAMES.words },
  { path: 'credential', values: ['web-1', 'app-1'] },
  { path: 'credential.name', values: ['web-1', 'app-1'] },
  { path: 'credential.kind', values: ['key', 'token', 'certificate', 'signature'] },
  { path: 'credential.age', values: [0, 86_400_000, 120 * 86_400_000] },
  { path: 'credential.expires_in', values: [0, 86_400_000, 80_000_000] },
];

/** `known`: facts proven to be present; 'identity' stands for all that only anonymous requests lack. */
export function randomCondition(
  choices: Choices,
  known: ReadonlySet<string>,
  depth: number,
): TypedExpression {
  if (depth === 0) return randomTest(choices, known);
  return choices.way<TypedExpression>(
    () => randomTest(choices, known),
    () => randomTest(choices, known),
    () => tagged(choices.one(NAMES.tags)),
    () => and(...choices.times(2, 3, () => randomCondition(choices, known, depth - 1))),
    () => or(...choices.times(2, 3, () => randomCondition(choices, known, depth - 1))),
    () => not(randomCondition(choices, known, depth - 1)),
    () => signed(choices, hasRole(choices.one(NAMES.roles))),
    () => signed(choices, subscribed()),
    () => signed(choices, inNetworks(fact('request.ip'), ...choices.one(NETWORKS))),
    () => randomDirectoryNetworks(choices),
    () => constant(choices.below(2) === 0),
    () => signed(choices, during(choices.one(CALENDARS))),
    () => randomCalculation(choices, known),
    () => randomPair(choices),
    () => randomShare(choices, known),
    () =>
      and(
        present(fact(ITEMS)),
        askElements(choices, ITEMS, () => randomItemTest(choices)),
      ),
    () => compare(choices.one(['le', 'ge']), otherwise(fact('tenant.tier'), 1), choices.below(3)),
  );
}

/** What only rules can ask that are asked when all is over. */
export function randomAnswerCondition(choices: Choices, known: ReadonlySet<string>): TypedExpression {
  return choices.way<TypedExpression>(
    () => randomAnswerTest(choices),
    () => and(randomAnswerTest(choices), randomCondition(choices, known, 2)),
    () => or(randomAnswerTest(choices), randomCondition(choices, known, 1)),
    () => not(and(randomCondition(choices, known, 1), randomAnswerTest(choices))),
    () => randomCondition(choices, known, 2),
  );
}

function randomAnswerTest(choices: Choices): TypedExpression {
  const code = fact('response.code');
  return choices.way<TypedExpression>(
    () =>
      compare(
        choices.one(['ge', 'lt', 'is', 'is-not']),
        fact('response.status'),
        choices.one([500, 403, 404]),
      ),
    () => compare(choices.one(['gt', 'le']), fact('response.duration'), choices.one([0, 1_000, 2_000])),
    () => and(present(code), is(code, choices.one(['forbidden', 'total_timeout', 'custom']))),
    () => memberOf(fact('response.status'), list(403, 500, 503)),
    () => not(present(code)),
    () => {
      const used = fact(`usage.${choices.one(USED)}`);
      return and(present(used), compare(choices.one(['gt', 'le']), used, choices.one([0, 1, 2])));
    },
  );
}
const USED = [
  ...(['input_tokens', 'output_tokens', 'tokens', 'cached_tokens', 'reasoning_tokens', 'cost'] as const),
];

/** Their hours begin and end within the hours in which requests arrive. */
const CALENDARS: readonly CheckedCalendar[] = [
  calendar('evening', 'Europe/Berlin', [[3, '08:00', '22:30']], []),
  calendar(
    'night',
    'Europe/Berlin',
    [
      [3, '22:00', '30:00'],
      [4, '00:30', '00:45'],
    ],
    [],
  ),
  calendar(
    'shift',
    'America/New_York',
    [
      [3, '16:00', '16:20'],
      [3, '17:10', '24:00'],
    ],
    [],
  ),
  calendar('friday', 'Asia/Kathmandu', [[4, '00:00', '03:00']], []),
  calendar(
    'no thursday',
    'Europe/Berlin',
    [
      [3, '12:00', '30:00'],
      [4, '04:00', '12:00'],
    ],
    [LAST_DAY],
  ),
  calendar(
    'no friday',
    'UTC',
    [
      [3, '12:00', '26:00'],
      [4, '01:00', '12:00'],
    ],
    [LAST_DAY + 1],
  ),
];

/** Weekdays from 0 for Monday; hours from 24 on lie on the next day. */
function calendar(
  name: string,
  zone: string,
  hours: readonly (readonly [weekday: number, start: string, end: string])[],
  holidays: readonly number[],
): CheckedCalendar {
  const minutes = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  const ranges = hours.map(([weekday, start, end]) => ({
    weekday,
    startMinute: minutes(start),
    endMinute: minutes(end),
  }));
  return { name, zone, ranges, holidays };
}

const NETWORKS: readonly (readonly string[])[] = [
  ['10.0.0.0/8'],
  ['192.0.2.0/24', '2001:db8::/32'],
  ['::/0'],
  ['203.0.113.9'],
  [],
];

/** Networks and addresses that tenants and consumers have. */
function randomDirectoryNetworks(choices: Choices): TypedExpression {
  const ip = fact('request.ip');
  const isIn = (networks: FactExpression, address: Operand = ip): TypedExpression =>
    signed(choices, inNetworksOf(address, networks));
  const guarded = (path: string, test: (there: FactExpression) => TypedExpression): TypedExpression =>
    and(present(fact(path)), test(fact(path)));
  const quantifier = choices.one(['any', 'every', 'none'] as const);
  return choices.way<TypedExpression>(
    () => guarded('tenant.networks', (networks) => isIn(networks)),
    () => guarded('tenant.addresses', (addresses) => isIn(addresses)),
    () => guarded('tenant.office', (office) => isIn(office)),
    () => guarded('consumer.address', (address) => isIn(address)),
    () => guarded('consumer.address', (address) => isIn(fact('tenant.addresses'), address)),
    () => guarded('consumer.address', (address) => signed(choices, inNetworks(address, '10.0.0.0/8'))),
    () =>
      guarded('tenant.networks', (networks) => quantified(quantifier, networks, isIn(elementOf(networks)))),
    () =>
      guarded('tenant.addresses', (addresses) =>
        quantified(quantifier, addresses, isIn(ip, elementOf(addresses))),
      ),
    () => {
      const address = otherwise(fact('consumer.address'), choices.one(NAMES.addresses));
      return guarded('tenant.office', (office) => isIn(office, address));
    },
  );
}

const MOST = Number.MAX_SAFE_INTEGER;

/** A result compared with a number, also where it goes beyond the bounds. */
function randomCalculation(choices: Choices, known: ReadonlySet<string>): TypedExpression {
  const size = otherwise(fact('request.size'), choices.one([0, 100]));
  const tier = known.has('identity') ? fact('tenant.tier') : otherwise(fact('tenant.tier'), choices.below(3));
  const age = known.has('identity') ? fact('credential.age') : otherwise(fact('credential.age'), 0);
  const operator = choices.one(['+', '-', '*'] as const);
  const [result, about] = choices.way<readonly [Operand, number]>(
    () => [calculated(operator, size, tier), choices.one([0, 99, 101, 200])],
    () => [
      calculated('/', calculated(operator, tier, choices.below(4)), choices.one([2, 3])),
      choices.below(3),
    ],
    () => [calculated('/', size, 2), choices.one([50, 200])],
    () => [
      calculated(operator, tier, calculated('*', size, choices.one([1, 2]))),
      choices.one([0, 100, -199]),
    ],
    () => [calculated('*', calculated('+', tier, choices.one([0, 1])), choices.one([1, MOST])), MOST],
    () => [calculated('-', calculated('*', tier, -MOST), choices.one([0, 1])), -MOST],
    () => [converted(tier, 'USD', 1_000_000_000), choices.one([0, 1_000_000_000, 2_000_000_000])],
    () => [
      converted(otherwise(fact('request.body.amount'), 100), 'USD', 1_000_000_000),
      choices.one([0, 100_000_000_000, 501_000_000_000]),
    ],
    () => [calculated('+', age, choices.one([0, 86_400_000])), choices.one([86_400_000, 121 * 86_400_000])],
    () => [calculated('+', fact('request.time', 'UTC'), fact('request.date', 'UTC')), LAST_DAY + 22 * 60],
  );
  const test = choices.one(['lt', 'ge', 'is', 'le', 'gt', 'is-not'] as const);
  return choices.way(
    () => compare(test, result, about),
    () => compare(test, fact('request.date', 'UTC'), calculated('+', size, tier)),
    () => signed(choices, memberOf(result, list(about, 0, 1))),
  );
}

function randomShare(choices: Choices, known: ReadonlySet<string>): TypedExpression {
  const of = choices.one(['requests', 'consumers', 'tenants'] as const);
  const drawn = share(choices.one([50, 10, 90, 0.5, 0, 100]), of, choices.one(['one', 'other']));
  return of === 'requests' || known.has('identity') ? drawn : and(present(fact('consumer')), drawn);
}

/** Two facts compared with each other. */
function randomPair(choices: Choices): TypedExpression {
  const operator = choices.one(['is', 'is-not'] as const);
  const [left, right] = choices.one([
    [fact('request.host'), fact('request.path')],
    [fact('request.method'), otherwise(fact('request.header', 'x-color'), 'GET')],
    [otherwise(fact('team'), 'none'), otherwise(fact('consumer'), 'none')],
    [fact('route'), fact('route.service')],
  ] as const);
  const both = and(present(fact('consumer.contact')), present(fact('request.query', 'a')));
  return choices.way<TypedExpression>(
    () => compare(operator, left, right),
    () => and(both, compare(operator, fact('consumer.contact'), fact('request.query', 'a'))),
    () => and(present(fact('tenant.regions')), memberOf(fact('request.host'), fact('tenant.regions'))),
    () => is(fact('route.tags'), list(...choices.some(NAMES.tags))),
  );
}

function randomTest(choices: Choices, known: ReadonlySet<string>): TypedExpression {
  const { path, parameter, values } = choices.one(FACT_CASES);
  const of = fact(path, parameter ?? null);
  const isThere =
    of.definition.absence === 'never' || (of.definition.absence === 'anonymous' && known.has('identity'));
  if (isThere) return testOf(of, values, choices);
  const mayFallBack = of.type.kind !== 'list';
  return choices.way<TypedExpression>(
    () => and(present(of), testOf(of, values, choices)),
    () => (mayFallBack ? testOf(otherwise(of, choices.one(values)), values, choices) : present(of)),
    () => or({ kind: 'present', fact: of, negated: true, span: of.span }, testOf(of, values, choices)),
    () => signed(choices, { kind: 'present', fact: of, negated: false, span: of.span }),
  );
}

const REGEXES = ['', '^r', 'd$', '[a-c]e', '^.ö', '(?i)RED', 'a|b', '^.{3}$'];

function testOf(of: Operand, values: readonly ScalarValue[], choices: Choices): TypedExpression {
  const value = choices.one(values);
  if (of.type.kind === 'list' && of.kind === 'fact') {
    return choices.way(
      () => signed(choices, memberOf(value, of)),
      () => randomQuestion(of, values, choices),
      () => randomQuestion(of, values, choices),
    );
  }
  const listed = () => signed(choices, memberOf(of, list(...choices.some(values))));
  if (typeof value === 'boolean') return compare(choices.one(['is', 'is-not']), of, value);
  if (typeof value === 'number') {
    const operator = choices.one(['lt', 'ge', 'is', 'le', 'gt', 'is-not'] as const);
    return choices.way(
      () => compare(operator, of, value),
      () => compare(operator, of, value),
      listed,
    );
  }
  if (of.type.kind === 'ip')
    return choices.way(listed, () => compare(choices.one(['is', 'is-not']), of, value));
  return choices.way(
    () => compare(choices.one(['is', 'is-not']), of, value),
    listed,
    () =>
      textTest(choices.one(['contains', 'starts-with', 'ends-with']), of, value.slice(0, choices.below(3))),
    () => textTest('matches', of, choices.one(REGEXES)),
    () =>
      textTest(
        'like',
        of,
        choices.one(['*', 'r?d', '*e*', '?', '', '*d', `${value}*`, 'R*\u{1f600}', '????']),
      ),
  );
}

/** A question about the elements of a list that is there. */
function randomQuestion(
  list: FactExpression,
  values: readonly ScalarValue[],
  choices: Choices,
): TypedExpression {
  const it = elementOf(list);
  const test = (): TypedExpression => testOf(it, values, choices);
  const condition = choices.way<TypedExpression>(
    test,
    () => and(test(), test()),
    () => or(test(), not(test())),
    () => compare(choices.one(['is', 'is-not']), it, otherwise(fact('request.header', 'x-color'), 'red')),
    () => and(test(), compare('is', it, otherwise(fact('consumer.contact'), 'red'))),
    // in an element of another list `it.tags` would be a member of a tag
    () => (isElementPath(list.definition.path) ? test() : signed(choices, memberOf(it, list))),
  );
  return quantified(choices.one(['any', 'every', 'none']), list, condition);
}

const ITEMS = 'request.body.items';
const PARTS = `${ITEMS}[].parts`;

function askElements(choices: Choices, list: string, test: () => TypedExpression): TypedExpression {
  const condition = choices.way<TypedExpression>(
    test,
    test,
    () => and(test(), test()),
    () => or(test(), not(test())),
  );
  return quantified(choices.one(['any', 'every', 'none']), fact(list), condition);
}

/** Of an object in a list: guarded where a member may be missing, also by asking the list in it. */
function randomItemTest(choices: Choices): TypedExpression {
  return choices.way<TypedExpression>(
    () => randomMemberTest(choices, ITEMS, ITEM_VALUES),
    () => randomMemberTest(choices, ITEMS, ITEM_VALUES),
    () => compare('is', fact(`${ITEMS}[].sku`), otherwise(fact('request.header', 'x-color'), 'red')),
    () => {
      const asked = askElements(choices, PARTS, () => randomMemberTest(choices, PARTS, PART_VALUES));
      return and(present(fact(PARTS)), asked);
    },
  );
}

function randomMemberTest(
  choices: Choices,
  list: string,
  members: Readonly<Record<string, readonly ScalarValue[]>>,
): TypedExpression {
  const [name, values] = choices.one(Object.entries(members));
  const of = fact(joinedPath(elementPath(list), name));
  if (of.definition.absence === 'never') return testOf(of, values, choices);
  return choices.way<TypedExpression>(
    () => and(present(of), testOf(of, values, choices)),
    () => or({ kind: 'present', fact: of, negated: true, span: of.span }, testOf(of, values, choices)),
    () => signed(choices, { kind: 'present', fact: of, negated: false, span: of.span }),
  );
}

type Signed = Extract<TypedExpression, { negated: boolean }>;

function signed(choices: Choices, expression: TypedExpression): TypedExpression {
  return choices.below(2) === 0 ? expression : { ...(expression as Signed), negated: true };
}
