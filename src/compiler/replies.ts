import type {
  CheckedRule,
  FilterRule,
  ForbidRule,
  LimitRule,
  Reply,
  RequireRule,
  TemplateHole,
  TextTemplate,
  WarnRule,
} from '../language/typed.ts';
import type { ValueType } from '../model/types.ts';
import type { CalendarHours, FactReference, RuleIr } from './ir.ts';
import { isShownToCaller } from './limit-fields.ts';
import { factReference } from './lower.ts';
import { factsOfTemplate } from './rule-facts.ts';

/** What the run time needs to answer with a rule; plain data among the constants of a program. */
export interface ReplyConstant<Number = number> {
  /** Index into `RuleBundle.rules`. */
  readonly rule: Number;
  /** 0: the default of the situation. */
  readonly status: number;
  readonly code: string;
  readonly text: readonly TextPart[];
}
export type TextPart = string | FactHole | LimitHole | CalendarHole;
export interface FactHole {
  /** How the value is written: the kind of its type, behind `money` the currency. */
  readonly format: string;
  /** It is told as the masks of the body leave it. */
  readonly ofBody?: true;
}
export interface LimitHole {
  readonly limit: 'name' | 'amount' | 'used' | 'resets';
}

export interface CalendarHole {
  readonly calendar: 'opens' | 'closes';
  readonly hours: CalendarHours;
}

export const DEFAULT_CODES = {
  forbid: 'forbidden',
  require: 'requirement_not_met',
  warn: 'warning',
  limit: 'limit_exceeded',
  quota: 'limit_exceeded',
  budget: 'budget_exhausted',
} as const;

/** A rule with its policy. */
type RuleOfPolicy<Rule extends CheckedRule> = Pick<RuleIr<Rule>, 'policy' | 'rule'>;

export function ruleReply<Number>(
  { policy, rule }: RuleOfPolicy<ForbidRule | RequireRule | WarnRule>,
  number: Number,
): ReplyConstant<Number> {
  return {
    rule: number,
    status: rule.kind === 'warn' ? 0 : (rule.reply.status ?? 0),
    code: rule.reply.code ?? DEFAULT_CODES[rule.kind],
    text: rule.reply.because === null ? [defaultText(policy, rule)] : textParts(rule.reply.because),
  };
}

export function limitReply<Number>(
  { policy, rule }: RuleOfPolicy<LimitRule>,
  number: Number,
): ReplyConstant<Number> {
  return {
    rule: number,
    status: rule.reply.status ?? 0,
    code: rule.reply.code ?? DEFAULT_CODES[rule.kind],
    text: limitText(policy, rule, rule.reply),
  };
}

export function filterReply<Number>(
  { policy, rule }: RuleOfPolicy<FilterRule>,
  number: Number,
): ReplyConstant<Number> {
  const { status, code, because } = rule.reply;
  const { as } = rule.written;
  return {
    rule: number,
    status: status ?? 0,
    code: code ?? DEFAULT_CODES[as],
    text: because === null ? [defaultText(policy, { name: rule.name, kind: as })] : textParts(because),
  };
}

function defaultText(
  policy: string,
  rule: Pick<ForbidRule | RequireRule | WarnRule, 'kind' | 'name'>,
): string {
  const named = rule.name === null ? `policy "${policy}"` : `"${rule.name}" of policy "${policy}"`;
  switch (rule.kind) {
    case 'forbid':
      return `Forbidden by ${named}.`;
    case 'require':
      return `Not met: ${named}.`;
    case 'warn':
      return `A warning by ${named}.`;
  }
}

function limitText(policy: string, rule: LimitRule, reply: Reply): readonly TextPart[] {
  if (reply.because === null)
    return [
      `${nameOfLimit(policy, rule)} is ${rule.kind === 'budget' ? 'exhausted' : 'exceeded'}; it resets `,
      { limit: 'resets' },
      '.',
    ];
  const parts = textParts(reply.because);
  return isShownToCaller(rule) ? parts : parts.map(withoutAmounts);
}

/** Amounts of limits that the caller is not the key of are never shown (language-rules #32). */
function withoutAmounts(part: TextPart): TextPart {
  const hidden =
    typeof part !== 'string' && 'limit' in part && (part.limit === 'amount' || part.limit === 'used');
  return hidden ? '(none)' : part;
}

export function nameOfLimit(policy: string, rule: LimitRule): string {
  const noun = rule.kind === 'budget' ? 'budget' : 'limit';
  return rule.name === null
    ? `A ${noun} of policy "${policy}"`
    : `${noun === 'budget' ? 'Budget' : 'Limit'} "${rule.name}" of policy "${policy}"`;
}

export function textParts(template: TextTemplate): TextPart[] {
  return template.parts.map((part) => (typeof part === 'string' ? part : holePart(part)));
}

function holePart(hole: TemplateHole): TextPart {
  switch (hole.kind) {
    case 'limit-fact':
      return { limit: hole.fact };
    case 'calendar-fact': {
      const { name, zone, ranges, holidays } = hole.calendar;
      return hole.fact === 'name' ? name : { calendar: hole.fact, hours: { zone, ranges, holidays } };
    }
    case 'url-part':
      return { format: 'url-part' };
    case 'fact':
      return {
        format: formatOf(factReference(hole)),
        ...(hole.definition.phase === 'body' ? { ofBody: true as const } : {}),
      };
  }
}

function formatOf(fact: FactReference): string {
  return fact.type.kind === 'list' ? `list ${formatOfType(fact.type.of)}` : formatOfType(fact.type);
}

function formatOfType(type: ValueType): string {
  return type.kind === 'money' && type.currency !== undefined ? `money ${type.currency}` : type.kind;
}

/** Facts of the holes, in their order. */
export function holesOf(template: TextTemplate | null): FactReference[] {
  if (template === null) return [];
  return factsOfTemplate(template);
}
