import { isIP } from 'node:net';
import { type Span, spanText } from '../../diagnostics/source.ts';
import { DAY_MS, dateText, isTimeZone, localClock, timeText } from '../../model/local-time.ts';
import { inAccounting, moneyText } from '../../model/money.ts';
import { sendsCalls } from '../../model/route-calls.ts';
import type { ScalarValue } from '../../model/types.ts';
import type { EnforcementMode, Route } from '../../model/world.ts';
import type { LimitNode, ListNode, LiteralNode, NumberNode, PolicyNode, RuleNode, TextNode } from '../ast.ts';
import { LIMIT_KINDS } from '../limit-rules.ts';
import { unknownZone } from '../problems/names.ts';
import { notAHeaderName } from '../problems/rules.ts';
import {
  badElement,
  badTestAmount,
  countedByTarget,
  neverAlerts,
  neverRefuses,
  noRoute,
  noUnitInJson,
  unknownThing,
  untoldCost,
} from '../problems/tests.ts';
import { badLiteral, percentOutOfRange } from '../problems/types.ts';
import type {
  ExpectNode,
  GivenNode,
  RequestPartNode,
  RuleNameNode,
  StepNode,
  TestNode,
  TextMatchNode,
  WhichNode,
} from '../test-ast.ts';
import { nearestTimeZone } from '../time-zones.ts';
import type {
  CheckedExpect,
  CheckedStep,
  CheckedTest,
  RuleName,
  TestCaller,
  TextMatch,
} from '../typed-tests.ts';
import type { CheckContext } from './context.ts';
import { isHeaderName } from './header-names.ts';
import { accountingAmount } from './literals.ts';
import { isAboutPools } from './pool-rules.ts';
import { isOfTarget } from './target-limits.ts';
import { putInto, type Tree } from './test-bodies.ts';
import { checkBodyNames } from './test-body-names.ts';
import { checkCaller, checkOtherCaller, givenCaller } from './test-callers.ts';
import { calledModel, downOf, expectedNames, repliesOf, saidOnce } from './test-models.ts';
import { candidates, nearestTarget, unserved } from './test-routes.ts';
import { literalInWords } from './type-names.ts';

/** All policies of the project as read, also those with mistakes: a test may name them. */
export type PolicyNames = ReadonlyMap<
  string,
  {
    readonly node: PolicyNode /** False: its missing rules may be those that could not be read. */;
    readonly readWhole: boolean;
  }
>;

/** A test, resolved. Null: problems were reported. */
export function checkTest(context: CheckContext, node: TestNode, policies: PolicyNames): CheckedTest | null {
  let errors = 0;
  const counting: CheckContext = {
    ...context,
    report: (problem) => {
      errors++;
      context.report(problem);
    },
  };
  const wallMs = startOf(counting, node.given);
  const given = givenCaller(counting, node.given);
  const caller = checkCaller(counting, given, wallMs);
  const shared = node.given.flatMap((item) => (item.kind === 'request' ? item.parts : []));
  saidOnce(counting, shared);
  const misspelt = new Set<Span>();
  const steps = node.steps.map((step) => {
    const sender = step.consumer === null ? caller : checkOtherCaller(counting, given, step.consumer, wallMs);
    return checkStep(counting, step, { shared, caller: sender, policies, misspelt });
  });
  const modes = modesOf(counting, node.given, policies);
  const used = usedOf(counting, node.given, policies);
  const shares = sharesOf(counting, node.given, policies);
  const replies = repliesOf(counting, node.given);
  const down = downOf(counting, node.given);
  if (errors > 0) return null;
  return {
    name: node.name.value,
    span: node.span,
    wallMs,
    modes,
    used,
    shares,
    replies,
    down,
    steps: steps.map((step) => step!),
  };
}

/** Without `time`: Wednesday, 1 July 2026, noon. A test that followed the real clock would fail one day. */
const DEFAULT_DAY = Date.UTC(2026, 6, 1) / DAY_MS;
const DEFAULT_MINUTE = 720;
const MINUTE_MS = 60_000;

function startOf(context: CheckContext, given: readonly GivenNode[]): number {
  const time = given.find((item) => item.kind === 'time');
  const zone = time?.zone ?? null;
  if (zone !== null && !isTimeZone(zone.value)) {
    context.report(unknownZone(zone.span, zone.value, nearestTimeZone(zone.value)));
    return 0;
  }
  const day = time?.day.value ?? DEFAULT_DAY;
  const minute = time === undefined ? DEFAULT_MINUTE : (time.minute?.value ?? 0);
  return instantOf(zone?.value ?? context.zone, day, minute);
}

/** A local time that clocks skip is the moment after the gap; of one they show twice, the first. */
function instantOf(zone: string, day: number, minute: number): number {
  const clock = localClock(zone);
  const local = day * DAY_MS + minute * MINUTE_MS;
  const guesses = [local - clock.offsetMs(local - DAY_MS), local - clock.offsetMs(local + DAY_MS)];
  const exact = guesses.filter((guess) => guess + clock.offsetMs(guess) === local);
  return exact.length > 0 ? Math.min(...exact) : Math.max(...guesses);
}

interface StepPlace {
  readonly shared: readonly RequestPartNode[];
  readonly caller: TestCaller | null;
  readonly policies: PolicyNames;
  /** Members of bodies that were reported: what is given is part of every step. */
  readonly misspelt: Set<Span>;
}

function checkStep(context: CheckContext, node: StepNode, place: StepPlace): CheckedStep | null {
  const count = node.count?.value ?? 1;
  const max = context.project.world.limits.testRequests;
  if (!Number.isInteger(count) || count < 1 || count > max) {
    context.report(badTestAmount(node.count!.span, `A step sends 1 to ${max} requests.`));
    return null;
  }
  const [path = '', query = ''] = divided(node.target.value);
  const routes = candidates(context.project.world, node.method.value, path);
  if (routes.length === 0 && !NOT_NORMAL.test(path)) reportNoRoute(context, node, path);
  const expects = node.expects.map((expect) => checkExpect(context, expect, count, place.policies));
  saidOnce(context, node.parts);
  const parts = [...place.shared, ...node.parts];
  const request = requestOf(context, parts, routes);
  checkBodyNames(context, { parts, expects: node.expects, routes }, place.misspelt);
  if (node.pace === 'at-once' && node.withinMs !== null)
    context.report(badTestAmount(node.withinMs.span, 'What is sent at once is not spread over a time.'));
  return {
    count,
    method: node.method.value,
    path,
    query,
    ...request,
    caller: place.caller ?? { kind: 'nobody' },
    afterMs: node.afterMs?.value ?? 0,
    withinMs: node.withinMs?.value ?? 0,
    pace: node.pace,
    expects,
    span: node.span,
  };
}

/** What the gateway brings into normal form first: only it knows which route answers. */
const NOT_NORMAL = /%|\/\.|\/\//;

function divided(target: string): readonly [string, string] {
  const at = target.indexOf('?');
  return at === -1 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

function reportNoRoute(context: CheckContext, { method, target }: StepNode, path: string): void {
  const { world } = context.project;
  const hidden = unserved(world, method.value, path);
  const near = nearestTarget(world, method.value, path);
  context.report(
    noRoute({ ...target.span, start: method.span.start }, `${method.value} ${path}`, hidden, near),
  );
}

/** RFC 5737: for documentation, and nobody's. */
const DEFAULT_IP = '192.0.2.1';
const DEFAULT_HOST = 'test.example';

function requestOf(context: CheckContext, parts: readonly RequestPartNode[], routes: readonly Route[]) {
  const headers = new Map<string, string>();
  let ip = DEFAULT_IP;
  let host = routes[0]?.match.hosts[0]?.replace('*', 'test') ?? DEFAULT_HOST;
  let size = 0;
  let cost: number | null = null;
  let status = DEFAULT_STATUS;
  const model = calledModel(context, parts, routes);
  const body: Tree = {};
  const hasBody = parts.some(({ kind }) => kind === 'body');
  // behind what the body says of it
  if (hasBody && model !== null) putInto(body, ['model'], model);
  for (const part of parts) {
    if (part.kind === 'header') {
      if (!isHeaderName(part.name.value)) context.report(notAHeaderName(part.name.span, part.name.value));
      headers.set(part.name.value.toLowerCase(), part.value.value);
    } else if (part.kind === 'ip') {
      if (isIP(part.value.value) === 0)
        context.report(badLiteral(part.value.span, `"${part.value.value}" is not an address.`));
      ip = part.value.value;
    } else if (part.kind === 'body') {
      const why = putInto(body, part.path, plain(context, part.value));
      if (why !== null) context.report(badElement(part.span, why));
    } else if (part.kind === 'size') size = part.bytes.value;
    else if (part.kind === 'cost') cost = costOf(context, part, routes);
    else if (part.kind === 'status') status = statusOf(context, part.status);
    else if (part.kind === 'host') host = part.value.value.toLowerCase();
  }
  const text = hasBody ? JSON.stringify(body) : '';
  if (hasBody && !headers.has('content-type')) headers.set('content-type', 'application/json');
  const bodyBytes = size || Buffer.byteLength(text);
  return { headers: [...headers].flat(), ip, host, body: text, bodyBytes, model, cost, status };
}

const DEFAULT_STATUS = 200;

function statusOf(context: CheckContext, { value, span }: NumberNode): number {
  if (!Number.isInteger(value) || value < 200 || value > 599)
    context.report(badTestAmount(span, 'A service answers with a status from 200 to 599.'));
  return value;
}

type CostPart = Extract<RequestPartNode, { kind: 'cost' }>;

/** Null: reported. */
function costOf(
  context: CheckContext,
  { amount, currency, span }: CostPart,
  routes: readonly Route[],
): number | null {
  const told = accountingAmount(context, amount.value, currency, amount.span);
  if (told === null) return null;
  const fixed = routes.find((route) => !sendsCalls(route) && route.cost?.told == null);
  if (fixed === undefined) return told;
  context.report(untoldCost(span, fixed));
  return null;
}

function plain(context: CheckContext, value: LiteralNode | ListNode): unknown {
  return value.kind === 'list'
    ? value.items.map((item) => jsonValue(context, item))
    : jsonValue(context, value);
}

/**
 * Dates are texts in JSON, and so are times; sizes are bytes. An amount of money is its number, as rules read it (`as USD`);
 * a number for a duration or a share depends on who reads it.
 */
function jsonValue(context: CheckContext, { type, value, currency, span }: LiteralNode): ScalarValue {
  switch (type) {
    case 'date':
      return dateText(Number(value));
    case 'time':
      return timeText(Number(value));
    case 'money':
      return (accountingAmount(context, Number(value), currency, span) ?? 0) / NANO_PER_UNIT;
    case 'duration':
    case 'percent':
      context.report(noUnitInJson(span, spanText(span), literalInWords(type)));
      return value;
    default:
      return value;
  }
}
const NANO_PER_UNIT = 1_000_000_000;

function checkExpect(
  context: CheckContext,
  node: ExpectNode,
  sent: number,
  policies: PolicyNames,
): CheckedExpect {
  const { outcome } = node;
  const { status = null, by = null } = outcome.kind === 'refused' ? outcome : {};
  saidOnce(context, node.parts);
  const retry = node.parts.find((part) => part.kind === 'retry-after');
  return {
    which: checkWhich(context, node.which, sent),
    outcome:
      outcome.kind === 'refused'
        ? {
            kind: 'refused',
            status: status?.value ?? null,
            by: by === null ? null : ruleName(context, by, policies),
          }
        : { kind: outcome.kind },
    watched: node.watched.map(({ mode, by: rule }) => ({
      mode,
      by: mode === 'alert' ? alertName(context, rule, policies) : ruleName(context, rule, policies),
    })),
    code: node.code?.value ?? null,
    because: matched(node.because),
    reply: matched(node.reply),
    retryAfter: retry === undefined ? null : { operator: retry.operator, ms: retry.ms.value },
    ...expectedNames(context, node),
    timeoutMs: node.parts.find((part) => part.kind === 'timeout')?.ms.value ?? null,
    calls: node.parts.some(({ kind }) => kind === 'no-call') ? 'none' : 'any',
    body: node.parts.flatMap((part) =>
      part.kind === 'body' ? [{ path: part.path, value: jsonValue(context, part.value) }] : [],
    ),
    headers: node.parts.flatMap((part) =>
      part.kind === 'header'
        ? [{ name: part.name.value.toLowerCase(), value: part.value?.value ?? null, side: part.side }]
        : [],
    ),
    span: node.span,
  };
}

function matched(node: TextMatchNode | null): TextMatch | null {
  return node === null ? null : { match: node.match, text: node.text.value };
}

function checkWhich(context: CheckContext, which: WhichNode, sent: number): CheckedExpect['which'] {
  if (which.kind === 'all') return { kind: 'first', count: sent };
  if (which.kind === 'some') {
    const { least, most } = which;
    if (
      ![least, most].every(({ value }) => Number.isInteger(value) && value <= sent) ||
      least.value > most.value
    )
      context.report(
        badTestAmount(
          least.span,
          `Of ${sent} ${sent === 1 ? 'request' : 'requests'} there are never ${least.value} to ${most.value}.`,
        ),
      );
    return { kind: 'some', least: least.value, most: most.value };
  }
  const count = which.count?.value ?? 1;
  if (which.count !== null && (count < 1 || count > sent))
    context.report(badTestAmount(which.count.span, `Only ${sent} ${sent === 1 ? 'is' : 'are'} sent.`));
  return { kind: which.kind, count };
}

const REFUSING: ReadonlySet<string> = new Set(['forbid', 'require', 'warn', ...LIMIT_KINDS]);

function ruleName(context: CheckContext, { policy, rule }: RuleNameNode, policies: PolicyNames): RuleName {
  const found = ruleOf(context, policy, rule, policies);
  if (rule !== null && found !== null && !REFUSING.has(found.kind))
    context.report(neverRefuses(rule.span, rule.value, found.kind));
  if (rule !== null && found !== null && countsByTarget(found))
    context.report(countedByTarget(rule.span, rule.value));
  return { policy: policy.value, rule: rule?.value ?? null };
}

/** See `limit-rules`. */
function countsByTarget(rule: RuleNode): boolean {
  if (!('window' in rule) || rule.per === null || rule.per.kind === 'total') return false;
  return rule.per.paths.some(({ path }) => isOfTarget(path));
}

function alertName(context: CheckContext, { policy, rule }: RuleNameNode, policies: PolicyNames): RuleName {
  const found = ruleOf(context, policy, rule, policies);
  if (rule === null || found === null) return { policy: policy.value, rule: rule?.value ?? null };
  if (found.kind !== 'alert') context.report(neverAlerts(rule.span, rule.value, found.kind));
  else if (isAboutPools(found)) context.report(neverAlerts(rule.span, rule.value, 'rule about pools'));
  return { policy: policy.value, rule: rule?.value ?? null };
}

/** The rule of that name; null when there is none (reported) or none was named. */
function ruleOf(
  context: CheckContext,
  policy: TextNode,
  rule: TextNode | null,
  policies: PolicyNames,
): RuleNode | null {
  const found = policies.get(policy.value);
  if (found === undefined) {
    context.report(
      unknownThing(policy, 'policy', placesOf(Array.from(policies.values(), ({ node }) => node))),
    );
    return null;
  }
  if (rule === null) return null;
  const named = found.node.rules.filter(({ name }) => name !== null);
  const match = named.find(({ name }) => name!.value === rule.value) ?? null;
  if (match === null && found.readWhole)
    context.report(unknownThing(rule, 'rule', placesOf(named.map(({ name }) => ({ name: name! })))));
  return match;
}

function placesOf(named: Iterable<{ readonly name: TextNode }>): ReadonlyMap<string, string> {
  return new Map(
    Array.from(named, ({ name }) => {
      const { line, column } = name.span.source.position(name.span.start);
      return [name.value, `${name.span.source.path}:${line}:${column}`];
    }),
  );
}

function modesOf(
  context: CheckContext,
  given: readonly GivenNode[],
  policies: PolicyNames,
): ReadonlyMap<string, EnforcementMode> {
  const modes = new Map<string, EnforcementMode>();
  for (const item of given) {
    if (item.kind !== 'mode') continue;
    ruleOf(context, item.policy, null, policies);
    modes.set(item.policy.value, item.mode);
  }
  return modes;
}

function sharesOf(
  context: CheckContext,
  given: readonly GivenNode[],
  policies: PolicyNames,
): CheckedTest['shares'] {
  return given.flatMap((item) => {
    if (item.kind !== 'share') return [];
    const rule = ruleOf(context, item.policy, item.rule, policies);
    if (rule !== null && rule.share === null)
      context.report(badTestAmount(item.rule.span, `"${item.rule.value}" is for all, not for a share.`));
    if (item.percent.value > 100) context.report(percentOutOfRange(item.percent.span));
    return [{ policy: item.policy.value, rule: item.rule.value, percent: item.percent.value }];
  });
}

function usedOf(
  context: CheckContext,
  given: readonly GivenNode[],
  policies: PolicyNames,
): CheckedTest['used'] {
  return given.flatMap((item) => {
    if (item.kind !== 'used') return [];
    const rule = ruleOf(context, item.policy, item.rule, policies);
    if (rule !== null && countsByTarget(rule))
      context.report(countedByTarget(item.rule.span, item.rule.value));
    if (rule !== null && !('window' in rule))
      context.report(
        badTestAmount(
          item.rule.span,
          `Only limits, quotas and budgets count; "${item.rule.value}" is a ${rule.kind}.`,
        ),
      );
    else if (rule !== null && (rule.currency === null) !== (item.currency === null))
      context.report(badTestAmount(item.amount.span, `"${item.rule.value}" counts ${measureInWords(rule)}.`));
    const used = accountingAmount(context, item.amount.value, item.currency, item.amount.span);
    if (used === null || rule === null || !('window' in rule)) return [];
    if ((rule.currency === null) === (item.currency === null)) {
      const { world } = context.project;
      const counts = (value: number) => (rule.currency === null ? value : moneyText(value, world.currency));
      const most = mostOf(context, rule);
      if (!Number.isInteger(used) || used > most)
        context.report(
          badTestAmount(item.amount.span, `"${item.rule.value}" counts ${counts(0)} to ${counts(most)}.`),
        );
    }
    return [{ policy: item.policy.value, rule: item.rule.value, amount: used }];
  });
}

/** `output tokens`. */
function measureInWords({ counts }: LimitNode): string {
  return counts.replace('-', ' ');
}

/** What a rule counts at most. One whose own currency has no rate is reported where it stands. */
function mostOf(context: CheckContext, { window, amount, currency }: LimitNode): number {
  const { value } = window.kind === 'pace' ? (window.burst ?? amount) : amount;
  const converted = currency === null ? null : inAccounting(value, currency, context.project.world);
  return converted?.ok === true ? converted.value : value;
}
