import { callAdminForText } from '../../admin/client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findGateway } from './data-folder.ts';
import type { GatewayOptions } from './remote-gateway.ts';

/** `portunus export directory [FOLDER]`: to the standard output. */
export async function exportDirectory(folder: string, options: GatewayOptions): Promise<ExitCode> {
  const access = await findGateway(folder, options);
  const answer = access.ok
    ? await callAdminForText(access.value, { method: 'GET', path: '/v1/directory' })
    : null;
  if (answer?.ok === true) {
    process.stdout.write(answer.value);
    return EXIT.fine;
  }
  const why = access.ok ? answer?.ok === false && answer.error.message : access.error;
  process.stderr.write(`portunus export directory: ${why}\n`);
  return EXIT.couldNotRun;
}
