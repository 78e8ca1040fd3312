import type { ShareNode } from '../ast.ts';
import { canonicalRule } from '../canonical.ts';
import { mayBeMissing, percentOutOfRange } from '../problems/types.ts';
import type { CheckedRule, ShareExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { Known } from './known.ts';
import { whyMissing } from './operands.ts';
import type { Unfinished } from './rules.ts';
import { builtInFact } from './selectors.ts';

/** Whether lots can be drawn: callers without identity are in no share of consumers, and the rule must say what of them. */
export function isShare(context: CheckContext, known: Known, { percent, of, span }: ShareNode): boolean {
  if (percent.value > 100) {
    context.report(percentOutOfRange(percent.span));
    return false;
  }
  if (of === 'requests') return true;
  const fact = builtInFact(context, of === 'consumers' ? 'consumer' : 'tenant', span);
  const missing = known.whereMissing(fact);
  if (missing === null) return true;
  const guard = fact.definition.path;
  context.report(
    mayBeMissing(
      span,
      guard,
      whyMissing(fact, missing.route?.name ?? null),
      `Add "when ${guard} is present", or narrow "applies to" (… and routes requiring identity).`,
    ),
  );
  return false;
}

/** The rule without its share tells it from others, so that its members stay when the share grows. */
export function share(
  { percent, of, span }: ShareNode,
  policy: string,
  rule: Unfinished<CheckedRule>,
): ShareExpression {
  const seed = JSON.stringify([policy, rule.name ?? canonicalRule(rule)]);
  return { kind: 'share', percent: percent.value, of, seed, span };
}
