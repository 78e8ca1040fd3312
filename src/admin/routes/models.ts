import { DIALECTS } from '../../model/pools.ts';
import type { AdminRoute } from '../route.ts';
import { list, NUMBER, object, orNull, TEXT, WHOLE } from '../schemas.ts';

/** What callers may ask models for, and what it costs. */
export interface ModelActions {
  /** Of the version that runs. */
  list(): readonly ModelView[];
}

export interface ModelView extends PricesView {
  /** What callers write. */
  readonly name: string;
  /** What its providers call it. */
  readonly upstreamName: string;
  readonly tags: readonly string[];
  readonly dialect: string;
  /** In the order in which calls try them. */
  readonly pools: readonly ModelPoolView[];
  /** The most tokens of a prompt and its answer together; null: not known. */
  readonly contextTokens: number | null;
  /** The most tokens of an answer: its context where nobody says less; null: not known. */
  readonly outputTokensMax: number | null;
  /** What makes tokens of its prompts; null: not known. */
  readonly tokenizer: string | null;
  /** What keys cost that do not cost what is said of the model itself. */
  readonly otherPrices: readonly OtherPricesView[];
}

export interface PricesView {
  /** That of now, for a million tokens; null: not known. */
  readonly price: ModelPriceView | null;
  /** Those that take its place, each on its day. */
  readonly laterPrices: readonly ModelPriceView[];
}

export interface OtherPricesView extends PricesView {
  readonly pool: string;
  /** Null: all keys of the pool that are not named. */
  readonly key: string | null;
}

export interface ModelPoolView {
  readonly name: string;
  readonly provider: string;
  readonly region: string | null;
  readonly keys: number;
}

export interface ModelPriceView {
  readonly currency: string;
  readonly input: number;
  readonly cachedInput: number;
  readonly output: number;
  /** For each request. */
  readonly request: number;
  /** `2026-11-30`: the day that it is from. */
  readonly asOf: string;
  /** Who says so: the files of the project, or the catalogue of prices. */
  readonly source: 'project' | 'catalogue';
}

const PRICE = object({
  currency: TEXT,
  input: { ...NUMBER, description: 'Of a million tokens, as all of these but request.' },
  cachedInput: NUMBER,
  output: NUMBER,
  request: { ...NUMBER, description: 'Of each request.' },
  asOf: { ...TEXT, description: 'The day that the price is from.' },
  source: { enum: ['project', 'catalogue'] },
});

const MODEL = object({
  name: { ...TEXT, description: 'What callers write.' },
  upstreamName: { ...TEXT, description: 'What its providers call it.' },
  tags: list(TEXT),
  dialect: { enum: [...DIALECTS] },
  pools: list(object({ name: TEXT, provider: TEXT, region: orNull(TEXT), keys: WHOLE })),
  contextTokens: orNull({
    ...WHOLE,
    description: 'The most tokens of a prompt and its answer together, as the catalogue says.',
  }),
  outputTokensMax: orNull(WHOLE),
  tokenizer: orNull(TEXT),
  price: orNull(PRICE),
  laterPrices: list(PRICE),
  otherPrices: list(
    object({
      pool: TEXT,
      key: orNull({ ...TEXT, description: 'null: all keys of the pool that are not named.' }),
      price: orNull(PRICE),
      laterPrices: list(PRICE),
    }),
  ),
});

export const MODEL_ROUTES: readonly AdminRoute[] = [
  {
    operation: 'listModels',
    method: 'GET',
    path: '/v1/models',
    scope: 'read',
    summary: 'The models that callers may name: where they are served, and what they cost.',
    answers: { 200: { description: 'All of them.', content: { schema: object({ models: list(MODEL) }) } } },
    answer: (_call, { models }) => ({ status: 200, body: { models: models.list() } }),
  },
];
