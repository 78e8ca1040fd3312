import type { Model, Provider } from '../../model/pools.ts';
import type { Route, World } from '../../model/world.ts';
import { compareCodePoints } from '../order.ts';
import { barsAllPools, barsNoPool, routeWithoutPools } from '../problems/rules.ts';
import { staticValue } from '../static-value.ts';
import type {
  BarredPools,
  FactExpression,
  FilterRule,
  ForbidRule,
  LiteralExpression,
  RequireRule,
  TypedExpression,
} from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { Known } from './known.ts';

export function asksAboutTargets(rule: ForbidRule | RequireRule): boolean {
  return mentionsTarget(rule.when) || (rule.kind === 'require' && mentionsTarget(rule.condition));
}

/**
 * What a rule over facts of targets is of each pool: one that leaves it out where a condition holds that is about the request alone.
 * Null: it applies to a route that leads to a service, which was reported.
 */
export function filterRule(
  { project, report }: CheckContext,
  rule: ForbidRule | RequireRule,
  known: Known,
): FilterRule | null {
  const [plain] = known.followsMistake
    ? []
    : known.routes.filter(({ ai }) => ai === null).sort((a, b) => compareCodePoints(a.name, b.name));
  if (plain !== undefined) {
    report(routeWithoutPools(rule.span, plain.name, plain.place));
    return null;
  }
  const barred = barredPools(project.world, denialOf(rule));
  if (!known.followsMistake && rule.kind === 'forbid' && barred.length === 0) report(barsNoPool(rule.span));
  const stranded = modelWithoutPools(project.world, barred);
  if (stranded !== undefined) report(barsAllPools(rule.span, stranded.name, stranded.place));
  const condition = rule.kind === 'require' ? rule.condition : null;
  const { name, key, span, reply, when } = rule;
  return {
    kind: 'filter',
    name,
    key,
    span,
    when: null,
    written: { as: rule.kind, when, condition },
    barred,
    reply,
  };
}

/** One that nobody can call, whatever the request is. */
function modelWithoutPools({ models }: World, barred: readonly BarredPools[]): Model | undefined {
  const always = new Set(
    barred.flatMap(({ pools, when }) => (when.kind === 'constant' && when.value ? pools : [])),
  );
  return [...models.models.values()]
    .sort((a, b) => compareCodePoints(a.name, b.name))
    .find(({ pools }) => pools.length > 0 && pools.every((pool) => always.has(pool)));
}

function denialOf(rule: ForbidRule | RequireRule): TypedExpression {
  const when: TypedExpression = rule.when ?? { kind: 'constant', value: true, span: rule.span };
  if (rule.kind === 'forbid') return when;
  const unmet: TypedExpression = { kind: 'not', operand: rule.condition, span: rule.span };
  return { kind: 'and', operands: [when, unmet], span: rule.span };
}

/** Pools that are left out under the same condition are one case; those that never are, are none. */
function barredPools({ models, routes }: World, denial: TypedExpression): BarredPools[] {
  // nothing is asked of it: what is folded has no facts left
  const [route] = routes.values();
  const cases = new Map<string, { readonly pools: string[]; readonly when: TypedExpression }>();
  for (const pool of [...models.pools.values()].sort((a, b) => compareCodePoints(a.name, b.name))) {
    const provider = models.providers.get(pool.provider);
    const facts = { pool: pool.name, provider: pool.provider, region: provider?.region ?? null };
    const when = ofTarget(denial, { facts, route }, true);
    if (when.kind === 'constant' && !when.value) continue;
    const same = JSON.stringify(when, (name, value) => (name === 'span' ? undefined : value));
    const known = cases.get(same) ?? { pools: [], when };
    cases.set(same, known);
    known.pools.push(pool.name);
  }
  return [...cases.values()];
}

interface TargetFacts {
  readonly pool: string;
  readonly provider: string;
  readonly region: Provider['region'];
}
interface Target {
  readonly facts: TargetFacts;
  readonly route: Route | undefined;
}

/**
 * The condition with the values of one target in it, as short as that makes it. `unsure`: what a test over a fact that this target
 * lacks is taken for – what leaves the target out, whichever way it is asked.
 */
function ofTarget(node: TypedExpression, target: Target, unsure: boolean): TypedExpression {
  switch (node.kind) {
    case 'not': {
      const operand = ofTarget(node.operand, target, !unsure);
      return operand.kind === 'constant' ? { ...operand, value: !operand.value } : { ...node, operand };
    }
    case 'and':
    case 'or':
      return joined(
        node,
        node.operands.map((operand) => ofTarget(operand, target, unsure)),
      );
    default: {
      if (!mentionsTarget(node)) return node;
      const asked = withValues(node, target.facts);
      if (mentionsTarget(asked)) return constant(node, unsure);
      const value =
        target.route === undefined || hasFacts(asked) ? 'unknown' : staticValue(asked, target.route);
      return value === 'unknown' ? asked : constant(node, value);
    }
  }
}

function constant({ span }: TypedExpression, value: boolean): TypedExpression {
  return { kind: 'constant', value, span };
}

/** Without operands that say nothing; the one that decides alone. */
function joined(
  node: Extract<TypedExpression, { kind: 'and' | 'or' }>,
  operands: readonly TypedExpression[],
): TypedExpression {
  const decides = node.kind === 'or';
  if (operands.some((each) => each.kind === 'constant' && each.value === decides))
    return constant(node, decides);
  const rest = operands.filter((each) => each.kind !== 'constant');
  const [only] = rest;
  if (only === undefined) return constant(node, !decides);
  return rest.length === 1 ? only : { ...node, operands: rest };
}

/** A fact that the target lacks stays. */
function withValues<Node>(node: Node, facts: TargetFacts): Node {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map((each) => withValues(each, facts)) as Node;
  if (isTargetFact(node)) {
    const { definition, type, span } = node;
    const [, member = 'pool'] = definition.path.split('.');
    const value = facts[member as keyof TargetFacts];
    if (value === null) return node;
    return { kind: 'literal', value, type, span } satisfies LiteralExpression as Node;
  }
  const parts = Object.entries(node).map(([name, part]) => [
    name,
    name === 'span' ? part : withValues(part, facts),
  ]);
  return Object.fromEntries(parts) as Node;
}

function hasFacts(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some(hasFacts);
  if ('kind' in node && node.kind === 'fact') return true;
  return Object.entries(node).some(([name, part]) => name !== 'span' && hasFacts(part));
}

function mentionsTarget(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some(mentionsTarget);
  if (isTargetFact(node)) return true;
  return Object.entries(node).some(([name, part]) => name !== 'span' && mentionsTarget(part));
}

function isTargetFact(node: object): node is FactExpression {
  return 'kind' in node && node.kind === 'fact' && (node as FactExpression).definition.phase === 'target';
}
