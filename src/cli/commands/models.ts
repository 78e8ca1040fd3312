import type { ModelPriceView, ModelView } from '../../admin/routes/models.ts';
import { loadWorld } from '../../config/load.ts';
import { renderText } from '../../diagnostics/render/text.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { modelViews } from '../run/model-view.ts';
import { readProject } from '../run/project-files.ts';
import { type TableColumn, tableText } from '../table.ts';
import { colourFor } from '../terminal.ts';

/** `portunus models [FOLDER]`: what the files say, whether or not a gateway runs. */
export async function models(folder: string, options: { readonly json?: true }): Promise<ExitCode> {
  const files = await readProject(folder);
  if (!files.ok) return failed(files.error);
  // Models stand in YAML alone, and are shown where a policy is wrong too.
  const written = files.value.texts.filter(({ path }) => !path.endsWith('.policy'));
  const { world, diagnostics } = loadWorld(written, { projectFolder: files.value.folder });
  if (world === null) {
    process.stderr.write(renderText(diagnostics, { colour: colourFor(process.stderr) }));
    return failed('the project has errors.');
  }
  const views = modelViews(world.models, world.currency);
  if (options.json) process.stdout.write(`${JSON.stringify(views, null, 2)}\n`);
  else process.stdout.write(views.length === 0 ? NO_MODELS : tableText(COLUMNS, views.map(rowOf)));
  return EXIT.fine;
}

const NO_MODELS = 'There are no models: they are defined in providers/*.yaml.\n';

const COLUMNS: readonly TableColumn[] = [
  { title: 'model' },
  { title: 'at the provider' },
  { title: 'pools' },
  { title: 'most output', align: 'right' },
  { title: 'input/1M', align: 'right' },
  { title: 'cached/1M', align: 'right' },
  { title: 'output/1M', align: 'right' },
  { title: 'per request', align: 'right' },
  { title: 'price of' },
  { title: 'tags' },
];

function rowOf({ name, upstreamName, pools, outputTokensMax, price, tags }: ModelView): string[] {
  return [
    name,
    upstreamName,
    pools.map((pool) => `${pool.name} (${pool.provider})`).join(', '),
    outputTokensMax === null ? '' : String(outputTokensMax),
    ...(price === null ? ['', '', '', '', 'not known'] : amountsOf(price)),
    tags.join(', '),
  ];
}

function amountsOf({
  currency,
  input,
  cachedInput,
  output,
  request,
  asOf,
  source,
}: ModelPriceView): string[] {
  const amount = (value: number): string => `${value} ${currency}`;
  const said = source === 'project' ? 'your files' : 'the catalogue';
  return [
    amount(input),
    amount(cachedInput),
    amount(output),
    request === 0 ? '' : amount(request),
    `${asOf}, ${said}`,
  ];
}

function failed(why: string): ExitCode {
  process.stderr.write(`portunus models: ${why}\n`);
  return EXIT.couldNotRun;
}
