/** Fills the access record of a request: one object per thread, handed to the sink and filled anew for the next. */
import type { RequestContext } from '../pipeline/context.ts';
import type { RuleBundle } from '../pipeline/program.ts';
import type { AccessRecord } from '../pipeline/record.ts';

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
