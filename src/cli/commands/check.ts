import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { renderJson } from '../../diagnostics/render/json.ts';
import { renderText } from '../../diagnostics/render/text.ts';
import { buildProject, hasError } from '../../tools/build-project.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readProject } from '../run/project-files.ts';
import { colourFor } from '../terminal.ts';

/** `portunus check [FOLDER]`: everything that is wrong with a project, in one run. */
export async function check(folder: string, options: { readonly json?: true }): Promise<ExitCode> {
  const files = await readProject(folder);
  if (!files.ok) {
    process.stderr.write(`portunus check: ${files.error}\n`);
    return EXIT.couldNotRun;
  }
  const { built, diagnostics } = buildProject(files.value.texts, files.value.folder);
  if (options.json) process.stdout.write(`${renderJson(diagnostics)}\n`);
  else process.stdout.write(report(diagnostics, built === null ? null : summary(built)));
  return hasError(diagnostics) ? EXIT.findings : EXIT.fine;
}

function report(diagnostics: readonly Diagnostic[], fine: string | null): string {
  const findings =
    diagnostics.length === 0 ? '' : renderText(diagnostics, { colour: colourFor(process.stdout) });
  return fine === null ? findings : `${findings}${fine}\n`;
}

function summary({ world, policies }: NonNullable<ReturnType<typeof buildProject>['built']>): string {
  const count = (amount: number, one: string, many: string): string =>
    `${amount} ${amount === 1 ? one : many}`;
  return `Fine: ${count(world.routes.size, 'route', 'routes')}, ${count(
    policies.policies.length,
    'policy',
    'policies',
  )}, ${count(world.directory.tenants.size, 'tenant', 'tenants')}.`;
}
