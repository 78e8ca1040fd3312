import type { LoadReport } from '../../admin/actions.ts';
import { callAdmin, RELOAD_TIMEOUT_MS } from '../../admin/client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findGateway } from './data-folder.ts';
import { sentence } from './reload.ts';
import type { GatewayOptions } from './remote-gateway.ts';

/** `portunus rollback VERSION [FOLDER]`: the files of a version that ran come back into the project folder, and are loaded. */
export async function rollback(
  version: number,
  folder: string,
  options: GatewayOptions & { readonly json?: true },
): Promise<ExitCode> {
  const access = await findGateway(folder, options);
  if (!access.ok) return failed(access.error);
  const answer = await callAdmin<LoadReport>(access.value, {
    method: 'POST',
    path: '/v1/configuration/rollback',
    body: { version },
    timeoutMs: RELOAD_TIMEOUT_MS,
    alsoExpected: 422,
  });
  if (!answer.ok) return failed(answer.error.message);
  const report = answer.value;
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `${sentence(report)}\n`);
  return report.outcome.kind === 'refused' ? EXIT.findings : EXIT.fine;
}

function failed(why: string): ExitCode {
  process.stderr.write(`portunus rollback: ${why}\n`);
  return EXIT.couldNotRun;
}
