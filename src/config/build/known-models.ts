/** What providers say of some of their models, by names at the provider. */
import type { Pool } from '../../model/pools.ts';
import type { KnownModelsDocument, ProvidersDocument } from '../documents.ts';
import { type CatalogueNames, contextFromCatalogue } from './catalogue-prices.ts';
import { count } from './literals.ts';
import { definitionsOf, type NameTable } from './names.ts';
import type { Files } from './sources.ts';

/** By provider of the project. */
export type KnownModels = ReadonlyMap<string, readonly KnownModelsDocument[]>;

export function knownModels(files: Files<ProvidersDocument>, names: NameTable): KnownModels {
  return new Map(
    [...definitionsOf(files, 'providers', names)].map(({ name, definition }) => [
      name,
      definition.knownModels,
    ]),
  );
}

/** The most tokens that an answer has at any of its providers; null where that is not known of one of them. */
export function answerTokensMost(
  upstreamName: string,
  pools: readonly (Pool | undefined)[],
  { knownModels, catalogue }: { readonly knownModels: KnownModels; readonly catalogue: CatalogueNames },
): number | null {
  let most: number | null = null;
  for (const pool of pools) {
    const tokens =
      toldTokens(upstreamName, pool, knownModels) ?? contextFromCatalogue(upstreamName, [pool], catalogue);
    if (tokens === null) return null;
    most = Math.max(tokens, most ?? 0);
  }
  return most;
}

/** That of the longest name that fits. */
function toldTokens(upstreamName: string, pool: Pool | undefined, known: KnownModels): number | null {
  let found: { readonly name: string; readonly tokens: number } | null = null;
  for (const { names, outputTokens } of known.get(pool?.provider ?? '') ?? []) {
    if (outputTokens === undefined) continue;
    for (const name of names)
      if (fits(upstreamName, name) && name.length > (found?.name.length ?? 0))
        found = { name, tokens: count(outputTokens) };
  }
  return found?.tokens ?? null;
}

export function searches(upstreamName: string, pool: Pool | undefined, known: KnownModels): boolean {
  const ofProvider = known.get(pool?.provider ?? '') ?? [];
  return ofProvider.some(({ names, searches }) => searches && names.some((name) => fits(upstreamName, name)));
}

/** `*` stands for any characters. Capitals make no difference. */
function fits(upstreamName: string, name: string): boolean {
  const [beginning = '', ...others] = name.toLowerCase().split('*');
  const written = upstreamName.toLowerCase();
  if (others.length === 0) return written === beginning;
  if (!written.startsWith(beginning)) return false;
  const end = others.pop()!;
  let at = beginning.length;
  for (const part of others) {
    const found = written.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return written.length - at >= end.length && written.endsWith(end);
}
