import type { LimitRule } from '../../language/typed.ts';
import type { RuleIr } from '../ir.ts';
import { isInFields, policyItem, statePrefix } from '../limit-fields.ts';
import { compareRules } from '../lower.ts';
import type { Residual } from '../residual.ts';
import { indent } from './code.ts';
import type { Frame } from './frame.ts';
import type { ConstantPool } from './pool.ts';

interface Shown {
  readonly policy: string;
  readonly ir: RuleIr;
  readonly rule: LimitRule;
  /** Where in the batch: a number, or the variable that says so (-1: left out). */
  readonly place: string;
  readonly isCertain: boolean;
}

/**
 * Statements after a take: `RateLimit` names the limit with the least left (the first rule of several), `RateLimit-Policy`
 * all that apply; only limits that the caller may see (language-rules #32).
 */
export function shownStatements(limits: readonly Residual<LimitRule>[], frame: Frame): string[] {
  const { pool } = frame.scope;
  const shown = shownLimits(limits);
  if (shown.length === 0) return [];
  if (shown.length === 1) return onlyOne(shown[0]!, pool);
  return shown.every((limit) => limit.isCertain) ? allCertain(shown, pool) : someUncertain(shown, pool);
}

/** In order of rules, which settles ties. */
function shownLimits(limits: readonly Residual<LimitRule>[]): Shown[] {
  const all = limits.map(({ ir, rule, condition }, ordinal): Shown => {
    const isCertain = condition.kind === 'constant';
    return {
      policy: ir.policy,
      ir,
      rule,
      place: isCertain ? `${ordinal}` : `place${ordinal}`,
      isCertain,
    };
  });
  return all.filter(({ rule }) => isInFields(rule)).sort((a, b) => compareRules(a.ir, b.ir));
}

function onlyOne({ policy, rule, place, isCertain }: Shown, pool: ConstantPool): string[] {
  const set = [
    `context.rateLimitPolicy = ${pool.constant(policyItem(policy, rule))};`,
    `context.rateLimit = runtime.stateItem(${place}, ${pool.constant(statePrefix(policy, rule))});`,
  ];
  return isCertain ? set : [`if (${place} !== -1) {`, ...indent(set), '}'];
}

function allCertain(shown: readonly Shown[], pool: ConstantPool): string[] {
  const policies = shown.map(({ policy, rule }) => policyItem(policy, rule)).join(', ');
  const [first, ...others] = shown;
  return [
    `context.rateLimitPolicy = ${pool.constant(policies)};`,
    `let tightest = ${first!.place};`,
    `let prefix = ${prefixOf(first!, pool)};`,
    ...others.flatMap((limit) => [
      `if (remaining[${limit.place}] < remaining[tightest]) {`,
      ...indent(choose(limit, pool)),
      '}',
    ]),
    'context.rateLimit = runtime.stateItem(tightest, prefix);',
  ];
}

function someUncertain(shown: readonly Shown[], pool: ConstantPool): string[] {
  return [
    'let policies = "";',
    'let tightest = -1;',
    'let prefix = "";',
    ...shown.flatMap((limit) => consider(limit, pool)),
    'if (tightest !== -1) {',
    '  context.rateLimitPolicy = policies;',
    '  context.rateLimit = runtime.stateItem(tightest, prefix);',
    '}',
  ];
}

function consider(limit: Shown, pool: ConstantPool): string[] {
  const item = pool.constant(policyItem(limit.policy, limit.rule));
  const statements = [
    `policies = policies === "" ? ${item} : policies + ", " + ${item};`,
    `if (tightest === -1 || remaining[${limit.place}] < remaining[tightest]) {`,
    ...indent(choose(limit, pool)),
    '}',
  ];
  return limit.isCertain ? statements : [`if (${limit.place} !== -1) {`, ...indent(statements), '}'];
}

function choose(limit: Shown, pool: ConstantPool): string[] {
  return [`tightest = ${limit.place};`, `prefix = ${prefixOf(limit, pool)};`];
}

function prefixOf({ policy, rule }: Shown, pool: ConstantPool): string {
  return pool.constant(statePrefix(policy, rule));
}
