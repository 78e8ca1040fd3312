import { relative, sep } from 'node:path';
import { NO_STOPWATCH } from '../../base/stopwatch.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { FolderPrefix } from '../../diagnostics/render/report-paths.ts';
import { renderText } from '../../diagnostics/render/text.ts';
import { type BuiltProject, checkProject, hasError } from '../../tools/build-project.ts';
import { BuildTimes, renderTimes } from '../../tools/build-times.ts';
import { checkCertificateUse } from '../../tools/certificate-findings.ts';
import { ProjectMemory } from '../../tools/project-memory.ts';
import type { CheckFormat } from '../check-formats.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ProjectFiles, readProject } from '../run/project-files.ts';
import { systemClock } from '../run/system-clock.ts';
import { withCertificateFindings } from '../run/tls-files.ts';
import { colourFor } from '../terminal.ts';
import { explainCode, REFERENCE_PAGE } from './explain-code.ts';

export interface CheckOptions {
  readonly format?: CheckFormat;
  /** The same as `--format json`, as every command has it. */
  readonly json?: true;
  readonly warningsAsErrors?: true;
  readonly explain?: string;
  readonly timings?: true;
}

/** `portunus check [FOLDER]`: everything that is wrong with a project, in one run. */
export async function check(folder: string, options: CheckOptions): Promise<ExitCode> {
  if (options.explain !== undefined) return explainCode(options.explain);
  if (options.json && options.format !== undefined && options.format !== 'json') {
    process.stderr.write(`portunus check: --json and --format ${options.format} exclude each other.\n`);
    return EXIT.usage;
  }
  const files = await readProject(folder);
  if (!files.ok) {
    process.stderr.write(`portunus check: ${files.error}\n`);
    return EXIT.couldNotRun;
  }
  const clock = systemClock();
  const times = new BuildTimes(clock);
  const memory = new ProjectMemory(options.timings ? times : NO_STOPWATCH);
  const wallMs = clock.wallMs();
  const checked = checkProject(files.value.texts, files.value.folder, wallMs, memory);
  const read = withCertificateFindings(checked, wallMs);
  const unused = read.built === null ? [] : checkCertificateUse(read.built.world);
  const built = { ...read, diagnostics: [...read.diagnostics, ...unused] };
  const diagnostics = options.warningsAsErrors ? built.diagnostics.map(asError) : built.diagnostics;
  const format = options.json ? 'json' : (options.format ?? 'text');
  process.stdout.write(await REPORTS[format]({ ...built, diagnostics }, files.value));
  if (options.timings) {
    // a check needs no code, but whoever asks what policies cost wants to know of it
    void built.built?.bundle;
    process.stderr.write(renderTimes(times));
  }
  return hasError(diagnostics) ? EXIT.findings : EXIT.fine;
}

function asError(diagnostic: Diagnostic): Diagnostic {
  return { ...diagnostic, severity: 'error' };
}

type Report = (project: BuiltProject, files: ProjectFiles) => string | Promise<string>;

/** Each format loads what it needs. */
const REPORTS: Readonly<Record<CheckFormat, Report>> = {
  text: (project) => textReport(project),
  json: async ({ diagnostics }) => (await import('../../diagnostics/render/json.ts')).renderJson(diagnostics),
  sarif: async ({ diagnostics }, { folder }) => {
    const [{ renderSarif }, { VERSION }] = await Promise.all([
      import('../../diagnostics/render/sarif.ts'),
      import('../version.ts'),
    ]);
    const options = { version: VERSION, prefix: prefixOf(folder), pageUri: REFERENCE_PAGE.href };
    return renderSarif(diagnostics, options);
  },
  github: async ({ diagnostics }, { folder }) =>
    (await import('../../diagnostics/render/github.ts')).renderGithub(diagnostics, prefixOf(folder)),
  junit: async ({ diagnostics }, { texts, folder }) => {
    const { renderJUnit } = await import('../../diagnostics/render/junit.ts');
    const paths = texts.map(({ path }) => path);
    return renderJUnit(diagnostics, paths, prefixOf(folder));
  },
};

/** From here to the project, as the tools that read reports see it. */
function prefixOf(folder: string): FolderPrefix {
  const path = relative(process.cwd(), folder).split(sep).join('/');
  return path === '' ? '' : `${path}/`;
}

function textReport({ built, diagnostics }: BuiltProject): string {
  const findings =
    diagnostics.length === 0 ? '' : renderText(diagnostics, { colour: colourFor(process.stdout) });
  return built === null ? findings : `${findings}${summary(built)}\n`;
}

function summary({ world, policies }: NonNullable<BuiltProject['built']>): string {
  const count = (amount: number, one: string, many: string): string =>
    `${amount} ${amount === 1 ? one : many}`;
  return `Fine: ${count(world.routes.size, 'route', 'routes')}, ${count(
    policies.policies.length,
    'policy',
    'policies',
  )}, ${count(world.directory.tenants.size, 'tenant', 'tenants')}.`;
}
