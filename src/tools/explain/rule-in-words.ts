import { unitsOf } from '../../language/canonical.ts';
import { factText } from '../../language/check/known.ts';
import type { CheckedRule, CounterKey, LimitRule, TextTemplate } from '../../language/typed.ts';
import { lengthInWords } from '../../model/length-in-words.ts';
import { moneyText } from '../../model/money.ts';
import { dateInWords, valueInWords } from '../values.ts';

/** What a rule does where it applies: `at most 5 requests in any 10s, for each consumer`. */
export function ruleInWords(rule: CheckedRule): string {
  switch (rule.kind) {
    case 'permit':
      return 'permitted';
    case 'forbid':
    case 'require':
      return `refused ${rule.reply.status ?? 403}${codeOf(rule.reply.code)}`;
    case 'warn':
      return `warned${codeOf(rule.reply.code)}`;
    case 'limit':
    case 'quota':
    case 'budget':
      return `${amountInWords(rule)}, ${keyInWords(rule.per)}${fallbackInWords(rule)}${queueInWords(rule)}`;
    case 'set-header':
      return `sets ${rule.header} to "${templateInWords(rule.value)}"`;
    case 'remove-header':
      return `removes ${rule.header}`;
    case 'deprecate': {
      const successor = rule.successor === null ? '' : `, successor route "${rule.successor.route}"`;
      return `deprecated from ${dateInWords(rule.fromDay)}, sunset ${dateInWords(rule.sunsetDay)}${successor}`;
    }
    case 'cap':
      return `caps ${factText(rule.member)} at ${valueInWords(rule.member.type, rule.value.value)}`;
    case 'default':
      return `${factText(rule.member)} is ${valueInWords(rule.member.type, rule.value.value)} where it is missing`;
    case 'timeout':
      return `answers within ${lengthInWords(rule.totalMs)}`;
    case 'cache':
      return `keeps answers for ${lengthInWords(rule.forMs)}`;
    case 'filter':
      return `leaves pools out; refused where none is left${codeOf(rule.reply.code)}`;
    case 'route-to':
      return `goes to pool ${rule.pools.map((pool) => `"${pool}"`).join(', then ')}`;
    case 'mask': {
      const asked = [...rule.kinds, ...rule.patterns.map((pattern) => `/${pattern}/`)];
      return `masks ${asked.join(', ')} in ${rule.sides.join(' and ')} with "${rule.text}"`;
    }
    case 'alert': {
      const often =
        rule.atLeast === null
          ? ''
          : `, at ${grouped(rule.atLeast.requests)} requests in any ${lengthInWords(rule.atLeast.windowMs)}`;
      const whom = rule.notify === null ? '' : `, tells "${rule.notify}"`;
      return `alerts${often}${rule.per.kind === 'total' ? '' : `, ${keyInWords(rule.per)}`}${whom}`;
    }
    default:
      return rule satisfies never;
  }
}

function codeOf(code: string | null): string {
  return code === null ? '' : ` code "${code}"`;
}

function queueInWords({ queueMs }: LimitRule): string {
  return queueMs === null ? '' : `, waits up to ${lengthInWords(queueMs)} for room`;
}

/** What does not count all calls is no ceiling, and is not called one (language-rules #7). */
function amountInWords(rule: LimitRule): string {
  const words = windowInWords(rule);
  return rule.fallback?.counted.kind === 'nowhere' ? words.replace(/^at most /, 'up to ') : words;
}

function fallbackInWords({ fallback, measure }: LimitRule): string {
  if (fallback === null) return '';
  const { models, counted } = fallback;
  const to = `calls go to model ${models.map((model) => `"${model}"`).join(', then ')}`;
  if (counted.kind === 'nowhere') return `, beyond which ${to}, uncounted: a threshold, not a ceiling`;
  if (counted.kind === 'again' || measure.kind !== 'money') return `, else ${to}`;
  return `, else ${to} for at most ${moneyText(counted.amount, measure.currency)} more`;
}

function windowInWords({ window, measure }: LimitRule): string {
  const requests =
    measure.kind === 'money'
      ? moneyText(window.amount, measure.currency)
      : `${grouped(window.amount)} ${singular(unitsOf(measure.kind), window.amount)}`;
  switch (window.kind) {
    case 'window':
      return `at most ${requests} in any ${lengthInWords(window.windowMs)}`;
    case 'pace':
      return `${requests} per ${lengthInWords(window.periodMs)}, up to ${grouped(window.burst)} at once`;
    case 'concurrency':
      return `at most ${requests} at once`;
    case 'calendar':
      return `at most ${requests} per ${window.period} in ${window.zone}`;
  }
}

function singular(units: string, amount: number): string {
  return amount === 1 ? units.slice(0, -1) : units;
}

function grouped(value: number): string {
  return value < 10_000 ? String(value) : String(value).replace(/\B(?=(\d{3})+$)/g, '_');
}

function keyInWords(key: CounterKey): string {
  if (key.kind === 'total') return 'all callers together';
  const otherwise = key.otherwise === null ? '' : `, otherwise each ${factText(key.otherwise)}`;
  return `for each ${key.keys.map(factText).join(' and ')}${otherwise}`;
}

function templateInWords({ parts }: TextTemplate): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      return part.kind === 'fact' ? `{${factText(part)}}` : `{limit.${part.fact}}`;
    })
    .join('');
}
