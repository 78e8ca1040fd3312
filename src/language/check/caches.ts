import { callOperationOf } from '../../model/route-calls.ts';
import type { Route } from '../../model/world.ts';
import type { RuleNode } from '../ast.ts';
import { compareCodePoints } from '../order.ts';
import { uncachedRoute } from '../problems/rules.ts';
import { amountOutOfRange } from '../problems/types.ts';
import type { CacheRule } from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { Known } from './known.ts';
import type { RuleHead, Unfinished } from './rules.ts';

/** A time that Age can tell, and a route of which an answer can ever be kept. Null means that problems were reported. */
export function checkCache(
  context: CheckContext,
  { time, span }: Extract<RuleNode, { kind: 'cache' }>,
  known: Known,
  head: RuleHead,
): Unfinished<CacheRule> | null {
  if (time.value < TIME_MS_MIN || time.value > TIME_MS_MAX) {
    context.report(amountOutOfRange(time.span, 'This time', 'a time from 1s to 7 days'));
    return null;
  }
  const [useless] = [...known.routes].sort(byName);
  if (useless !== undefined && !known.followsMistake && known.routes.every(isNeverKept)) {
    context.report(uncachedRoute(span, useless.name, useless.place));
    return null;
  }
  return { kind: 'cache', ...head, forMs: time.value };
}

/** Answers to GET and HEAD are kept, and calls to models (RFC 9110, 9.2.3). */
function isNeverKept(route: Route): boolean {
  const { methods } = route.match;
  if (route.websocket !== null) return true;
  if (callOperationOf(route) !== null) return false;
  return methods.length > 0 && !methods.includes('GET') && !methods.includes('HEAD');
}

function byName(a: Route, b: Route): number {
  return compareCodePoints(a.name, b.name);
}

/** Age is told in whole seconds (RFC 9111, 5.1). */
const TIME_MS_MIN = 1_000;
/** Memory that a start forgets is no archive. */
const TIME_MS_MAX = 7 * 86_400_000;
