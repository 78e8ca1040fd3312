import { cp, mkdir, readdir } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { err, ok, type Result } from '../../base/result.ts';
import { openStore } from '../../state/store.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { PACKAGE_FOLDER } from '../package-folder.ts';
import { adminAccessFile, openAdminAccess } from '../run/admin-access.ts';
import { anchorAlone, thisAccount } from '../run/store-arrival.ts';
import { examineInChild } from '../run/store-task.ts';
import { systemClock, systemRandom } from '../run/system-clock.ts';
import { PORTUNUS } from '../terminal.ts';
import { findSettings } from './data-folder.ts';

/** The quick start that ships with the package: `init` gives each user the same project to change. */
export const QUICKSTART_FOLDER = fileURLToPath(new URL('policies/quickstart', PACKAGE_FOLDER));

/** `portunus init [FOLDER]`: writes a small working project into an empty (or new) folder, and makes its admin token. */
export async function init(folder: string): Promise<ExitCode> {
  const target = resolve(folder);
  const name = relative('', target) || '.';
  const written = await copyProject(QUICKSTART_FOLDER, target);
  if (!written.ok) {
    process.stderr.write(`portunus init: ${name} ${written.error}\n`);
    return EXIT.couldNotRun;
  }
  const access = await makeAdminToken(target);
  if (!access.ok)
    process.stderr.write(`portunus init: the admin token is left to the first start: ${access.error}\n`);
  process.stdout.write(
    [
      `Wrote a working project to ${name}:`,
      '',
      '  portunus.yaml      addresses, zone, attribute types',
      '  routes/            what is served, and by which upstream',
      '  providers/         models, and the keys of those who serve them',
      '  tenants/           who may call',
      '  policies/          what is allowed, and how much of it',
      '  enforcement.yaml   which policies only watch in this deployment',
      ...(access.ok
        ? [
            `  data/              not to be shared: ${basename(access.value)} holds the admin token of this`,
            '                     machine, the store beside it only its hash',
          ]
        : []),
      '',
      `Check it:  ${PORTUNUS} check ${name}`,
      `Run it:    ${PORTUNUS} start ${name} --mock-upstream 9001 --mock-provider 9002`,
      '',
    ].join('\n'),
  );
  return EXIT.fine;
}

/**
 * The token with which commands on this machine may do everything: its hash goes to a fresh store, itself to the access file alone.
 * Answers the file; the error is a sentence.
 */
async function makeAdminToken(project: string): Promise<Result<string, string>> {
  const settings = await findSettings(project);
  if (!settings.ok) return settings;
  const { dataFolder } = settings.value;
  const [clock, random] = [systemClock(), systemRandom()];
  const store = openStore(dataFolder, random, examineInChild, clock);
  if (!store.ok) return err(`${store.error.message} ${store.error.remedy}`);
  const parts = { clock, random, fingerprints: null, actor: thisAccount() };
  const made = await openAdminAccess(store.value, settings.value, parts);
  const anchored = made.ok ? anchorAlone(dataFolder, store.value.audit, clock.wallMs()) : made;
  await store.value.close();
  return anchored.ok ? ok(adminAccessFile(dataFolder)) : anchored;
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
