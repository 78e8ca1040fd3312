import type { LoadReport } from '../../admin/actions.ts';
import { requestReload } from '../../admin/client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findGateway } from './data-folder.ts';
import type { GatewayOptions } from './remote-gateway.ts';

/** `portunus reload [FOLDER]`: asks the running gateway to load its files now and says what came of it. */
export async function reload(
  folder: string,
  options: GatewayOptions & { readonly json?: true },
): Promise<ExitCode> {
  const access = await findGateway(folder, options);
  if (!access.ok) return failed(access.error);
  const answer = await requestReload(access.value);
  if (!answer.ok) return failed(answer.error.message);
  const report = answer.value;
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `${sentence(report)}\n`);
  return report.outcome.kind === 'refused' ? EXIT.findings : EXIT.fine;
}

/** What came of a load, for people: used here and on the gateway's own console. */
export function sentence({ outcome, diagnostics, tookMs }: LoadReport): string {
  switch (outcome.kind) {
    case 'live':
      return [
        `Version ${outcome.epoch} (${outcome.hash}) is live, ${Math.round(tookMs)} ms after the files were read.`,
        ...outcome.notes,
        diagnostics.trimEnd(),
      ]
        .filter((line) => line !== '')
        .join('\n');
    case 'unchanged':
      return [`Nothing changed: version ${outcome.epoch} (${outcome.hash}) goes on.`, ...outcome.notes].join(
        '\n',
      );
    case 'refused':
      return `${diagnostics}Not loaded: ${outcome.why} The version before goes on serving.`;
  }
}

function failed(why: string): ExitCode {
  process.stderr.write(`portunus reload: ${why}\n`);
  return EXIT.couldNotRun;
}
