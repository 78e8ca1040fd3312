import { cp, mkdir, readdir } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { PORTUNUS } from '../terminal.ts';

/** The quick start that ships with the package: `init` gives each user the same project to change. */
export const QUICKSTART_FOLDER = fileURLToPath(new URL('../../../../policies/quickstart', import.meta.url));

/** `portunus init [FOLDER]`: writes a small working project into an empty (or new) folder. */
export async function init(folder: string): Promise<ExitCode> {
  const target = resolve(folder);
  await mkdir(target, { recursive: true });
  const present = (await readdir(target)).filter((name) => !name.startsWith('.'));
  if (present.length > 0) {
    process.stderr.write(
      `portunus init: ${relative('', target) || '.'} is not empty (it holds ${present[0]}). Name a new folder: ${PORTUNUS} init my-gateway\n`,
    );
    return EXIT.couldNotRun;
  }
  await cp(QUICKSTART_FOLDER, target, {
    recursive: true,
    filter: (source) => !/[\\/]data([\\/]|$)/.test(relative(QUICKSTART_FOLDER, source)),
  });
  const name = relative('', target) || '.';
  process.stdout.write(
    [
      `Wrote a working project to ${name}:`,
      '',
      '  portunus.yaml      addresses, zone, attribute types',
      '  routes/            what is served, and by which upstream',
      '  tenants/           who may call',
      '  policies/          what is allowed, and how much of it',
      '  enforcement.yaml   which policies only watch in this deployment',
      '',
      `Check it:  ${PORTUNUS} check ${name}`,
      `Run it:    ${PORTUNUS} start ${name} --mock-upstream 9001`,
      '',
    ].join('\n'),
  );
  return EXIT.fine;
}
