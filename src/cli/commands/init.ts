import { cp, mkdir, readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { err, ok, type Result } from '../../base/result.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { PACKAGE_FOLDER } from '../package-folder.ts';
import { PORTUNUS } from '../terminal.ts';

/** The quick start that ships with the package: `init` gives each user the same project to change. */
export const QUICKSTART_FOLDER = fileURLToPath(new URL('policies/quickstart', PACKAGE_FOLDER));

/** `portunus init [FOLDER]`: writes a small working project into an empty (or new) folder. */
export async function init(folder: string): Promise<ExitCode> {
  const target = resolve(folder);
  const name = relative('', target) || '.';
  const written = await copyProject(QUICKSTART_FOLDER, target);
  if (!written.ok) {
    process.stderr.write(`portunus init: ${name} ${written.error}\n`);
    return EXIT.couldNotRun;
  }
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

/**
 * Copies a project without its data folder: that holds the keys and the admin token of the gateway that ran there, which
 * are nobody else's. The error completes a sentence that begins with the target.
 */
export async function copyProject(from: string, target: string): Promise<Result<void, string>> {
  try {
    await mkdir(target, { recursive: true });
    const present = (await readdir(target)).filter((name) => !name.startsWith('.'));
    if (present.length > 0) {
      return err(`is not empty (it holds ${present[0]}). Name a new folder: ${PORTUNUS} init my-gateway`);
    }
    const data = join(from, DATA_FOLDER);
    await cp(from, target, { recursive: true, filter: (source) => source !== data });
    return ok(undefined);
  } catch (error) {
    return err(sentenceFor(error as NodeJS.ErrnoException));
  }
}

/** As the quick start's portunus.yaml names it. */
const DATA_FOLDER = 'data';

function sentenceFor({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EEXIST' || code === 'ENOTDIR') return 'is not a folder, or lies in something that is none.';
  if (code === 'EACCES' || code === 'EPERM') return "can't be written: permission denied.";
  return `can't be written: ${message}.`;
}
