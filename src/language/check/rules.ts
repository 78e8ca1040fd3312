import type { RotateNode, RuleNode } from '../ast.ts';
import { canonicalRule } from '../canonical.ts';
import { gatewayHeader, headerValue, notAHeaderName } from '../problems/rules.ts';
import { amountOutOfRange } from '../problems/types.ts';
import type { CheckedRule, HeaderRule, TextTemplate, TypedExpression } from '../typed.ts';
import { checkAlert } from './alerts.ts';
import { checkCache } from './caches.ts';
import { calendarsIn } from './calendars.ts';
import { checkCondition } from './conditions.ts';
import type { CheckContext } from './context.ts';
import { both, inForce } from './dates.ts';
import { checkDeprecation } from './deprecations.ts';
import { isGatewayHeader, isHeaderName, isHeaderText } from './header-names.ts';
import type { Known } from './known.ts';
import { checkLimit } from './limits.ts';
import { checkMask } from './masks.ts';
import { checkMember } from './members.ts';
import { checkReply } from './replies.ts';
import { checkRouteTo } from './route-to.ts';
import { isShare, share } from './shares.ts';
import { asksAboutTargets, filterRule } from './targets.ts';
import { checkTemplate, NO_CALENDARS, type TextPlace } from './templates.ts';

/** Where a rule stands. */
export interface RulePlace {
  readonly policy: string;
  readonly scope: TypedExpression | null;
  /** What the policy's scope leaves known. */
  readonly known: Known;
}

/** A rule, resolved and typed. Null means that problems were reported. */
export function checkRule(
  inPolicy: CheckContext,
  node: RequestRuleNode,
  place: RulePlace,
): CheckedRule | null {
  const response = node.kind === 'alert' ? 'known' : { tooEarlyFor: node.kind };
  const target = node.kind === 'forbid' || node.kind === 'require' ? 'known' : { tooEarlyFor: node.kind };
  const pools = { tooEarlyFor: node.kind };
  const context: CheckContext = { ...inPolicy, response, target, pools };
  const guard = node.when === null ? null : checkCondition(context, place.known, node.when, 'rule');
  const failed = node.when !== null && guard === null;
  const when = both(inForce(context, node.dates), guard);
  const known = failed
    ? place.known.afterMistake()
    : when === null
      ? place.known
      : place.known.after(when, true);
  const shareFits = node.share === null || isShare(context, known, node.share);
  const rule = checkForm(context, node, { ...place, known }, { name: node.name?.value ?? null, when });
  if (rule === null || failed || !shareFits) return null;
  const shared =
    node.share === null ? rule : { ...rule, when: both(when, share(node.share, place.policy, rule)) };
  const complete = { ...shared, span: node.span };
  const checked = { ...complete, key: complete.name ?? canonicalRule(complete) } as CheckedRule;
  return (checked.kind === 'forbid' || checked.kind === 'require') && asksAboutTargets(checked)
    ? filterRule(context, checked, known)
    : checked;
}

/** What requests are judged by. */
export type RequestRuleNode = Exclude<RuleNode, RotateNode>;

export interface RuleHead {
  readonly name: string | null;
  readonly when: TypedExpression | null;
}

export type Unfinished<Rule> = Rule extends unknown ? Omit<Rule, 'key' | 'span'> : never;

function checkForm(
  context: CheckContext,
  node: RequestRuleNode,
  place: RulePlace,
  head: RuleHead,
): Unfinished<CheckedRule> | null {
  switch (node.kind) {
    case 'permit':
      return { kind: 'permit', ...head };
    case 'forbid': {
      const reply = checkReply(toPeople(context), node.reply, denial(place, [head.when]));
      return reply === null ? null : { kind: 'forbid', ...head, reply };
    }
    case 'require': {
      const condition = checkCondition(context, place.known, node.condition, 'rule');
      const known = condition === null ? place.known.afterMistake() : place.known;
      const reply = checkReply(
        toPeople(context),
        node.reply,
        denial({ ...place, known }, [head.when, condition]),
      );
      return condition === null || reply === null ? null : { kind: 'require', ...head, condition, reply };
    }
    case 'warn': {
      const reply = checkReply(context, node.reply, denial(place, [head.when]));
      return reply === null
        ? null
        : { kind: 'warn', ...head, reply: { code: reply.code, because: reply.because } };
    }
    case 'limit':
    case 'quota':
    case 'budget':
      return checkLimit(context, node, place, head);
    case 'set-header':
    case 'remove-header':
      return checkHeader(context, place.known, node, head);
    case 'cap':
    case 'default':
      return checkMember(context, place.known, node, head);
    case 'timeout':
      return checkTimeout(context, node, head);
    case 'cache':
      return checkCache(context, node, place.known, head);
    case 'route-to':
      return checkRouteTo(context, node, place.known, head);
    case 'mask':
      return checkMask(context, node, head);
    case 'deprecate':
      return checkDeprecation(context, node, place.known, head);
    case 'alert':
      return checkAlert(context, node, place, head);
  }
}

/** Texts are written once for a request, whatever pools were left out. */
function toPeople(context: CheckContext): CheckContext {
  return { ...context, target: { tooEarlyFor: 'because' } };
}

function denial({ scope, known }: RulePlace, conditions: readonly (TypedExpression | null)[]): TextPlace {
  const calendars = known.followsMistake ? 'unclear' : calendarsIn([scope, ...conditions]);
  return { reader: 'caller', limit: null, known, calendars };
}

type HeaderNode = Extract<RuleNode, { kind: 'set-header' | 'remove-header' }>;

function checkHeader(
  context: CheckContext,
  known: Known,
  node: HeaderNode,
  head: RuleHead,
): Unfinished<HeaderRule> | null {
  const nameFits = checkHeaderName(context, node);
  const value = node.value === null ? NO_TEXT : checkHeaderValue(context, known, node, node.value);
  if (!nameFits || value === null) return null;
  return { kind: node.kind, ...head, header: node.header.value.toLowerCase(), value, side: node.side };
}

const NO_TEXT: TextTemplate = { parts: [] };

function checkHeaderName(context: CheckContext, { header }: HeaderNode): boolean {
  if (!isHeaderName(header.value)) {
    context.report(notAHeaderName(header.span, header.value));
    return false;
  }
  if (!isGatewayHeader(header.value.toLowerCase())) return true;
  context.report(gatewayHeader(header.span, header.value));
  return false;
}

function checkHeaderValue(
  context: CheckContext,
  known: Known,
  { side }: HeaderNode,
  node: NonNullable<HeaderNode['value']>,
): TextTemplate | null {
  const reader = side === 'request' ? 'upstream' : 'caller';
  const value = checkTemplate(context, node, { reader, limit: null, known, calendars: NO_CALENDARS });
  if (value?.parts.every((part) => typeof part !== 'string' || isHeaderText(part)) !== false) return value;
  context.report(headerValue(node.span));
  return null;
}

/** A day: beyond it a deadline protects nothing, and Node's timers end at 24.8 days. */
const TIMEOUT_MS_MAX = 86_400_000;

function checkTimeout(
  context: CheckContext,
  { total }: Extract<RuleNode, { kind: 'timeout' }>,
  head: RuleHead,
): Unfinished<CheckedRule> | null {
  if (total.value >= 1 && total.value <= TIMEOUT_MS_MAX)
    return { kind: 'timeout', ...head, totalMs: total.value };
  context.report(amountOutOfRange(total.span, 'This timeout', 'a time from 1ms to 24h'));
  return null;
}
