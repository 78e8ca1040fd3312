import { isLimitOfTargets } from '../language/limit-rules.ts';
import type { LimitRule, LimitWindow } from '../language/typed.ts';
import { factReference } from './lower.ts';

/**
 * `RateLimit` and `RateLimit-Policy` as structured fields, after draft-ietf-httpapi-ratelimit-headers-10: items are
 * strings (RFC 9651, 3.3.3) with the parameters `q`, `w`, `qu` (policy) and `r`, `t` (state).
 */

/** Facts that are the caller's own: amounts of limits that are kept for each of these may be shown (language-rules #32). */
const CALLER_FACTS: ReadonlySet<string> = new Set(['tenant', 'team', 'consumer', 'credential', 'request.ip']);

export function isShownToCaller(rule: LimitRule): boolean {
  if (rule.per.kind === 'total') return false;
  const { keys, otherwise } = rule.per;
  const own = (key: (typeof keys)[number]) => CALLER_FACTS.has(factReference(key).path);
  return keys.some(own) && (otherwise === null || own(otherwise));
}

/**
 * Whether callers see it in fields. Not a limit that an edit has replaced, which will soon be gone. Not one that each key has for itself: which one serves is nothing to callers. Not of money: an amount in nano-units has more digits than the integers of structured
 * fields (RFC 9651, 3.3.1).
 */
export function isInFields(rule: LimitRule): boolean {
  const isCounted = rule.measure.kind === 'requests' && !isLimitOfTargets(rule);
  return rule.replaced !== true && isCounted && isShownToCaller(rule);
}

/** `"pace";q=60;w=60`. */
export function policyItem(policy: string, rule: LimitRule): string {
  return `${itemName(policy, rule)};q=${rule.window.amount}${windowParameter(rule.window)}`;
}

/** `"pace";r=`: what is left follows. */
export function statePrefix(policy: string, rule: LimitRule): string {
  return `${itemName(policy, rule)};r=`;
}

/** `"pace"`: the rule's name, or its policy's when it has none. */
export function itemName(policy: string, rule: LimitRule): string {
  const name = (rule.name ?? policy).replace(/[^\x20-\x7e]/g, '_').replace(/["\\]/g, '\\$&');
  return `"${name}"`;
}

const CALENDAR_SECONDS: Readonly<Record<string, number>> = { day: 86_400, week: 604_800 };

function windowParameter(window: LimitWindow): string {
  switch (window.kind) {
    case 'window':
      return `;w=${Math.ceil(window.windowMs / 1_000)}`;
    case 'pace':
      return `;w=${Math.ceil(window.periodMs / 1_000)}`;
    case 'concurrency':
      return ';qu="concurrent-requests"';
    case 'calendar': {
      const seconds = CALENDAR_SECONDS[window.period];
      return seconds === undefined ? '' : `;w=${seconds}`;
    }
  }
}

/** The currency that amounts of the limit are in; null where no money is counted. */
export function currencyOf({ measure }: LimitRule): string | null {
  return 'currency' in measure ? measure.currency : null;
}

/** Whether what is taken at admission is a reserve, to be settled at the end. */
export function isEstimated({ measure }: LimitRule): boolean {
  return measure.kind !== 'requests';
}

/** What a full counter holds: for a token bucket its burst. */
export function capacityOf(window: LimitWindow): number {
  return window.kind === 'pace' ? window.burst : window.amount;
}
