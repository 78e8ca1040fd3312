import { mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { renderText } from '../../diagnostics/render/text.ts';
import { SourceText } from '../../diagnostics/source.ts';
import { checkProject, hasError } from '../../tools/build-project.ts';
import { importOpenApi, type OpenApiImport } from '../../tools/openapi/import-openapi.ts';
import type { DocumentProblem } from '../../tools/openapi/read-document.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ProjectFiles, readProject } from '../run/project-files.ts';
import { systemClock } from '../run/system-clock.ts';
import { colourFor, PORTUNUS } from '../terminal.ts';

export interface ImportCommandOptions {
  readonly service?: string;
  readonly upstream?: string;
  readonly json?: true;
}

/** `portunus import openapi FILE [FOLDER]`: routes, schemas and a first policy from a document; writes nothing that would not pass the check. */
export async function importOpenApiCommand(
  file: string,
  folder: string,
  options: ImportCommandOptions,
): Promise<ExitCode> {
  const imported = await importOpenApi(basename(file), readerIn(dirname(resolve(file))), {
    service: options.service ?? null,
    upstream: options.upstream ?? null,
  });
  if (!imported.ok) return refuse(imported.error);
  await mkdir(folder, { recursive: true });
  const project = await readProject(folder);
  if (!project.ok) return fail(project.error);
  const files = withSettings(imported.value.files, project.value);
  const existing = await firstExisting(folder, Object.keys(files));
  if (existing !== null)
    return fail(`${existing} is there already. Remove it, or give the service another name with --service.`);
  const found = checkTogether(files, project.value);
  if (found !== null) {
    process.stderr.write(`${found}\nNothing was written: with these files the project would have errors.\n`);
    return EXIT.findings;
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { flag: 'wx' });
  }
  const { service, routeCount, notes } = imported.value;
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ service, routes: routeCount, files: Object.keys(files), notes }, null, 2)}\n`,
    );
  else process.stdout.write(summary(imported.value, Object.keys(files), folder));
  return EXIT.fine;
}

/** Only files below the folder of the document, also when a link leads elsewhere. */
function readerIn(folder: string) {
  return async (path: string): Promise<Result<string, string>> => {
    try {
      const real = await realpath(join(folder, path));
      if (!real.startsWith(`${await realpath(folder)}${sep}`))
        return err(`${path} leads out of the folder of the document.`);
      const { size } = await stat(real);
      if (size > LIMIT_DEFAULTS.configurationFileBytes) {
        return err(`${path} has ${size} bytes; a file may have ${LIMIT_DEFAULTS.configurationFileBytes}.`);
      }
      return ok(await readFile(real, 'utf8'));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return err(code === 'ENOENT' ? `${path} does not exist.` : `${path} can't be read: ${message}`);
    }
  };
}

/** A new folder gets the one file that every project has. */
function withSettings(files: OpenApiImport['files'], project: ProjectFiles): OpenApiImport['files'] {
  return project.texts.some(({ path }) => path === 'portunus.yaml')
    ? files
    : { 'portunus.yaml': 'portunus: 1\n', ...files };
}

async function firstExisting(folder: string, paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const present = await stat(join(folder, path)).then(
      () => true,
      () => false,
    );
    if (present) return path;
  }
  return null;
}

/** What would be wrong with the project, as text; null when nothing is. */
function checkTogether(files: OpenApiImport['files'], project: ProjectFiles): string | null {
  const added = Object.entries(files).map(([path, text]) => new SourceText(path, text));
  const { diagnostics } = checkProject([...project.texts, ...added], project.folder, systemClock().wallMs());
  return hasError(diagnostics) ? renderText(diagnostics, { colour: colourFor(process.stderr) }) : null;
}

function refuse(problem: DocumentProblem): ExitCode {
  if (problem.kind === 'text')
    process.stderr.write(renderText(problem.diagnostics, { colour: colourFor(process.stderr) }));
  else for (const sentence of problem.sentences) process.stderr.write(`portunus import: ${sentence}\n`);
  process.stderr.write('Nothing was imported.\n');
  return EXIT.findings;
}

function fail(sentence: string): ExitCode {
  process.stderr.write(`portunus import: ${sentence}\n`);
  return EXIT.couldNotRun;
}

const PLACES_SHOWN = 4;

function summary(
  { service, routeCount, notes }: OpenApiImport,
  paths: readonly string[],
  folder: string,
): string {
  const name = relative('', resolve(folder)) || '.';
  const lines = [
    `Imported ${routeCount} ${routeCount === 1 ? 'route' : 'routes'} of the service "${service}" into ${name}:`,
    ...paths.map((path) => `  ${path}`),
    '',
  ];
  if (notes.length > 0) lines.push('Not carried over, or changed:');
  for (const { what, where } of notes) {
    const more = where.length - PLACES_SHOWN;
    const places = where.slice(0, PLACES_SHOWN).join(', ');
    lines.push(`- ${what}${where.length === 0 ? '' : ` (${places}${more > 0 ? ` and ${more} more` : ''})`}`);
  }
  lines.push('', `Read what was written, then run: ${PORTUNUS} check ${name}`, '');
  return lines.join('\n');
}
