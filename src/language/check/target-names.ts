import { meant, nearest } from '../../diagnostics/suggest.ts';
import { unknownName } from '../problems/names.ts';
import type { LiteralExpression, Operand } from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { KnownNames } from './names.ts';

/**
 * Whether what is compared with a fact of a target or a pool can be one: a `forbid` of a misspelt pool would leave none out, and nobody would
 * notice. Of a list of regions it is enough that one is there, as lists speak of regions to come, too: of the others those are mistakes
 * that are a slip away from one. False: reported.
 */
export function canBeTarget(
  context: CheckContext,
  fact: Operand,
  asked: readonly LiteralExpression[],
): boolean {
  if (fact.kind !== 'fact' || !NAMING.has(fact.definition.path)) return true;
  const { what, known } = namesOf(context, fact.definition.path);
  const unknown = asked.filter(({ value }) => !known.has(String(value)));
  const mistaken =
    what === 'region' && unknown.length < asked.length
      ? unknown.filter(({ value }) => isSlip(String(value), known))
      : unknown;
  for (const { value, span } of mistaken) {
    const name = String(value);
    const near = speltAlike(name, known) ?? meant(name, known.keys());
    const suggestion = near === null ? null : { name: near, place: known.get(near) ?? null };
    context.report(unknownName(span, what, name, suggestion, [...known.keys()].sort()));
  }
  return mistaken.length === 0;
}

/** Facts whose values the configuration names. */
const NAMING: ReadonlySet<string> = new Set([
  ...['target', 'target.pool', 'target.provider', 'target.region'],
  ...['pool', 'pool.name', 'pool.provider', 'key', 'key.name', 'key.account'],
]);

function namesOf(
  { project: { world } }: CheckContext,
  path: string,
): { readonly what: string; readonly known: KnownNames } {
  const { pools, providers } = world.models;
  const keys = [...pools.values()].flatMap((pool) => pool.keys);
  switch (path) {
    case 'target':
    case 'target.pool':
    case 'pool':
    case 'pool.name':
      return { what: 'pool', known: placesOf(pools) };
    case 'target.provider':
    case 'pool.provider':
      return { what: 'provider', known: placesOf(providers) };
    case 'key':
    case 'key.name':
      return { what: 'key', known: new Map(keys.map(({ name, place }) => [name, place])) };
    case 'key.account':
      return { what: 'account', known: new Map(keys.map(({ account, place }) => [account, place])) };
  }
  const regions = [...providers.values()].flatMap(({ region, place }): [string, string][] =>
    region === null ? [] : [[region, place]],
  );
  return { what: 'region', known: new Map(regions) };
}

function placesOf(named: ReadonlyMap<string, { readonly place: string }>): KnownNames {
  return new Map(Array.from(named, ([name, { place }]) => [name, place]));
}

/** One letter: but `eu-west-2` is no misspelt `eu-west-1`, and `SE` no `DE`. */
function isSlip(name: string, known: KnownNames): boolean {
  if (speltAlike(name, known) !== null) return true;
  const near = name.length < SLIP_LEAST ? null : nearest(name, known.keys(), 1);
  return near !== null && digits(near) === digits(name);
}
const SLIP_LEAST = 5;

function speltAlike(name: string, known: KnownNames): string | null {
  return [...known.keys()].find((one) => bare(one) === bare(name)) ?? null;
}

function digits(name: string): string {
  return name.replaceAll(/[^0-9]/g, '');
}

/** `eu-west-1` and `EU West 1` are one region to people. */
function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
