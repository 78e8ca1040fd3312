import type { Pool } from '../../model/pools.ts';
import type { TokenizerName } from '../../model/tokenizers.ts';
import type { CatalogueNames } from './catalogue-prices.ts';

/**
 * Which tokenizer the models of OpenAI have, by their names at the provider: that name itself, or with a version behind it. What is
 * not here is not known – a newer model may have another one.
 */
const TOKENIZERS_OF: readonly (readonly [TokenizerName, readonly string[]])[] = [
  ['o200k_base', ['gpt-4o', 'chatgpt-4o', 'gpt-4.1', 'gpt-4.5', 'gpt-5', 'o1', 'o3', 'o4-mini']],
  ['cl100k_base', ['gpt-4', 'gpt-4-turbo', 'gpt-3.5-turbo', 'gpt-35-turbo', 'text-embedding-ada-002']],
  ['cl100k_base', ['text-embedding-3-small', 'text-embedding-3-large']],
];

/** Providers, as the catalogue of prices names them, whose models of these names are those of OpenAI. */
const PROVIDERS_OF: ReadonlySet<string> = new Set(['openai', 'azure', 'openrouter']);
/** Open weights, which many serve: whoever has them under this name writes their template. */
const HARMONY = /\bgpt-oss\b/;

/** What makes tokens of a model's prompts, where nothing is said of it; null where one of its providers might have another model of that name. */
export function knownTokenizer(
  upstreamName: string,
  pools: readonly (Pool | undefined)[],
  catalogue: CatalogueNames,
): TokenizerName | null {
  if (HARMONY.test(upstreamName)) return 'o200k_harmony';
  const isTheirs = pools.every((pool) => PROVIDERS_OF.has(catalogue.get(pool?.provider ?? '') ?? ''));
  if (!isTheirs) return null;
  const name = upstreamName.replace(/^(openai\/|ft:)/, '');
  const found = TOKENIZERS_OF.find(([, names]) => names.some((known) => isVersionOf(name, known)));
  return found === undefined ? null : found[0];
}

/** `gpt-4o-2024-08-06` is one of `gpt-4o`, as `gpt-4o-mini` is; `gpt-4.2` is none of `gpt-4`. */
function isVersionOf(name: string, known: string): boolean {
  return name === known || (name.startsWith(`${known}-`) && !ANOTHER.test(name));
}
/** Of these the prompt is not text alone, or not the caller's. */
const ANOTHER = /audio|realtime|transcribe|tts|image|search|research/;
