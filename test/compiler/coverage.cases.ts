/** What the random cases of the differential test have to reach. A new node of the language gets a line here. */
import { elementPath } from '../../src/model/facts.ts';
import { FACTS } from './ast.ts';
import { RULE_PHASES } from './coverage.ts';

const REACHED: Readonly<Record<string, readonly string[]>> = {
  rule: [
    'permit',
    'forbid',
    'require',
    'warn',
    'limit',
    'quota',
    'budget',
    'set-header',
    'remove-header',
    'cap',
    'default',
    'timeout',
    'cache',
    'route-to',
    'filter',
    'mask',
    'deprecate',
    'alert',
    'replaced',
  ],
  kind: [
    'constant',
    'not',
    'and',
    'or',
    'compare',
    'in',
    'in-networks',
    'in-calendar',
    'arithmetic',
    'converted',
    'calendar-fact',
    'text-test',
    'present',
    'has-role',
    'quantified',
    'share',
    'subscribed',
    'fact',
    'literal',
    'list',
    'otherwise',
    'limit-fact',
    'url-part',
    'total',
    'each',
    'requests',
    'money',
    'tokens',
    'input-tokens',
    'output-tokens',
    'cached-tokens',
    'reasoning-tokens',
    'window',
    'pace',
    'concurrency',
    'calendar',
    'again',
    'allowance',
    'nowhere',
  ],
  quantifier: ['any', 'every', 'none'],
  operator: ['is', 'is-not', 'lt', 'le', 'gt', 'ge', '+', '-', '*', '/'],
  test: ['contains', 'starts-with', 'ends-with', 'like', 'matches'],
  of: ['requests', 'consumers', 'tenants'],
  period: ['day', 'week', 'month', 'quarter', 'year'],
  side: ['request', 'response'],
  onFailure: ['refuse', 'allow'],
  negated: ['true', 'false'],
  mode: ['enforce', 'warn', 'shadow'],
  status: ['401', '403', '404', '410', '418', '429', '451', '503'],
  end: [
    'fell-back',
    'permitted',
    'waiting',
    'waiting limit_exceeded',
    'refused unauthenticated',
    'refused not_permitted',
    'refused forbidden',
    'refused requirement_not_met',
    'refused limit_exceeded',
    'refused budget_exhausted',
    'refused larger_than_limit',
    'refused no_sound_bound',
    'refused limit_unavailable',
    'refused custom',
    'warned',
    'shadow-denied',
    'also-denied',
    'alerted',
  ],
  cap: [
    'request.body.amount',
    'request.body.order.lines',
    'request.body.due',
    'request.body["a.b\\u{5b}\\u{5d}\\u{7d}"]',
  ],
  default: [
    'request.body.currency',
    'request.body.order.id',
    'request.body.urgent',
    'request.body["ship-to"]["@type"]',
  ],
  fact: [
    // the check puts their values in the place of those of targets; those of pools are asked of no request
    ...FACTS.filter(({ phase }) => phase !== 'target' && phase !== 'pool').map((fact) => fact.path),
    ...['route.tags', 'consumer.roles', 'tenant.regions', 'request.body.labels'].map(elementPath),
  ],
};

/** Nodes of conditions: each has to be met in the code of each phase. */
const CONDITIONS = [
  ...[
    'constant',
    'not',
    'and',
    'or',
    'compare',
    'in',
    'in-networks',
    'in-calendar',
    'arithmetic',
    'converted',
  ],
  ...['text-test', 'present', 'has-role', 'subscribed', 'quantified', 'fact', 'literal', 'list', 'otherwise'],
];

/** What is known of the caller alone: in the first phase there are no roles, no subscriptions, and no plain numbers to give a unit. */
const NEVER: ReadonlySet<string> = new Set([
  'has-role in match',
  'subscribed in match',
  'converted in match',
]);

const IN_PHASES = RULE_PHASES.flatMap((phase) => CONDITIONS.map((kind) => `${kind} in ${phase}`)).filter(
  (name) => !NEVER.has(name),
);

export const MUST_BE_REACHED: readonly string[] = [
  ...Object.entries(REACHED).flatMap(([group, names]) => names.map((name) => `${group} ${name}`)),
  ...IN_PHASES,
];
