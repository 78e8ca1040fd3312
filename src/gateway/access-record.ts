/** Fills the access record of a request: one object per thread, handed to the sink and filled anew for the next. */
import type { Route } from '../model/world.ts';
import type { RequestContext } from '../pipeline/context.ts';
import type { RuleBundle } from '../pipeline/program.ts';
import type { AccessRecord } from '../pipeline/record.ts';

/** What an exchange notes on its way: how it ended, and when it came how far, in microseconds from arrival. */
export class Account {
  status = 0;
  /** Stable code of what the gateway answered, '' where the service did. */
  code = '';
  responseBytes = 0;
  attempts = 0;
  decidedUs = -1;
  dispatchedUs = -1;
  firstByteUs = -1;
  finishedUs = -1;
  clientAborted = false;
}

export function recordAccount(record: AccessRecord, account: Account): void {
  record.status = account.status;
  record.code = account.code;
  record.responseBytes = account.responseBytes;
  record.attempts = account.attempts;
  record.decidedUs = account.decidedUs;
  record.dispatchedUs = account.dispatchedUs;
  record.firstByteUs = account.firstByteUs;
  record.finishedUs = account.finishedUs;
  record.clientAborted = account.clientAborted;
}

export function recordRoute(record: AccessRecord, route: Route | null): void {
  record.route = route === null ? '' : route.name;
  record.routeVersion = route === null || route.version === null ? '' : route.version;
}

/** Who asked for what, and which rules spoke. */
export function recordRequest(
  record: AccessRecord,
  context: RequestContext,
  bundle: RuleBundle | null,
): void {
  const { identity } = context;
  record.timeMs = context.arrivedWallMs;
  record.method = context.method;
  record.path = context.path;
  record.tenant = identity === null ? '' : identity.tenant.name;
  record.team = identity === null || identity.team === null ? '' : identity.team.name;
  record.consumer = identity === null ? '' : identity.consumer.name;
  record.credential = identity === null ? '' : identity.credential.name;
  record.configurationHash = bundle === null ? '' : bundle.hash;
  record.decidingRule = bundle === null ? '' : ruleName(bundle, context.decidingRule);
  record.alsoDenied = ruleNames(bundle, context.alsoDenied);
  record.warnedRules =
    context.warnings === null ? NONE : context.warnings.map(({ rule }) => ruleName(bundle!, rule));
  record.shadowDenied = ruleNames(bundle, context.shadowDenied);
}

/** `policy/rule`, '' for no rule. */
export function ruleName(bundle: RuleBundle, rule: number): string {
  const info = bundle.rules[rule];
  if (info === undefined) return '';
  const names = namesOf(bundle);
  const known = names[rule];
  if (known !== undefined) return known;
  const name = `${info.policy}/${info.rule}`;
  names[rule] = name;
  return name;
}

function namesOf(bundle: RuleBundle): string[] {
  let names = RULE_NAMES.get(bundle);
  if (names === undefined) {
    names = [];
    RULE_NAMES.set(bundle, names);
  }
  return names;
}

export function ruleNames(bundle: RuleBundle | null, rules: readonly number[] | null): readonly string[] {
  if (bundle === null || rules === null) return NONE;
  return rules.map((rule) => ruleName(bundle, rule));
}

const NONE: readonly string[] = Object.freeze([]);

/** Put together once per rule, not once per request. */
const RULE_NAMES = new WeakMap<RuleBundle, string[]>();
