import { meant } from '../../diagnostics/suggest.ts';
import { dialectOf } from '../../model/pools.ts';
import type { Route, World } from '../../model/world.ts';
import type { RuleNode, TextNode } from '../ast.ts';
import { compareCodePoints } from '../order.ts';
import { unknownName } from '../problems/names.ts';
import { saidTwice } from '../problems/reading.ts';
import { routeWithoutPools, uselessPool } from '../problems/rules.ts';
import type { RouteToRule } from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { Known } from './known.ts';
import type { RuleHead, Unfinished } from './rules.ts';

type RouteToNode = Extract<RuleNode, { kind: 'route-to' }>;

/** Null means that problems were reported. */
export function checkRouteTo(
  context: CheckContext,
  node: RouteToNode,
  known: Known,
  head: RuleHead,
): Unfinished<RouteToRule> | null {
  const pools = node.pools.filter((pool) => isPool(context, pool));
  const isOnce = node.pools.every((pool, at) => isFirst(context, node.pools, pool, at));
  if (pools.length < node.pools.length || !isOnce) return null;
  if (!known.followsMistake && !fits(context, known.routes, node)) return null;
  return { kind: 'route-to', ...head, pools: pools.map(({ value }) => value) };
}

/** Whether the project has such a pool; reported. */
export function isPool(context: CheckContext, { value, span }: TextNode): boolean {
  const { pools } = context.project.world.models;
  if (pools.has(value)) return true;
  const near = meant(value, pools.keys());
  const suggestion = near === null ? null : { name: near, place: pools.get(near)!.place };
  context.report(unknownName(span, 'pool', value, suggestion, [...pools.keys()].sort()));
  return false;
}

function isFirst(
  context: CheckContext,
  pools: readonly TextNode[],
  { value, span }: TextNode,
  at: number,
): boolean {
  const first = pools.find((pool) => pool.value === value)!;
  if (first === pools[at]) return true;
  context.report(saidTwice(span, `pool "${value}"`, first.span));
  return false;
}

/** Only calls to models go to pools; and one that serves no model which a route can be asked for serves none of its calls. */
function fits(context: CheckContext, routes: readonly Route[], node: RouteToNode): boolean {
  const [plain] = routes.filter(({ ai }) => ai === null).sort((a, b) => compareCodePoints(a.name, b.name));
  if (plain !== undefined) {
    context.report(routeWithoutPools(node.span, plain.name, plain.place));
    return false;
  }
  const useless = node.pools.find(
    ({ value }) => routes.length > 0 && !routes.some((route) => serves(context.project.world, value, route)),
  );
  if (useless === undefined) return true;
  context.report(uselessPool(useless.span, useless.value));
  return false;
}

function serves({ models }: World, pool: string, { ai }: Route): boolean {
  const provider = models.providers.get(models.pools.get(pool)!.provider);
  const isSpoken = provider === undefined || ai === null || provider.dialect === dialectOf(ai);
  return isSpoken && [...models.models.values()].some((model) => model.pools.includes(pool));
}
