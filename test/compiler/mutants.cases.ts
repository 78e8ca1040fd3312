/**
 * Mistakes a compiler could make: in the code it generates, in the constants, or in an early pass (shown by giving it
 * another policy or world than the interpreter has).
 */
import { isLimitRule } from '../../src/language/limit-rules.ts';
import type {
  CheckedPolicy,
  CheckedRule,
  DeprecateRule,
  Fallback,
  LimitRule,
  LimitWindow,
  TypedExpression,
} from '../../src/language/typed.ts';
import type { EnforcementMode, Route } from '../../src/model/world.ts';
import type { ProgramConstant } from '../../src/pipeline/program.ts';
import { not } from './ast.ts';
import type { Case } from './run.ts';

export interface Mutant {
  readonly name: string;
  /** Changes the code of every function; the same text where the mistake cannot show. */
  readonly code?: (code: string) => string;
  readonly constant?: (value: ProgramConstant) => ProgramConstant;
  /** What the compiler is given in place of the case. */
  readonly source?: (one: Case) => Case;
}

function replace(name: string, search: RegExp | string, by: string): Mutant {
  return { name, code: (code) => code.replace(search, by) };
}

const IN_CODE: readonly Mutant[] = [
  replace('and becomes or', ' && ', ' || '),
  replace('or becomes and', ' || ', ' && '),
  replace('a negation is lost', /!\(/, '('),
  replace('equal becomes different', /(\w) === c/, '$1 !== c'),
  replace('less becomes less or equal', / < (?!remaining)/, ' <= '),
  replace('less or equal becomes less', ' <= ', ' < '),
  replace('begins with becomes ends with', 'startsWith(', 'endsWith('),
  replace('ends with becomes begins with', 'endsWith(', 'startsWith('),
  replace('contains becomes begins with', /(?<!roles|regions)(\??\.)includes\(/, '$1startsWith('),
  replace('present becomes missing', '!== undefined', '=== undefined'),
  replace('a fallback is lost', / \?\? c\d+/, ''),
  replace(
    'a threshold is asked of calls that it sent elsewhere only',
    '!runtime.hasFallen(',
    'runtime.hasFallen(',
  ),
  replace(
    'what is allowed more is counted first',
    /hasFallen\((context, c\d+)\) \? (c\d+) : (c\d+)/,
    'hasFallen($1) ? $3 : $2',
  ),
  replace('a weight is doubled', '] = 1;', '] = 2;'),
  replace('a slot is never given back', 'context.reservation = counters.reserve(batch);', ''),
  replace('what is taken for calls is never given back', 'context.reservation = counters.hold(batch);', ''),
  replace('limits for each key are not asked', 'return limits.areNone ? null : limits;', 'return null;'),
  replace('watching limits for each key are not asked', /watchTargets\d+\(context, limits\);/, ';'),
  replace('a slot of a watching policy is never given back', 'observeReserving', 'observe'),
  replace('a watching policy takes nothing', /^ {2}observe0\(context\);$/m, ''),
  replace('deny rules of match are forgotten', 'return refuseInMatch(context);', ';'),
  replace('a missing permit is forgotten', 'denials.notPermitted();', ';'),
  replace('anonymous callers get 403', 'context.identity === null ? 401 : 403', '403'),
  replace(
    'identity is not demanded',
    'if (context.identity === null) return runtime.unauthenticated(context);',
    '',
  ),
  replace('a permit does not end the asking', /(context\.decidingRule = c\d+;)\n\s+return CONTINUE;/, '$1'),
  replace('a missing permit lets through', 'return runtime.notPermitted(context);', 'return CONTINUE;'),
  replace('a kept result is turned round', /\((holds\d+) \?\?= /g, '($1 ??= !'),
  replace('a place in the batch is used twice', 'at++;', ''),
  replace(
    'the loosest limit is shown',
    /remaining\[(\w+)\] < remaining\[tightest\]/g,
    'remaining[$1] > remaining[tightest]',
  ),
  replace('a part of a key is lost', /runtime\.combineKey\(key, [^)]*\);/, ''),
  replace('tenants stand for consumers', /consumer\.keyHash/g, 'tenant.keyHash'),
  replace(
    'shares of consumers are of tenants',
    /isInShare\(identity(\??)\.consumer/,
    'isInShare(identity$1.tenant',
  ),
  replace(
    'shares of tenants are of consumers',
    /isInShare\(identity(\??)\.tenant/,
    'isInShare(identity$1.consumer',
  ),
  replace('requests outside of a share are in it', 'runtime.isRequestInShare(', '!runtime.isRequestInShare('),
  replace('alerts are forgotten', /runtime\.alerts\.matched\([^;]*;/, ';'),
  replace('alerts ask for callers nobody knows', /context\.answer\.known >= 1/, 'true'),
  replace('alerts of the caller ask for the body', 'context.answer.known >= 1', 'context.answer.known >= 2'),
  replace('texts of alerts know too much', /if \(context\.answer\.known >= 2\) \{/, 'if (true) {'),
  replace('texts of alerts know too little', /if \(context\.answer\.known >= \d\) \{/, 'if (false) {'),
  replace('keys of alerts are one', /\['each', [^\]]*\]/, "['each']"),
  replace('keys of alerts have no fallback', /\['otherwise', [^\]]*\]/, "['missing']"),
  replace('caps are forgotten', /changes = runtime\.capMember\([^;]*;/, ';'),
  replace('defaults replace', /(runtime\.defaultMember\(changes, \w+, )[^,]+/, '$1undefined'),
  replace('defaults are forgotten', /changes = runtime\.defaultMember\([^;]*;/, ';'),
  replace('members in tables are left as they are', /changes = row\d+\.change\(context, changes\);/, ';'),
  replace('the two clocks are exchanged', 'context.nowWallMs)', 'context.nowMonotonicMs)'),
  replace(
    'warnings become shadows',
    /runtime\.warn\(context, c(\d+), \[[^\]]*\]\)/,
    'runtime.noteShadowed(context, c$1.rule)',
  ),
  replace('a warning is forgotten', /runtime\.warn\(context, c\d+, \[[^\]]*\]\);/, ';'),
  replace(
    'warnings of limits become shadows',
    /warningLimits\((c\d+), \w+\)/,
    'shadowedLimits($1.map((limit) => limit.rule))',
  ),
  replace('an added field replaces', 'edits.added.push', 'edits.set.push'),
  replace('a removed field is kept', 'edits.removed.push', 'edits.set.push'),
  replace('alerts show keys as callers wrote them', /\(key\) => runtime\.shownKey\([^)]*\)/, 'null'),
  replace('masks are forgotten', /masks = runtime\.addMask\([^;]*;/, ';'),
  replace('a timeout is not lessened', ' < least && ', ' > least && '),
  replace('an optional field is read from the wrong place', 'runtime.header(', 'runtime.query('),
  replace(
    'local times are of another hour',
    '.minute(context.nowWallMs)',
    '.minute(context.nowWallMs + 3_600_000)',
  ),
  replace(
    'local dates are of another day',
    '.day(context.nowWallMs)',
    '.day(context.nowWallMs + 86_400_000)',
  ),
  replace(
    'calendars are asked about another hour',
    'isOpen(context.nowWallMs)',
    'isOpen(context.nowWallMs + 3_600_000)',
  ),
  replace(
    'weekdays are of another day',
    '.weekday(context.nowWallMs)',
    '.weekday(context.nowWallMs + 86_400_000)',
  ),
  replace('plus becomes minus', / \+ (?=[cv(r])/, ' - '),
  replace('minus becomes plus', / - (?=[cv(r])/, ' + '),
  replace('times becomes plus', / \* (?=[cv(r])/, ' + '),
  replace('divided by becomes times', /(?<=saturated\(.*) \/ (?=[cv(r])/, ' * '),
  replace('results are not kept within their bounds', 'runtime.saturated(', '('),
  replace('the first element of a list is not asked', /for \(let (i\d) = 0;/, 'for (let $1 = 1;'),
  replace(
    'only the first element of a list is asked',
    /(i\d) < (\w+)\.length/,
    '$1 < Math.min(1, $2.length)',
  ),
  replace('an element that fits is passed over', /(for \(let i\d = 0;[^}]*) return true;/, '$1 continue;'),
  replace('of no element everything holds', /(\n {2}\}\n {2})return false;/, '$1return true;'),
  replace('a member is always that of the first element', /(column\d+)\[i\d\]/, '$1[0]'),
  replace('the list in an element is always that of the first', /(some\d+)\(context, i0\)/, '$1(context, 0)'),
  replace('a lease is not waited for', 'if (result !== 0)', 'if (result === 1)'),
];

const IN_TABLES: readonly Mutant[] = [
  replace('rows deny nothing', /\w+\.denies\(context\)/, 'false'),
  replace('denials of rows are not named', /\w+\.collect\(context, denials\);/, ';'),
  replace('rows permit nothing', /permit = \w+\.permit\(context, permit\);/, ';'),
  replace('the last permit of a table is named', / < permit/g, ' > -permit'),
  replace('rows watch nothing', /\w+\.watch\(context\);/, ';'),
  replace('rows take nothing', /at = \w+\.fill\(context, at\);/, ';'),
  replace('limits of rows are not shown', /runtime\.showTaken\([^)]*\);/, ';'),
  replace('policies in rows watch no limit', /row\d+\.observe\(context\);/, ';'),
  replace('rows shape nothing', /\w+\.shape\(context, edits\);/, ';'),
  replace('rows mask nothing', /masks = row\d+\.mask\(context, masks\);/, ';'),
  replace('rows bound no time', /least = \w+\.lessen\(context, least\);/, ';'),
  replace('one item of a list is looked up', /item < (list\d+)\.length/, 'item < Math.min(1, $1.length)'),
  replace('repeated items count twice', /(table\d+)\.ofItem\((list\d+), item\)/, '$1.get($2[item])'),
  {
    name: 'the last row of a table is lost',
    constant: (value) => (isRows(value) ? value.slice(0, -1) : value),
  },
  { name: 'two rows are exchanged', constant: (value) => (isRows(value) ? exchanged(value) : value) },
];

function isRows(value: ProgramConstant): value is readonly (readonly ProgramConstant[])[] {
  return (
    Array.isArray(value) && value.length > 1 && value.every((row) => Array.isArray(row) && row.length === 3)
  );
}
function exchanged(rows: readonly (readonly ProgramConstant[])[]): ProgramConstant {
  const [first, second, ...others] = rows;
  return [[second![0]!, ...first!.slice(1)], [first![0]!, ...second!.slice(1)], ...others];
}

const IN_CONSTANTS: readonly Mutant[] = [
  { name: 'numbers are off by one', constant: (value) => (typeof value === 'number' ? value + 1 : value) },
  {
    name: 'the last network is lost',
    constant: (value) => (isTexts(value, '/') ? value.slice(0, -1) : value),
  },
  {
    name: 'regular expressions fit everywhere',
    constant: (value) => (typeof value === 'string' && /[\^$|]/.test(value) ? '' : value),
  },
  {
    name: 'holidays are forgotten',
    constant: (value) => (hasField(value, 'holidays') ? { ...value, holidays: [] } : value),
  },
  {
    name: 'hours end at midnight',
    constant: (value) =>
      hasField(value, 'ranges')
        ? { ...value, ranges: (value.ranges as readonly { endMinute: number }[]).map(beforeMidnight) }
        : value,
  },
  {
    name: 'keys of one pool are counted together',
    constant: (value) => (Array.isArray(value) && value.some(isPartOfKey) ? value.map(ofPool) : value),
  },
  {
    name: 'texts tell values of the body as callers wrote them',
    constant: (value) =>
      hasField(value, 'text') && Array.isArray(value.text)
        ? { ...value, text: value.text.map(unmasked) }
        : value,
  },
  { name: 'a glob begins at the start only', constant: (value) => (value === '*e*' ? 'e*' : value) },
  {
    name: 'a reply loses its status',
    constant: (value) => (hasField(value, 'status') ? { ...value, status: 0 } : value),
  },
  {
    name: 'a reply has the code of its kind',
    constant: (value) => (hasField(value, 'code') ? { ...value, code: 'forbidden' } : value),
  },
];

function isTexts(value: ProgramConstant, part: string): value is readonly string[] {
  return Array.isArray(value) && value.some((item) => typeof item === 'string' && item.includes(part));
}
function isPartOfKey(value: ProgramConstant): boolean {
  return Array.isArray(value) && value.some((part) => hasField(part, 'tag') && hasField(part, 'path'));
}
function ofPool(value: ProgramConstant): ProgramConstant {
  return Array.isArray(value) ? value.map((part) => ({ ...(part as object), path: 'target' })) : value;
}
function unmasked(part: ProgramConstant): ProgramConstant {
  return hasField(part, 'ofBody') ? { ...part, ofBody: false } : part;
}
function beforeMidnight<Range extends { readonly endMinute: number }>(range: Range): Range {
  return { ...range, endMinute: Math.min(range.endMinute, 1_440) };
}
function hasField(value: ProgramConstant, name: string): value is Readonly<Record<string, ProgramConstant>> {
  return typeof value === 'object' && value !== null && name in value;
}

const IN_PASSES: readonly Mutant[] = [
  { name: 'scopes are ignored', source: eachPolicy((policy) => ({ ...policy, scope: null })) },
  {
    name: 'conditions of limits are ignored',
    source: eachRule((rule) => (isLimit(rule) ? { ...rule, when: null } : rule)),
  },
  {
    name: 'limits let nobody wait',
    source: eachRule((rule) => (isLimit(rule) ? { ...rule, queueMs: null } : rule)),
  },
  { name: 'limits name no other model', source: eachFallback(() => null) },
  {
    name: 'the last model that is named is tried first',
    source: eachFallback((fallback) => ({ ...fallback, models: fallback.models.toReversed() })),
  },
  {
    name: 'limits count calls that fall back again',
    source: eachFallback((fallback) => ({ ...fallback, counted: { kind: 'again' } })),
  },
  {
    name: 'calls go to pools the other way round',
    source: eachRule((rule) =>
      rule.kind === 'route-to' ? { ...rule, pools: rule.pools.toReversed() } : rule,
    ),
  },
  {
    name: 'answers are kept for longer',
    source: eachRule((rule) => (rule.kind === 'cache' ? { ...rule, forMs: rule.forMs + 1 } : rule)),
  },
  {
    name: 'requirements are turned round',
    source: eachRule((rule) =>
      rule.kind === 'require' ? { ...rule, condition: not(rule.condition) } : rule,
    ),
  },
  { name: 'warnings are enforced', source: eachMode((mode) => (mode === 'warn' ? 'enforce' : mode)) },
  { name: 'shadows warn', source: eachMode((mode) => (mode === 'shadow' ? 'warn' : mode)) },
  { name: 'shadows are forgotten', source: eachMode((mode) => (mode === 'warn' ? 'shadow' : mode)) },
  {
    name: 'optional identity is demanded',
    source: eachRoute((route) => (route.auth === 'optional' ? { ...route, auth: 'required' } : route)),
  },
  {
    name: 'a tag of each route is lost',
    source: eachRoute((route) => ({ ...route, tags: route.tags.slice(1) })),
  },
  {
    name: 'negated tests lose their sign',
    source: eachExpression((node) => ('negated' in node ? { ...node, negated: false } : node)),
  },
  {
    name: 'bursts are amounts',
    source: eachLimit((limit) =>
      limit.window.kind === 'pace'
        ? { ...limit, window: { ...limit.window, burst: limit.window.amount } }
        : limit,
    ),
  },
  {
    name: 'all rules draw the same lot',
    source: eachExpression((node) => (node.kind === 'share' ? { ...node, seed: '' } : node)),
  },
  {
    name: 'shares of callers are asked before they are known',
    source: eachExpression((node) => (node.kind === 'share' ? { ...node, of: 'requests' } : node)),
  },
  { name: 'keys are ignored', source: eachLimit((limit) => ({ ...limit, per: { kind: 'total' } })) },
  {
    name: 'failures are turned round',
    source: eachLimit((limit) => ({ ...limit, onFailure: limit.onFailure === 'allow' ? 'refuse' : 'allow' })),
  },
  {
    name: 'all quotas are by day',
    source: eachLimit((limit) =>
      limit.window.kind === 'calendar' ? { ...limit, window: { ...limit.window, period: 'day' } } : limit,
    ),
  },
  {
    name: 'zones are ignored',
    source: eachLimit((limit) =>
      limit.window.kind === 'calendar' ? { ...limit, window: { ...limit.window, zone: 'UTC' } } : limit,
    ),
  },
];

/** By what they are about: the body of requests, header changes, windows and keys, hours and days, arithmetic, deprecations, messages. */
const BY_PHASE: readonly Mutant[] = [
  replace('the first member of a body is read for another', /context\.body\[0\]/g, 'context.body[1]'),
  replace('deny rules over bodies are forgotten', 'return refuseInBody(context);', ';'),
  { name: 'bodies are not read', source: eachRoute((route) => ({ ...route, requestBody: null })) },
  replace(
    'an unknown size is a size',
    /\(context\.bodyBytes < 0 \? undefined : context\.bodyBytes\)/g,
    'context.bodyBytes',
  ),
  replace('what objects inherit is an attribute', /runtime\.own\(([^,()]+), (c\d+)\)/g, '$1[$2]'),
  {
    name: 'sides of header changes are exchanged',
    source: eachRule((rule) =>
      'side' in rule ? { ...rule, side: rule.side === 'request' ? 'response' : 'request' } : rule,
    ),
  },
  {
    name: 'conditions of header changes are ignored',
    source: eachRule((rule) => ('side' in rule ? { ...rule, when: null } : rule)),
  },
  {
    name: 'a header is changed under another name',
    source: eachRule((rule) => ('side' in rule ? { ...rule, header: 'x-d' } : rule)),
  },
  replace('values of headers lose their holes', /(runtime\.headerValue\(c\d+, )\[.*?\]\)/g, '$1[])'),
  {
    name: 'windows are twice as long',
    source: eachWindow('window', (window) => ({ ...window, windowMs: window.windowMs * 2 })),
  },
  {
    name: 'paces are twice as slow',
    source: eachWindow('pace', (window) => ({ ...window, periodMs: window.periodMs * 2 })),
  },
  {
    name: 'one more is admitted in a window',
    source: eachWindow('window', (window) => ({ ...window, amount: window.amount + 1 })),
  },
  {
    name: 'one more is admitted at once',
    source: eachWindow('concurrency', (window) => ({ ...window, amount: window.amount + 1 })),
  },
  {
    name: 'one more is admitted in a period',
    source: eachWindow('calendar', (window) => ({ ...window, amount: window.amount + 1 })),
  },
  { name: 'keys are kept apart without bound', source: eachLimit((limit) => ({ ...limit, maxKeys: null })) },
  {
    name: 'all keys stand in for themselves',
    source: eachLimit((limit) =>
      limit.per.kind === 'each' && limit.per.otherwise !== null
        ? { ...limit, per: { ...limit.per, keys: [limit.per.otherwise], otherwise: null } }
        : limit,
    ),
  },
  replace('calendars are asked whether they are closed', /(calendar\d+)\.isOpen\(/, '!$1.isOpen('),
  {
    name: 'calendars are of another zone',
    constant: (value) => (hasField(value, 'ranges') ? { ...value, zone: 'UTC' } : value),
  },
  {
    name: 'the first hours of a calendar are lost',
    constant: (value) =>
      hasField(value, 'ranges')
        ? { ...value, ranges: (value.ranges as readonly ProgramConstant[]).slice(1) }
        : value,
  },
  {
    name: 'local times are of another zone',
    constant: (value) => (value === 'Europe/Berlin' ? 'Asia/Kathmandu' : value),
  },
  replace(
    'credentials are a day older',
    /context\.nowWallMs - identity\.credential/g,
    'context.nowWallMs + 86_400_000 - identity.credential',
  ),
  replace(
    'credentials expire a day sooner',
    /(runtime\.expiresInMs\([^,]+, context\.nowWallMs)/g,
    '$1 + 86_400_000',
  ),
  replace('quotients are remainders', /(?<=saturated\(.*) \/ (?=[cv(r])/, ' % '),
  {
    name: 'a unit is worth ten times as much',
    source: eachNode((node) => ('factor' in node ? { ...node, factor: Number(node.factor) * 10 } : node)),
  },
  {
    name: 'fallbacks are other values',
    source: eachNode((node) =>
      'fallback' in node && 'fact' in node
        ? { ...node, fallback: { ...(node.fallback as object), value: 'x' } }
        : node,
    ),
  },
  {
    name: 'any and every are exchanged',
    source: eachNode((node) =>
      'quantifier' in node && node.quantifier !== 'none'
        ? { ...node, quantifier: node.quantifier === 'any' ? 'every' : 'any' }
        : node,
    ),
  },
  {
    name: 'no one is any',
    source: eachNode((node) =>
      'quantifier' in node && node.quantifier === 'none' ? { ...node, quantifier: 'any' } : node,
    ),
  },
  {
    name: 'deprecations begin a day later',
    source: eachDeprecation((rule) => ({ ...rule, fromDay: rule.fromDay + 1 })),
  },
  {
    name: 'sunsets are a day later',
    source: eachDeprecation((rule) => ({ ...rule, sunsetDay: rule.sunsetDay + 1 })),
  },
  { name: 'successors are forgotten', source: eachDeprecation((rule) => ({ ...rule, successor: null })) },
  {
    name: 'conditions of deprecations are ignored',
    source: eachDeprecation((rule) => ({ ...rule, when: null })),
  },
  {
    name: 'deprecations are of another zone',
    source: eachDeprecation((rule) => ({ ...rule, zone: 'America/New_York' })),
  },
  {
    name: 'reasons are forgotten',
    source: eachRule((rule) =>
      'reply' in rule ? ({ ...rule, reply: { ...rule.reply, because: null } } as CheckedRule) : rule,
    ),
  },
  replace('values of holes are exchanged', /\[([^,[\]()]+), ([^,[\]()]+)(?=[,\]])/g, '[$2, $1'),
  {
    name: 'holes tell the amount for what is used',
    source: eachNode((node) =>
      'kind' in node && node.kind === 'limit-fact' && 'fact' in node && node.fact === 'used'
        ? { ...node, fact: 'amount' }
        : node,
    ),
  },
  {
    name: 'holes tell when hours end for when they begin',
    source: eachNode((node) =>
      'kind' in node && node.kind === 'calendar-fact' && 'fact' in node && node.fact === 'opens'
        ? { ...node, fact: 'closes' }
        : node,
    ),
  },
  {
    name: 'parts of URLs are not encoded',
    source: eachNode((node) =>
      'kind' in node && node.kind === 'url-part' && 'fact' in node ? (node.fact as object) : node,
    ),
  },
];

export const MUTANTS: readonly Mutant[] = [
  ...IN_CODE,
  ...IN_TABLES,
  ...IN_CONSTANTS,
  ...IN_PASSES,
  ...BY_PHASE,
];

function eachPolicy(change: (policy: CheckedPolicy) => CheckedPolicy): (one: Case) => Case {
  return (one) => ({ ...one, policies: { policies: one.policies.policies.map(change) } });
}
function eachRule(change: (rule: CheckedRule) => CheckedRule): (one: Case) => Case {
  return eachPolicy((policy) => ({ ...policy, rules: policy.rules.map(change) }));
}
function isLimit(rule: CheckedRule): rule is LimitRule {
  return isLimitRule(rule);
}
function eachLimit(change: (rule: LimitRule) => LimitRule): (one: Case) => Case {
  return eachRule((rule) => (isLimit(rule) ? change(rule) : rule));
}
function eachFallback(change: (fallback: Fallback) => Fallback | null): (one: Case) => Case {
  return eachLimit((limit) =>
    limit.fallback === null ? limit : { ...limit, fallback: change(limit.fallback) },
  );
}
function eachMode(change: (mode: EnforcementMode) => EnforcementMode): (one: Case) => Case {
  return (one) => {
    const enforcement = [...one.world.enforcement].map(
      ([name, each]) => [name, { ...each, mode: change(each.mode) }] as const,
    );
    return { ...one, world: { ...one.world, enforcement: new Map(enforcement) } };
  };
}
function eachRoute(change: (route: Route) => Route): (one: Case) => Case {
  return (one) => {
    const routes = [...one.world.routes].map(([name, route]) => [name, change(route)] as const);
    return { ...one, world: { ...one.world, routes: new Map(routes) } };
  };
}
function eachExpression(change: (node: TypedExpression) => TypedExpression): (one: Case) => Case {
  return eachRule((rule) => ({ ...rule, when: rule.when === null ? null : change(rule.when) }));
}

function eachWindow<Kind extends LimitWindow['kind']>(
  kind: Kind,
  change: (window: Extract<LimitWindow, { kind: Kind }>) => LimitWindow,
): (one: Case) => Case {
  return eachLimit((limit) =>
    limit.window.kind === kind
      ? { ...limit, window: change(limit.window as Extract<LimitWindow, { kind: Kind }>) }
      : limit,
  );
}
function eachDeprecation(change: (rule: DeprecateRule) => DeprecateRule): (one: Case) => Case {
  return eachRule((rule) => (rule.kind === 'deprecate' ? change(rule) : rule));
}
/** Every node of the rules, the outer ones first. */
function eachNode(change: (node: object) => object): (one: Case) => Case {
  const walk = (node: unknown): unknown => {
    if (typeof node !== 'object' || node === null) return node;
    if (Array.isArray(node)) return node.map(walk);
    return Object.fromEntries(
      Object.entries(change(node)).map(([name, value]) => [name, LEFT_ALONE.has(name) ? value : walk(value)]),
    );
  };
  return eachPolicy((policy) => ({ ...policy, rules: walk(policy.rules) as readonly CheckedRule[] }));
}
const LEFT_ALONE: ReadonlySet<string> = new Set(['span', 'type', 'definition', 'calendar']);
