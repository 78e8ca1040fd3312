/** Random typed policies: every node of the tree, with guards where the checker would demand them. */
import type {
  CheckedPolicies,
  CheckedPolicy,
  CheckedRule,
  CounterKey,
  FactExpression,
  Fallback,
  FallbackCount,
  LimitRule,
  LimitWindow,
  MaskRule,
  TypedExpression,
} from '../../src/language/typed.ts';
import { OUTPUT_CAP } from '../../src/model/facts.ts';
import { BODY, joinedPath } from '../../src/model/member-path.ts';
import { TOKEN_MEASURES } from '../../src/model/model-call.ts';
import type { ScalarValue } from '../../src/model/types.ts';
import {
  alert,
  and,
  budget,
  cache,
  deprecate,
  each,
  fact,
  filter,
  forbid,
  hasRole,
  is,
  limit,
  list,
  mask,
  member,
  memberOf,
  or,
  permit,
  policies,
  policy,
  present,
  removeHeader,
  require as requireRule,
  routeTo,
  setHeader,
  timeout,
  tokenLimit,
  warn,
} from './ast.ts';
import { BODY_VALUES } from './bodies.ts';
import type { Choices } from './choices.ts';
import { FACT_CASES, randomAnswerCondition, randomCondition } from './random-conditions.ts';
import { CROWD_MAX, NAMES, NOT_OFFERED } from './random-world.ts';

export function randomPolicies(choices: Choices): CheckedPolicies {
  const isOpen = !choices.rarely(3);
  const random = choices.times(1, NAMES.policies.length, (index) =>
    randomPolicy(NAMES.policies[index]!, choices),
  );
  const crowd = choices.rarely(6) ? randomCrowd(choices) : [];
  // Without a permit for all most requests would end there, and few would reach the limits.
  const open = isOpen ? [policy('open', {}, [permit({}, 'all')])] : [];
  const all = policies(...open, ...random, ...crowd);
  return choices.rarely(4) ? { ...all, replaced: [randomReplaced(choices.one(random).name, choices)] } : all;
}

/** Limits of a policy as they were before an edit, of whatever scope it had then. */
function randomReplaced(name: string, choices: Choices): CheckedPolicy {
  const scope = choices.below(2) === 0 ? {} : { scope: randomCondition(choices, new Set(), 1) };
  const rules = choices.times(1, 2, (index): CheckedRule => {
    const rule = randomRule('limit', choices.rarely(3) ? null : `rule-${index}`, choices, new Set());
    return { ...(rule as LimitRule), key: `before ${index}`, replaced: true };
  });
  return policy(name, scope, rules);
}

function randomPolicy(name: string, choices: Choices) {
  const known = new Set<string>(choices.rarely(3) ? ['identity'] : []);
  const identified = is(fact('route.requires_identity'), true);
  const guard = known.has('identity') ? [identified] : [];
  const rest = choices.below(3) > 0 ? [] : [randomCondition(choices, known, 2)];
  const conjuncts = [...guard, ...rest];
  const scope: TypedExpression | undefined =
    conjuncts.length < 2 ? conjuncts[0] : { kind: 'and', operands: conjuncts, span: identified.span };
  const rules = choices.times(1, 4, (index) => anyRule(index, choices, known));
  return policy(name, scope === undefined ? {} : { scope }, rules);
}

const CROWD_KINDS = [
  'limit',
  'permit',
  'forbid',
  'require',
  'set-header',
  'remove-header',
  'timeout',
  'cache',
  'route-to',
  'mask',
  'limit',
  'cap',
  'alert',
] as const;

/** Many policies with a rule of one kind, each for a value of its own of few facts: what the compiler keeps in tables. */
function randomCrowd(choices: Choices) {
  const kind = choices.one(CROWD_KINDS);
  const facts = choices.times(1, 2, () => choices.one(DEMANDED));
  return choices.times(12, CROWD_MAX, (index) => {
    const demand = randomDemand(choices, choices.one(facts), index);
    const rest = choices.rarely(3) ? [randomCondition(choices, new Set(), 1)] : [];
    const scope = choices.way<TypedExpression>(
      () => and(demand, ...rest),
      () => and(...rest, demand),
      () => or(demand, and(randomDemand(choices, choices.one(facts), index), ...rest)),
    );
    const name = choices.rarely(2) ? null : 'of-crowd';
    const rule = randomRule(kind, name, choices, new Set());
    return policy(`crowd ${index}`, { scope }, [{ ...rule, key: name ?? 'unnamed' }]);
  });
}

const DEMANDED = [...FACT_CASES, 'role'] as const;

/** A condition that holds only for few values of a fact: for one that occurs, or for one that does not. */
function randomDemand(choices: Choices, of: (typeof DEMANDED)[number], index: number): TypedExpression {
  if (of === 'role') return hasRole(choices.one([...NAMES.roles, `r${index}`]));
  const known = fact(of.path, of.parameter ?? null);
  const value = choices.one(of.values);
  const other = typeof value === 'string' ? `v${index}` : value;
  const test = choices.way<TypedExpression>(
    () => (known.type.kind === 'list' ? memberOf(value, known) : is(known, choices.one([value, other]))),
    () => (known.type.kind === 'list' ? memberOf(other, known) : memberOf(known, list(value, other))),
  );
  return known.definition.absence === 'never' ? test : and(present(known), test);
}

const RULES = [
  'permit',
  'limit',
  'limit',
  'limit',
  'limit',
  'set-header',
  'forbid',
  'require',
  'remove-header',
  'timeout',
  'cache',
  'route-to',
  'filter',
  'mask',
  'cap',
  'default',
  'warn',
  'deprecate',
  'alert',
  'alert',
] as const;

function anyRule(index: number, choices: Choices, known: ReadonlySet<string>): CheckedRule {
  const name = choices.rarely(3) ? null : `rule-${index}`;
  const rule = randomRule(choices.one(RULES), name, choices, known);
  return { ...rule, key: name ?? `unnamed ${index}` };
}

/** `known`: facts that the scope of the policy has proven to be present. */
export function randomRule(
  kind: (typeof RULES)[number],
  name: string | null,
  choices: Choices,
  known: ReadonlySet<string>,
): CheckedRule {
  const when = choices.below(3) > 0 ? {} : { when: randomCondition(choices, known, 2) };
  return ruleOf(kind, name, when, choices, known);
}

function ruleOf(
  kind: (typeof RULES)[number],
  name: string | null,
  when: { readonly when?: TypedExpression },
  choices: Choices,
  known: ReadonlySet<string>,
): CheckedRule {
  const side = choices.one(['request', 'response'] as const);
  switch (kind) {
    case 'permit':
      return permit(when, name);
    case 'forbid':
      return forbid(name, { ...when, ...randomReply(choices) });
    case 'require':
      return requireRule(name, randomCondition(choices, known, 2), { ...when, ...randomReply(choices) });
    case 'warn':
      return warn(name, { ...when, ...randomNotice(choices) });
    case 'limit':
      return randomLimit(name, when, choices, known);
    case 'set-header':
      return setHeader(choices.one(['x-a', 'x-b']), choices.one(['one', ...TEXTS, BODY_TEXT]), {
        ...when,
        side,
      });
    case 'remove-header':
      return removeHeader(choices.one(['x-a', 'x-c']), { ...when, side });
    case 'deprecate':
      return deprecate(choices.one([null, '/v2/orders', '/v2/{url id}', '//b.example/{url part}/x']), when);
    case 'cap':
    case 'default': {
      if (choices.rarely(3)) {
        const isCall = present(fact('model'));
        const guard = { when: when.when === undefined ? isCall : and(isCall, when.when) };
        return {
          ...member('cap', joinedPath(BODY, 'amount'), choices.one([1, 2, 5]), guard),
          kind,
          member: fact(OUTPUT_CAP),
        };
      }
      const [path, values] = choices.one(kind === 'cap' ? CAPPED : DEFAULTED);
      return member(kind, joinedPath(BODY, path), choices.one(values), when);
    }
    case 'timeout':
      return timeout(choices.one([1_000, 5_000, 250]), when);
    case 'cache':
      // as with pools, below
      return cache(60_000, when);
    case 'filter':
      return filter(
        name,
        choices.times(1, 3, (at) => ({
          pools: [['first'], ['second', 'third'], ['first', 'fourth']][at % 3]!,
          when: randomCondition(choices, known, 1),
        })),
        randomReply(choices, TEXTS),
      );
    case 'route-to':
      // Two that say different things and hold together are a finding, and nothing that runs.
      return routeTo(['first', 'second'], when);
    case 'mask':
      return mask(choices.one(MASKED), choices.one(SIDES), choices.one(['[removed]', '*']), when);
    case 'alert':
      return alert(name, {
        when: randomAnswerCondition(choices, known),
        ...(choices.below(2) === 0 ? {} : { because: choices.one(ALERT_TEXTS) }),
        ...(choices.rarely(3) ? { atLeast: { requests: 3, windowMs: 60_000 } } : {}),
        per: randomKey(choices, known),
      });
  }
}

const MASKED: readonly Pick<MaskRule, 'kinds' | 'patterns'>[] = [
  { kinds: ['email'], patterns: [] },
  { kinds: ['card', 'email'], patterns: [] },
  { kinds: [], patterns: ['ORD-[0-9]{8}'] },
  { kinds: ['iban'], patterns: ['A{1,3}', 'B'] },
  { kinds: [], patterns: ['blue', '50[0-9]', 'EUR|2026-12'] },
];
const SIDES: readonly MaskRule['sides'][] = [['request'], ['response'], ['request', 'response']];

type MemberCase = readonly [path: string, values: readonly ScalarValue[]];
const CAPPED: readonly MemberCase[] = [
  ['amount', [100, 0, 500]],
  ['order.lines', [1, 2]],
  ['due', BODY_VALUES.due],
  ['["a.b\\u{5b}\\u{5d}\\u{7d}"]', [0, 1]],
];
const DEFAULTED: readonly MemberCase[] = [
  ['currency', ['EUR', 'USD']],
  ['amount', [100, 700]],
  ['order.lines', [1, 3]],
  ['order.id', ['blue']],
  ['urgent', [true]],
  ['["ship-to"]["@type"]', ['blue']],
  ['due', BODY_VALUES.due],
];

const TEXTS = [
  'no {request.path}',
  '{tenant.name} of {tenant.regions} at {request.header["x-color"]}',
  '{credential.age} and {credential.expires_in}, {team}, {tenant.constructor}',
  '{route} {route.tags} {route.version} {request.size} {request.parameter["id"]} {request.query["a"]}',
  '{request.date["UTC"]} {request.time["Europe/Berlin"]} {request.weekday["Europe/Berlin"]}',
];
const BODY_TEXT =
  '{request.body.currency}: {request.body.amount} due {request.body.due} {request.body.note} {request.body.labels}';
const DENIAL_TEXTS = [...TEXTS, BODY_TEXT, '{calendar.name} from {calendar.opens} until {calendar.closes}'];
const ALERT_TEXTS = [
  ...DENIAL_TEXTS,
  '{response.status} after {response.duration} ({response.code}) for {tenant} and {request.body.amount}',
];
const LIMIT_TEXTS = [
  ...TEXTS,
  BODY_TEXT,
  '{limit.name}: {limit.used} of {limit.amount}, {limit.resets} for {consumer.contact}',
];
const STATUSES = [403, 401, 404, 410, 418, 429, 451, 503];

function randomReply(choices: Choices, texts: readonly string[] = DENIAL_TEXTS) {
  return {
    ...(choices.below(2) === 0 ? {} : { status: choices.one(STATUSES) }),
    ...randomNotice(choices, texts),
  };
}

function randomNotice(choices: Choices, texts: readonly string[] = [...TEXTS, BODY_TEXT]) {
  return {
    ...(choices.below(2) === 0 ? {} : { code: 'custom' }),
    ...(choices.below(2) === 0 ? {} : { because: choices.one(texts) }),
  };
}

function randomLimit(
  name: string | null,
  when: { readonly when?: TypedExpression },
  choices: Choices,
  known: ReadonlySet<string>,
): LimitRule {
  const window = randomWindow(choices);
  const isBudget = window.kind === 'calendar' && choices.below(2) === 0;
  const tokens =
    !isBudget && window.kind !== 'concurrency' && choices.rarely(4) ? choices.one(TOKEN_MEASURES) : null;
  const isCall = present(fact('model'));
  const fallback = choices.below(3) === 0 ? randomFallback(isBudget, choices) : undefined;
  const isOfCalls = tokens !== null || fallback !== undefined;
  const isUnguarded = tokens === null && !isBudget && choices.rarely(3);
  const needed = isOfCalls
    ? isUnguarded
      ? null
      : isCall
    : isBudget
      ? choices.one([present(fact('route.cost')), present(fact('route.cost')), isCall])
      : null;
  const guard = needed === null ? when : { when: when.when === undefined ? needed : and(needed, when.when) };
  const make = isBudget ? budget : tokens === null ? limit : tokenLimit.bind(null, tokens);
  const per = needed === isCall && choices.below(3) === 0 ? each('model') : randomKey(choices, known);
  const said = {
    ...guard,
    ...randomReply(choices, LIMIT_TEXTS),
    window,
    onFailure: choices.one(['refuse', 'allow'] as const),
    ...(choices.rarely(4) ? { maxKeys: 1 } : {}),
  };
  if (window.kind !== 'calendar' && choices.rarely(4))
    return make(name, { ...said, per: withTarget(per, choices) });
  return make(name, {
    ...said,
    per,
    ...(choices.below(3) === 0 ? { queueMs: choices.one([1_000, 20_000, 1, 600_000]) } : {}),
    ...(fallback === undefined ? {} : { fallback }),
  });
}

/** Counted by what the call is sent to as well. */
function withTarget(per: CounterKey, choices: Choices): CounterKey {
  const own = choices.one([['key'], ['target'], ['key.account', 'target.provider'], ['key', 'target.pool']]);
  const keys = own.map((path) => fact(path));
  if (per.kind === 'total') return { kind: 'each', keys, otherwise: null };
  return { ...per, keys: choices.below(2) === 0 ? [...per.keys, ...keys] : [...keys, ...per.keys] };
}

function randomWindow(choices: Choices): LimitWindow {
  const amount = choices.one([2, 1, 3, 5, 2, 3, 0]);
  return choices.way<LimitWindow>(
    () => ({ kind: 'window', amount, windowMs: choices.one([16_000, 1_000, 60_000]) }),
    () => ({
      kind: 'pace',
      amount: Math.max(1, amount),
      periodMs: choices.one([1_000, 60_000]),
      burst: choices.one([1, 2, 3, 2, 0]),
    }),
    () => ({ kind: 'concurrency', amount }),
    () => ({
      kind: 'calendar',
      amount,
      period: choices.one(['day', 'week', 'month', 'quarter', 'year']),
      zone: choices.one(['UTC', 'Europe/Berlin', 'America/New_York']),
    }),
  );
}

function randomFallback(isBudget: boolean, choices: Choices): Fallback {
  const models = choices.one([['mini'], ['mini', 'gpt'], ['gpt', 'mini'], ['gpt'], [NOT_OFFERED, 'mini']]);
  const counted = choices.one<FallbackCount>([
    isBudget
      ? { kind: 'allowance', amount: choices.one([1, 2, 3]), counterIdentity: '' }
      : { kind: 'nowhere' },
    { kind: 'again' },
    { kind: 'nowhere' },
  ]);
  return { models, counted };
}

const ALWAYS_KEYS = ['request.ip', 'route', 'request.method', 'route.service', 'route.tags'];
const CALLER_KEYS = ['consumer', 'tenant', 'credential', 'tenant.plan', 'consumer.name'];
const OPTIONAL_KEYS = [
  'team',
  'consumer.contact',
  'request.size',
  'route.version',
  joinedPath(BODY, 'currency'),
];

function randomKey(choices: Choices, known: ReadonlySet<string>): CounterKey {
  return choices.way<CounterKey>(
    () => randomEach(choices, known),
    () => ({ kind: 'total' }),
    () => randomEach(choices, known),
    () => randomEach(choices, known),
  );
}

function randomEach(choices: Choices, known: ReadonlySet<string>): CounterKey {
  const paths = choices.times(1, 2, () =>
    choices.one(choices.one([CALLER_KEYS, CALLER_KEYS, ALWAYS_KEYS, OPTIONAL_KEYS])),
  );
  const keys = [...new Set(paths)].map((path) => fact(path));
  const header = choices.rarely(4) ? [fact('request.header', 'x-color')] : [];
  const all: readonly FactExpression[] = [...keys, ...header];
  const mayMiss = all.some((key) => mayBeMissing(key, known));
  const fallback = [
    'request.ip',
    'request.ip',
    'request.ip',
    ...(known.has('identity') ? ['tenant'] : []),
    ...ALWAYS_KEYS,
  ];
  return { kind: 'each', keys: all, otherwise: mayMiss ? fact(choices.one(fallback)) : null };
}

function mayBeMissing({ definition }: FactExpression, known: ReadonlySet<string>): boolean {
  return definition.absence === 'always' || (definition.absence === 'anonymous' && !known.has('identity'));
}
