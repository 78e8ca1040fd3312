import { callAdmin } from '../../admin/client.ts';
import type { SecretView } from '../../admin/routes/secrets.ts';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { isPolicyFile } from '../../config/kinds.ts';
import { loadWorld } from '../../config/load.ts';
import type { AuditProblem } from '../../pipeline/audit.ts';
import { openStore, type Store } from '../../state/store.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readProject } from '../run/project-files.ts';
import { createSecretDesk } from '../run/secret-desk.ts';
import { secretUsers } from '../run/secret-users.ts';
import { anchorAlone, thisAccount } from '../run/store-arrival.ts';
import { examineInChild } from '../run/store-task.ts';
import { systemClock, systemRandom } from '../run/system-clock.ts';
import { tableText } from '../table.ts';
import { PORTUNUS } from '../terminal.ts';
import { findGateway, findSettings } from './data-folder.ts';
import type { GatewayOptions } from './remote-gateway.ts';
import { readSecretInput } from './secret-input.ts';

interface Options extends GatewayOptions {
  readonly json?: true;
}

/** `portunus secrets set NAME [FOLDER]`: seals what the standard input has. */
export async function secretsSet(name: string, folder: string, options: Options): Promise<ExitCode> {
  const value = await readSecretInput(process.stdin);
  if (!value.ok) return failed(value.error);
  const body = { value: value.value };
  const set = await ask<SecretView>(folder, options, { method: 'PUT', path: pathOf(name), body }, (store) =>
    deskOf(store).set(name, value.value, thisAccount()),
  );
  if (!set.ok) return failed(set.error);
  const sentence = `Sealed ${name}, value ${set.value.generation}. In the files it is store:${name}.`;
  return print(options.json ? JSON.stringify(set.value, null, 2) : sentence);
}

/** `portunus secrets list [FOLDER]`: never the secrets themselves. */
export async function secretsList(folder: string, options: Options): Promise<ExitCode> {
  const found = await ask<{ readonly secrets: readonly SecretView[] }>(
    folder,
    options,
    { method: 'GET', path: '/v1/secrets' },
    async (store) => ok({ secrets: deskOf(store).list() }),
  );
  if (!found.ok) return failed(found.error);
  const { secrets } = found.value;
  if (options.json) return print(JSON.stringify(secrets, null, 2));
  if (secrets.length === 0) return print('There are none: "portunus secrets set NAME" makes one.');
  const moment = (ms: number | null): string => (ms === null ? '' : new Date(ms).toISOString().slice(0, 19));
  const rows = secrets.map(({ name, generation, sinceMs, formerUntilMs }) => [
    name,
    String(generation),
    moment(sinceMs),
    moment(formerUntilMs),
  ]);
  return print(tableText(COLUMNS, rows).trimEnd());
}

const COLUMNS = [
  { title: 'secret' },
  { title: 'value', align: 'right' },
  { title: 'since (UTC)' },
  { title: 'the one before until' },
] as const;

interface RemoveOptions extends Options {
  /** Also one that the files have: who has lost the key of the store sets all of its secrets again. */
  readonly force?: true;
}

/** `portunus secrets remove NAME [FOLDER]`. */
export async function secretsRemove(name: string, folder: string, options: RemoveOptions): Promise<ExitCode> {
  const removed = await ask<unknown>(
    folder,
    options,
    { method: 'DELETE', path: pathOf(name) },
    async (store) => {
      const users = options.force ? ok([]) : await usersInFiles(name, folder);
      if (!users.ok) return err({ sentence: users.error });
      return deskOf(store, users.value).remove(name, thisAccount());
    },
  );
  return removed.ok ? print(`Removed ${name}.`) : failed(removed.error);
}

/** What of the project has the secret: no gateway runs that would know. The error is a sentence or two. */
async function usersInFiles(name: string, folder: string): Promise<Result<readonly string[], string>> {
  const files = await readProject(folder);
  if (!files.ok) return files;
  const texts = files.value.texts.filter(({ path }) => !isPolicyFile(path));
  const { world } = loadWorld(texts, { projectFolder: files.value.folder });
  if (world !== null) return ok(secretUsers(name, world));
  return err(
    `The files have errors, so nobody knows whether they have it: run "${PORTUNUS} check ${folder}". ${FORCE}`,
  );
}

const FORCE = 'Where the key of the store is lost, "--force" removes it all the same.';

function pathOf(name: string): string {
  return `/v1/secrets/${encodeURIComponent(name)}`;
}

type Desk = ReturnType<typeof createSecretDesk>;
type DeskProblem =
  | AuditProblem
  | 'full'
  | 'unknown'
  | { readonly inUseBy: readonly string[] }
  | { readonly sentence: string };

/** Of the gateway where one runs, else of its store: a gateway can't start before its secrets are there. The error is a sentence or two. */
async function ask<Value>(
  folder: string,
  options: GatewayOptions,
  request: Parameters<typeof callAdmin>[1],
  alone: (store: Store) => Promise<Result<Value | undefined, DeskProblem>>,
): Promise<Result<Value, string>> {
  const access = await findGateway(folder, options);
  if (access.ok) {
    const answer = await callAdmin<Value>(access.value, request);
    if (answer.ok) return answer;
    if (answer.error.kind !== 'not-running' || options.url !== undefined) return err(answer.error.message);
  } else if (options.url !== undefined) return access;
  const settings = await findSettings(folder);
  if (!settings.ok) return settings;
  const clock = systemClock();
  const store = openStore(settings.value.dataFolder, systemRandom(), examineInChild, clock);
  if (!store.ok) return err(`${store.error.message} ${store.error.remedy}`);
  const done = await alone(store.value);
  const anchored = anchorAlone(settings.value.dataFolder, store.value.audit, clock.wallMs());
  await store.value.close();
  if (!done.ok) return err(wordsOf(done.error));
  return anchored.ok ? ok(done.value as Value) : anchored;
}

function deskOf({ storedSecrets }: Store, users: readonly string[] = []): Desk {
  return createSecretDesk({
    stored: storedSecrets,
    // The gateway's own bound is held to while it runs.
    secretsMax: LIMIT_DEFAULTS.storedSecrets,
    usersOf: () => users,
    changed: async () => {},
  });
}

function wordsOf(problem: DeskProblem): string {
  if (problem === 'full') return 'There is no room for another: limits.storedSecrets is reached.';
  if (problem === 'unknown') return 'There is no secret of that name.';
  if ('inUseBy' in problem)
    return `It is in use by ${problem.inUseBy.join(', ')}. Take it out of the files first. ${FORCE}`;
  if ('sentence' in problem) return problem.sentence;
  return `${problem.message} ${problem.remedy}`;
}

function print(text: string): ExitCode {
  process.stdout.write(`${text}\n`);
  return EXIT.fine;
}

function failed(why: string): ExitCode {
  process.stderr.write(`portunus secrets: ${why}\n`);
  return EXIT.couldNotRun;
}
