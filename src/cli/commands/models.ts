import type { ModelPriceView, ModelView, OtherPricesView, PricesView } from '../../admin/routes/models.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { loadWorld } from '../../config/load.ts';
import { renderText } from '../../diagnostics/render/text.ts';
import { meant } from '../../diagnostics/suggest.ts';
import { type Models, unpricedKeys } from '../../model/pools.ts';
import { csvText } from '../csv.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { modelViews } from '../run/model-view.ts';
import { readProject } from '../run/project-files.ts';
import { type TableColumn, tableText } from '../table.ts';
import { colourFor } from '../terminal.ts';

export interface ModelsOptions {
  /** Of models; with `*` at the end, what a name begins with. */
  readonly name?: readonly string[];
  readonly csv?: true;
  readonly json?: true;
}

/** `portunus models [FOLDER]`: what the files say, whether or not a gateway runs. */
export async function models(folder: string, options: ModelsOptions): Promise<ExitCode> {
  const files = await readProject(folder);
  if (!files.ok) return failed(files.error, EXIT.couldNotRun);
  // Models stand in YAML alone, and are shown where a policy is wrong too.
  const written = files.value.texts.filter(({ path }) => !path.endsWith('.policy'));
  const { world, diagnostics } = loadWorld(written, { projectFolder: files.value.folder });
  if (world === null) {
    process.stderr.write(renderText(diagnostics, { colour: colourFor(process.stderr) }));
    return failed('the project has errors.', EXIT.couldNotRun);
  }
  const wallMs = Date.now();
  const named = namedOf(modelViews(world.models, world.currency, wallMs), options.name);
  if (!named.ok) return failed(named.error, EXIT.usage);
  const isUnpriced = named.value.some(({ name }) => lacksPrice(world.models, name, wallMs));
  process.stdout.write(output(named.value, isUnpriced, options));
  return EXIT.fine;
}

function namedOf(
  views: readonly ModelView[],
  names: readonly string[] | undefined,
): Result<readonly ModelView[], string> {
  if (names === undefined) return ok(views);
  const fits = (pattern: string, { name }: ModelView): boolean =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  for (const pattern of names) {
    if (views.some((view) => fits(pattern, view))) continue;
    const near = meant(
      pattern.replace(/\*$/, ''),
      views.map(({ name }) => name),
    );
    const help = near === null ? 'Without --name all of them are listed.' : `Did you mean "${near}"?`;
    const what = pattern.endsWith('*') ? 'No name of a model begins so' : 'There is no such model';
    return err(`--name ${pattern}: ${what}. ${help}`);
  }
  return ok(views.filter((view) => names.some((pattern) => fits(pattern, view))));
}

function output(views: readonly ModelView[], isUnpriced: boolean, { csv, json }: ModelsOptions): string {
  if (json) return `${JSON.stringify(views, null, 2)}\n`;
  if (csv) return csvText(FIELDS, views.flatMap(csvRows));
  if (views.length === 0) return NO_MODELS;
  const table = tableText(COLUMNS, views.flatMap(rowsOf));
  return isUnpriced ? `${table}${UNPRICED}` : table;
}

/** Whether nobody knows what calls cost with one of the keys. */
function lacksPrice({ models, pools }: Models, name: string, wallMs: number): boolean {
  const model = models.get(name)!;
  return model.pools.some((pool) => unpricedKeys(model, pools.get(pool)!, wallMs).length > 0);
}

const NO_MODELS = `There are no models: they are defined in providers/*.yaml.
  models: { gpt-4o: { pools: [main] } }
`;
const UNPRICED = `What is not known can't be spent from a budget: such calls are refused by it. The model may say its price:
  price: { input: $2.50, output: $10, asOf: 2026-11-30 }
`;

const COLUMNS: readonly TableColumn[] = [
  { title: 'model' },
  { title: 'at the provider' },
  { title: 'pools' },
  { title: 'context', align: 'right' },
  { title: 'most output', align: 'right' },
  { title: 'input/1M', align: 'right' },
  { title: 'cached/1M', align: 'right' },
  { title: 'output/1M', align: 'right' },
  { title: 'per request', align: 'right' },
  { title: 'price of' },
  { title: 'tags' },
];

/** One row, one for each price that is to come, and the same for keys that cost something else. */
function rowsOf(view: ModelView): string[][] {
  const { name, upstreamName, pools, contextTokens, outputTokensMax, price, laterPrices, otherPrices, tags } =
    view;
  const tokens = (count: number | null): string => (count === null ? '' : String(count));
  const row = [
    name,
    upstreamName,
    pools.map(({ name: pool, provider, region }) => `${pool} (${placed(provider, region)})`).join(', '),
    tokens(contextTokens),
    tokens(outputTokensMax),
    ...priceCells(price),
    tags.join(', '),
  ];
  return [row, ...laterRows(laterPrices), ...otherPrices.flatMap(otherRows)];
}

function otherRows({ pool, key, price, laterPrices }: OtherPricesView): string[][] {
  const row = ['', '', key === null ? pool : `${pool}/${key}`, '', '', ...priceCells(price), ''];
  return [row, ...laterRows(laterPrices)];
}

function laterRows(prices: readonly ModelPriceView[]): string[][] {
  return prices.map((later) => ['', '', '', '', '', ...amountsOf(later, 'from '), '']);
}

function priceCells(price: ModelPriceView | null): string[] {
  return price === null ? ['', '', '', '', 'not known'] : amountsOf(price, '');
}

function placed(provider: string, region: string | null): string {
  return region === null ? provider : `${provider}, ${region}`;
}

function amountsOf(
  { currency, input, cachedInput, output, request, asOf, source }: ModelPriceView,
  since: '' | 'from ',
): string[] {
  const amount = (value: number): string => `${value} ${currency}`;
  const said = source === 'project' ? 'your files' : 'the catalogue';
  return [
    amount(input),
    amount(cachedInput),
    amount(output),
    request === 0 ? '' : amount(request),
    `${since}${asOf}, ${said}`,
  ];
}

const FIELDS = [
  'model',
  'upstreamName',
  'dialect',
  'pools',
  'regions',
  'contextTokens',
  'outputTokensMax',
  'currency',
  'input',
  'cachedInput',
  'output',
  'request',
  'asOf',
  'source',
  'inForce',
  'tags',
  'key',
];

/**
 * One line for each price, and one without amounts where none is known. Prices that are to come are not in force; of keys that cost
 * something else the pool stands alone, with the key.
 */
function csvRows(view: ModelView): (string | number | boolean)[][] {
  const { name, upstreamName, dialect, pools, contextTokens, outputTokensMax, tags, otherPrices } = view;
  const line = (
    price: ModelPriceView | null,
    inForce: boolean,
    of: OtherPricesView | null,
  ): (string | number | boolean)[] => [
    name,
    upstreamName,
    dialect,
    of?.pool ?? pools.map((pool) => pool.name).join(' '),
    [...new Set(pools.flatMap(({ region }) => region ?? []))].join(' '),
    contextTokens ?? '',
    outputTokensMax ?? '',
    ...PRICE_FIELDS.map((field) => price?.[field] ?? ''),
    inForce,
    tags.join(' '),
    of?.key ?? '',
  ];
  const lines = (of: OtherPricesView | null, { price, laterPrices }: PricesView) => [
    line(price, true, of),
    ...laterPrices.map((later) => line(later, false, of)),
  ];
  return [...lines(null, view), ...otherPrices.flatMap((other) => lines(other, other))];
}

const PRICE_FIELDS = ['currency', 'input', 'cachedInput', 'output', 'request', 'asOf', 'source'] as const;

function failed(why: string, code: ExitCode): ExitCode {
  process.stderr.write(`portunus models: ${why}\n`);
  return code;
}
