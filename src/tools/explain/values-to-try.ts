import { factValue, type Situation } from '../../compiler/interpret/facts.ts';
import { factsIn } from '../../compiler/interpret/trace.ts';
import { factText } from '../../language/check/known.ts';
import type { ConvertedExpression, FactExpression, TypedExpression } from '../../language/typed.ts';
import { isElementPath } from '../../model/facts.ts';
import type { ScalarValue, Value, ValueType } from '../../model/types.ts';
import type { World } from '../../model/world.ts';

/** Values on both sides of every border that a clause draws. */
export function valuesFor(
  clause: TypedExpression,
  fact: FactExpression,
  situation: Situation,
  world: World,
): (Value | undefined)[] {
  const literals = literalsIn(clause);
  const missing = fact.definition.absence === 'always' ? [undefined] : [];
  const now = factValue(fact, situation);
  if (fact.type.kind === 'list')
    return [
      ...listsFor(clause, Array.isArray(now) ? now : [], [
        ...literals,
        ...samplesOf(clause, fact, situation),
      ]),
      ...missing,
    ];
  const unit = unitOf(clause, fact);
  const borders = [...literals, ...otherFacts(clause, fact, situation)].flatMap((value) => {
    if (Array.isArray(value)) return [...value];
    if (typeof value !== 'number') return [value];
    const border = value / unit;
    return [border, border + 1, border - 1];
  });
  return [
    ...borders,
    ...samplesOf(clause, fact, situation),
    ...others(fact.type, literals, world),
    ...missing,
  ];
}

/** What the request has where one fact is compared with another. */
function otherFacts(clause: TypedExpression, fact: FactExpression, situation: Situation): Value[] {
  if (clause.kind !== 'compare' && clause.kind !== 'in') return [];
  return factsIn(clause)
    .filter((other) => factText(other) !== factText(fact))
    .flatMap((other) => factValue(other, situation) ?? []);
}

/** What one of the fact is worth where it is meant in a unit. */
function unitOf(node: object, fact: FactExpression): number {
  if ('kind' in node && node.kind === 'converted') {
    const { number, factor } = node as ConvertedExpression;
    return factsIn(number).some((each) => factText(each) === factText(fact)) ? factor : 1;
  }
  const units = Object.entries(node).map(([name, value]) =>
    name === 'span' || typeof value !== 'object' || value === null ? 1 : unitOf(value, fact),
  );
  return Math.max(1, ...units);
}

/** The list with a value more or less; where one element may decide also without each of them, and empty. */
function listsFor(
  clause: TypedExpression,
  items: readonly ScalarValue[],
  samples: readonly Value[],
): ScalarValue[][] {
  const without = (value: ScalarValue): ScalarValue[] => items.filter((item) => item !== value);
  const changed = samples.flat().flatMap((value) => [[...without(value), value], without(value)]);
  if (clause.kind !== 'quantified' && clause.kind !== 'in-networks') return changed;
  return [...changed, ...[...new Set(items)].slice(0, ITEMS_TRIED_MAX).map(without), []];
}
const ITEMS_TRIED_MAX = 20;

/** Every literal of an expression, whatever its form. Networks are for {@link addressSamples}. */
function literalsIn(node: object): Value[] {
  if ('kind' in node && node.kind === 'in-networks') return [];
  if ('kind' in node && node.kind === 'literal' && 'value' in node) return [node.value as Value];
  return Object.entries(node).flatMap(([name, value]) =>
    name === 'span' || name === 'definition' || name === 'type' || typeof value !== 'object' || value === null
      ? []
      : literalsIn(value),
  );
}

function samplesOf(clause: TypedExpression, fact: FactExpression, situation: Situation): Value[] {
  if (clause.kind === 'quantified') return samplesOf(clause.condition, fact, situation);
  if (clause.kind === 'not') return samplesOf(clause.operand, fact, situation);
  if (clause.kind === 'and' || clause.kind === 'or')
    return clause.operands.flatMap((operand) => samplesOf(operand, fact, situation));
  if (clause.kind === 'text-test') {
    const isPattern = clause.test === 'like' || clause.test === 'matches';
    return isPattern ? [clause.pattern.replaceAll(/[*^$]/g, '').replaceAll('?', 'x')] : [clause.pattern];
  }
  return clause.kind === 'in-networks' ? addressSamples(clause, fact, situation) : [];
}

/** What stands on the other side, of networks their first addresses where the fact holds addresses. */
function addressSamples(
  { address, networks }: Extract<TypedExpression, { kind: 'in-networks' }>,
  fact: FactExpression,
  situation: Situation,
): Value[] {
  const sides = [address, networks];
  const facts = sides
    .flatMap(factsIn)
    .filter((each) => factText(each) !== factText(fact) && !isElementPath(each.definition.path));
  const values = [
    ...sides.flatMap(literalsIn),
    ...facts.flatMap((each) => factValue(each, situation) ?? []),
  ].flatMap((value) => [value].flat().map(String));
  const { kind } = fact.type.kind === 'list' ? fact.type.of : fact.type;
  return [...(kind === 'ip' ? values.map((value) => value.split('/')[0]!) : values), OUTSIDE_IP];
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
