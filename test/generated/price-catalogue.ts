import { findProvider, type MatchLogic, type ModelInfo, type ModelPrice } from '@pydantic/genai-prices';

/** The version of the package that package.json names, and when it came out: prices are those of that day. */
export const CATALOGUE = { version: '0.1.8', asOf: '2026-09-23' };

/** Providers whose prices are kept, by their names in the package: those that shipped descriptions name, and whom they stand in for. */
export const PRICED_PROVIDERS: readonly string[] = [
  'anthropic',
  'azure',
  'cerebras',
  'cohere',
  'deepseek',
  'fireworks',
  'google',
  'groq',
  'minimax',
  'mistral',
  'moonshotai',
  'novita',
  'openai',
  'openrouter',
  'perplexity',
  'together',
  'x-ai',
  'zai',
];

/**
 * `providers/prices.json`: of each model what a million tokens cost, as one line of text: input, output, cached input, request, how many
 * tokens its context has (`-` where nothing is said), and the names that it goes by (`src/config/build/price-catalogue.ts` reads them). The
 * package itself takes longer to load than a small project to check.
 */
export function priceCatalogue(): string {
  const providers = PRICED_PROVIDERS.map((id) => [id, providerOf(id).models.map(lineOf)]);
  const fallbacks = PRICED_PROVIDERS.flatMap((id) => {
    const others = providerOf(id).fallback_model_providers?.filter((other) =>
      PRICED_PROVIDERS.includes(other),
    );
    return others === undefined || others.length === 0 ? [] : [[id, others]];
  });
  const catalogue = {
    source: `@pydantic/genai-prices ${CATALOGUE.version} (MIT License, Copyright Pydantic Services Inc.)`,
    asOf: CATALOGUE.asOf,
    fallbacks: Object.fromEntries(fallbacks),
    providers: Object.fromEntries(providers),
  };
  return `${JSON.stringify(catalogue, null, 1)}\n`;
}

function providerOf(id: string) {
  const provider = findProvider({ providerId: id });
  if (provider === undefined) throw new Error(`the catalogue has no provider ${id}`);
  return provider;
}

/** Also of a model that is not paid by the token: its names are not those of another. */
function lineOf({ match, prices, context_window }: ModelInfo): string {
  const price = priceOn(CATALOGUE.asOf, prices) ?? NO_PRICE;
  return [...price, context_window ?? '-', ...namesOf(match)].join(' ');
}

const NO_PRICE = ['-', '-', '-', '-'];

/** Where a price hangs on the time of day, the length of the prompt or the kind of the answer, the dearest counts. Null: not by the token. */
export function priceOn(day: string, prices: ModelInfo['prices']): readonly string[] | null {
  const inForce = pricesInForce(day, prices);
  const dearest = (key: string): number | null => {
    const found = inForce.flatMap((price) => price[key] ?? []);
    const amounts = found.flatMap((each) =>
      typeof each === 'number' ? [each] : [each.base, ...each.tiers.map(({ price }) => price)],
    );
    return amounts.length === 0 ? null : Math.max(...amounts);
  };
  const input = dearest('input_mtok');
  const output = dearest('output_mtok');
  const makesOthers = ['output_image_mtok', 'output_audio_mtok', 'output_video_mtok'].some(
    (key) => dearest(key) !== null,
  );
  if (input === null || (output === null && makesOthers)) return null;
  const thousand = dearest('requests_kcount');
  return [
    plain(input),
    plain(Math.max(output ?? 0, dearest('output_reasoning_mtok') ?? 0)),
    plain(dearest('cache_read_mtok')),
    plain(thousand === null ? null : thousand / 1_000),
  ];
}

function pricesInForce(day: string, prices: ModelInfo['prices']): readonly ModelPrice[] {
  if (!Array.isArray(prices)) return [prices];
  const begun = prices.filter(
    ({ constraint }) => constraint?.type !== 'start_date' || constraint.start_date <= day,
  );
  const isByTime = begun.some(({ constraint }) => constraint?.type === 'time_of_date');
  return (isByTime ? begun : begun.slice(-1)).map((each) => each.prices);
}

function plain(amount: number | null): string {
  if (amount === null) return '-';
  return amount.toFixed(9).replace(/\.?0+$/, '');
}

/** `=name`, `^beginning`, `$end`, `~part`, `/expression`; `&` stands between what must all hold, a blank between alternatives. */
function namesOf(match: MatchLogic): string[] {
  if ('or' in match) return match.or.flatMap(namesOf);
  if ('and' in match) return [match.and.map((each) => namesOf(each).join(' ')).join('&')];
  const [sign, text] =
    'equals' in match
      ? ['=', match.equals]
      : 'starts_with' in match
        ? ['^', match.starts_with]
        : 'ends_with' in match
          ? ['$', match.ends_with]
          : 'contains' in match
            ? ['~', match.contains]
            : ['/', match.regex];
  if (/[\s&]/.test(text)) throw new Error(`"${text}" can't stand in a line`);
  return [`${sign}${text}`];
}
