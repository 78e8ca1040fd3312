/** Fills the access record of a request: one object per thread, handed to the sink and filled anew for the next. */
import type { Route } from '../model/world.ts';
import type { RequestContext } from '../pipeline/context.ts';
import type { AccessRecord } from '../pipeline/record.ts';
import type { ServedRules } from './served-rules.ts';

/** What an exchange notes on its way: how it ended, and when it came how far, in microseconds from arrival. */
export class Account {
  status = 0;
  /** Stable code of what the gateway answered, '' where the service did. */
  code = '';
  /** What was seen of a service that failed, else ''. */
  fault = '';
  responseBytes = 0;
  attempts = 0;
  decidedUs = -1;
  dispatchedUs = -1;
  firstByteUs = -1;
  finishedUs = -1;
  clientAborted = false;
  /** In nano-units; -1 where nobody knows what the request cost. */
  costNano = -1;
  /** Of a call to a model; '' and -1 for other requests, and for what nobody knows. */
  model = '';
  target = '';
  providerKey = '';
  inputTokens = -1;
  outputTokens = -1;
  cachedTokens = -1;
  reasoningTokens = -1;
  tokensFrom: AccessRecord['tokensFrom'] = '';
  cache: AccessRecord['cache'] = '';
}

export function recordAccount(record: AccessRecord, account: Account): void {
  record.status = account.status;
  record.code = account.code;
  record.fault = account.fault;
  record.responseBytes = account.responseBytes;
  record.attempts = account.attempts;
  record.decidedUs = account.decidedUs;
  record.dispatchedUs = account.dispatchedUs;
  record.firstByteUs = account.firstByteUs;
  record.finishedUs = account.finishedUs;
  record.clientAborted = account.clientAborted;
  record.costNano = account.costNano;
  record.model = account.model;
  record.target = account.target;
  record.providerKey = account.providerKey;
  record.inputTokens = account.inputTokens;
  record.outputTokens = account.outputTokens;
  record.cachedTokens = account.cachedTokens;
  record.reasoningTokens = account.reasoningTokens;
  record.tokensFrom = account.tokensFrom;
  record.cache = account.cache;
}

export function recordRoute(record: AccessRecord, route: Route | null): void {
  record.route = route === null ? '' : route.name;
  record.routeVersion = route === null || route.version === null ? '' : route.version;
}

/** Who asked for what, and which rules spoke. */
export function recordRequest(
  record: AccessRecord,
  context: RequestContext,
  rules: ServedRules | null,
): void {
  const { identity } = context;
  record.timeMs = context.arrivedWallMs;
  record.method = context.method;
  record.path = context.path;
  record.tenant = identity === null ? '' : identity.tenant.name;
  record.team = identity === null || identity.team === null ? '' : identity.team.name;
  record.consumer = identity === null ? '' : identity.consumer.name;
  record.credential = identity === null ? '' : identity.credential.name;
  record.configurationHash = rules === null ? '' : rules.hash;
  record.decidingRule = rules === null ? '' : ruleName(rules, context.decidingRule);
  record.alsoDenied = ruleNames(rules, context.alsoDenied);
  record.warnedRules =
    context.warnings === null ? NONE : context.warnings.map(({ rule }) => ruleName(rules!, rule));
  record.shadowDenied = ruleNames(rules, context.shadowDenied);
}

/** `policy/rule`, '' for no rule. */
export function ruleName(rules: ServedRules, rule: number): string {
  const names = namesOf(rules);
  const known = names[rule];
  if (known !== undefined) return known;
  const info = rules.rule(rule);
  if (info === null) return '';
  const name = `${info.policy}/${info.rule}`;
  names[rule] = name;
  return name;
}

function namesOf(rules: ServedRules): string[] {
  let names = RULE_NAMES.get(rules);
  if (names === undefined) {
    names = [];
    RULE_NAMES.set(rules, names);
  }
  return names;
}

export function ruleNames(rules: ServedRules | null, numbers: readonly number[] | null): readonly string[] {
  if (rules === null || numbers === null) return NONE;
  return numbers.map((number) => ruleName(rules, number));
}

const NONE: readonly string[] = Object.freeze([]);

/** Put together once per rule, not once per request. */
const RULE_NAMES = new WeakMap<ServedRules, string[]>();
