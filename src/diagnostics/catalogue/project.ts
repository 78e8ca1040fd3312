import type { CatalogueEntry } from './entry.ts';

/**
 * Codes about all policies and routes together: PT22xx conflicts between rules, PT24xx what is (not) governed, PT25xx what is
 * due on a date.
 */
export const PROJECT_CODES = {
  PT2201: {
    title: 'Rules that contradict each other',
    severity: 'error',
    explanation:
      'Two rules set one header field to different values, or one sets what the other removes, and both can hold for the same request. The order of policies has no meaning, so nothing says which one wins. Keep one, make the values equal, or let the conditions exclude each other.',
  },
  PT2202: {
    title: 'Too many limits on a route',
    severity: 'error',
    explanation:
      'All limits that apply to a request are checked and taken in one step, and that step has a bounded size. Merge limits that say the same, or narrow what their policies apply to.',
  },
  PT2203: {
    title: 'Mask on a WebSocket',
    severity: 'error',
    explanation:
      'Messages of WebSockets pass unread, so nothing could be removed from them. A route that opens them is in the scope of no mask.',
  },
  PT2401: {
    title: 'Route that can never be permitted',
    severity: 'error',
    explanation:
      'A request is refused unless a permit holds. No enforced policy with a permit applies to this route, so every request to it would be refused. Write a permit for it, or widen what a policy applies to.',
  },
  PT2402: {
    title: 'Deprecated route that callers are not told of',
    severity: 'warning',
    explanation:
      'The configuration calls the route deprecated, but no enforced `deprecate` rule applies to it, so its answers say nothing of it: neither `Deprecation` (RFC 9745) nor `Sunset` (RFC 8594).',
  },
  PT2501: {
    title: 'Review overdue',
    severity: 'warning',
    explanation:
      'The head of the policy says when it is to be reviewed: `review by DATE`, or `review every 90 days` counted from the date behind `reviewed`. That day has passed, or the last review is not known.',
  },
  PT2502: {
    title: 'Policy that has ended',
    severity: 'warning',
    explanation: 'The last day of `effective … until` has passed, so none of its rules applies any more.',
  },
  PT2503: {
    title: 'Deprecated by a rule, published by the configuration',
    severity: 'warning',
    explanation:
      'A `deprecate` rule tells callers that the route is deprecated, and the day has come, but the configuration calls it published.',
  },
  PT2504: {
    title: 'Served after its sunset',
    severity: 'warning',
    explanation: 'The last day that a `deprecate` rule announced has passed, and the route is still served.',
  },
} as const satisfies Record<string, CatalogueEntry>;
