import { factValue, type PlainRequest } from '../../compiler/interpret/facts.ts';
import type { FactExpression, TypedExpression } from '../../language/typed.ts';
import { parseNetwork } from '../../model/networks.ts';
import type { ScalarValue, Value, ValueType } from '../../model/types.ts';
import type { Route, World } from '../../model/world.ts';

/** Values on both sides of every border that a clause draws. */
export function valuesFor(
  clause: TypedExpression,
  fact: FactExpression,
  request: PlainRequest,
  route: Route,
  world: World,
): (Value | undefined)[] {
  const literals = literalsIn(clause);
  const missing = fact.definition.absence === 'always' ? [undefined] : [];
  const identity = route.auth === 'none' ? null : request.identity;
  const now = factValue(fact, { route, request, identity, body: request.body });
  if (fact.type.kind === 'list')
    return [...listsFor(clause, Array.isArray(now) ? now : [], literals), ...missing];
  const borders = literals.flatMap((literal) => {
    if (Array.isArray(literal)) return [...literal];
    return typeof literal === 'number' ? [literal, literal + 1, literal - 1] : [literal];
  });
  return [...borders, ...samplesOf(clause), ...others(fact.type, literals, world), ...missing];
}

/** The list with a value more or less; for a question about its elements also without each of them, and empty. */
function listsFor(
  clause: TypedExpression,
  items: readonly ScalarValue[],
  literals: readonly Value[],
): ScalarValue[][] {
  const without = (value: ScalarValue): ScalarValue[] => items.filter((item) => item !== value);
  const named = [...literals, ...samplesOf(clause)].flat();
  const changed = named.flatMap((value) => [[...without(value), value], without(value)]);
  if (clause.kind !== 'quantified') return changed;
  return [...changed, ...[...new Set(items)].slice(0, ITEMS_TRIED_MAX).map(without), []];
}
const ITEMS_TRIED_MAX = 20;

/** Every literal of an expression, whatever its form. */
function literalsIn(node: object): Value[] {
  if ('kind' in node && node.kind === 'literal' && 'value' in node) return [node.value as Value];
  return Object.entries(node).flatMap(([name, value]) =>
    name === 'span' || name === 'definition' || name === 'type' || typeof value !== 'object' || value === null
      ? []
      : literalsIn(value),
  );
}

function samplesOf(clause: TypedExpression): Value[] {
  if (clause.kind === 'quantified') return samplesOf(clause.condition);
  if (clause.kind === 'not') return samplesOf(clause.operand);
  if (clause.kind === 'and' || clause.kind === 'or') return clause.operands.flatMap(samplesOf);
  if (clause.kind === 'text-test') {
    const isPattern = clause.test === 'like' || clause.test === 'matches';
    return isPattern ? [clause.pattern.replaceAll(/[*^$]/g, '').replaceAll('?', 'x')] : [clause.pattern];
  }
  if (clause.kind === 'in-networks') {
    const inside = clause.networks.flatMap((network) =>
      parseNetwork(network).ok ? [network.split('/')[0]!] : [],
    );
    return [...inside, OUTSIDE_IP];
  }
  return [];
}
/** RFC 5737: for documentation, so hardly anybody's network. */
const OUTSIDE_IP = '203.0.113.99';

/** A value that no rule names. */
function others(type: ValueType, literals: readonly Value[], world: World): Value[] {
  const isOther = (value: string): boolean => !literals.flat().includes(value);
  switch (type.kind) {
    case 'boolean':
      return [true, false];
    case 'enum':
      return type.values.filter(isOther).slice(0, 1);
    case 'reference':
      if (type.to === 'plan') return [...world.directory.plans].filter(isOther).slice(0, 1);
      if (type.to === 'tenant') return [...world.directory.tenants.keys()].filter(isOther).slice(0, 1);
      return ['other'].filter(isOther);
    case 'text':
      return ['other'].filter(isOther);
    default:
      return [];
  }
}
