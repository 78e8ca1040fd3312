import { createTwoFilesPatch } from 'diff';
import { callAdmin } from '../../admin/client.ts';
import type {
  FileChange,
  VersionDescription,
  VersionFile,
  VersionList,
} from '../../admin/routes/configuration.ts';
import { SourceText } from '../../diagnostics/source.ts';
import type { AuditActor } from '../../pipeline/audit.ts';
import { buildProject } from '../../tools/build-project.ts';
import { ProjectMemory } from '../../tools/project-memory.ts';
import { editedFiles } from '../../tools/replaced-limits.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { counterNotes } from '../run/counter-notes.ts';
import { findGateway } from './data-folder.ts';
import type { GatewayOptions } from './remote-gateway.ts';

interface Options extends GatewayOptions {
  readonly json?: true;
}

/** `portunus history list [FOLDER]`: the versions of the configuration that ran. */
export async function historyList(folder: string, options: Options): Promise<ExitCode> {
  const answer = await ask<VersionList>(folder, options, '/v1/configuration/versions');
  if (!answer.ok) return failed(answer.error);
  const { versions, running, versionsMax } = answer.value;
  if (options.json) return print(`${JSON.stringify(answer.value, null, 2)}\n`);
  const rows = versions.map((version) => [
    `${version.version === running ? '*' : ' '} ${version.version}`,
    new Date(version.timeMs).toISOString(),
    version.hash,
    describe(version),
  ]);
  const lines = [['  version', 'live since', 'rules', 'by'], ...rows].map(([number, time, hash, who]) =>
    [number!.padEnd(10), time!.padEnd(25), hash!.padEnd(17), who].join(' '),
  );
  return print(
    `${lines.join('\n')}\n\n* runs now. ${versions.length} of at most ${versionsMax} versions are kept.\n`,
  );
}

function describe({ reason, actor }: VersionDescription): string {
  return actor.kind === 'gateway' ? reason : `${reason}, ${actorText(actor)}`;
}

export function actorText(actor: AuditActor): string {
  if (actor.kind === 'token') return `token ${actor.name}`;
  return actor.kind === 'account' ? `account ${actor.name}` : actor.cause;
}

/** `portunus history show VERSION [FOLDER]`: the files of a version. */
export async function historyShow(version: number, folder: string, options: Options): Promise<ExitCode> {
  const answer = await ask<{ readonly files: readonly VersionFile[] }>(
    folder,
    options,
    `/v1/configuration/versions/${version}`,
  );
  if (!answer.ok) return failed(answer.error);
  if (options.json) return print(`${JSON.stringify(answer.value, null, 2)}\n`);
  return print(answer.value.files.map(({ path, text }) => `=== ${path}\n${text}`).join('\n'));
}

/** `portunus history diff FROM [FOLDER] [--to TO]`: what differs between two versions. */
export async function historyDiff(
  from: number,
  folder: string,
  options: Options & { readonly to?: number },
): Promise<ExitCode> {
  const { to } = options;
  const query = to === undefined ? `from=${from}` : `from=${from}&to=${to}`;
  const answer = await ask<{
    readonly from: number;
    readonly to: number;
    readonly files: readonly FileChange[];
  }>(folder, options, `/v1/configuration/changes?${query}`);
  if (!answer.ok) return failed(answer.error);
  const { files } = answer.value;
  const limits = files.length === 0 ? [] : await limitNotes(folder, options, [from, answer.value.to]);
  if (options.json) return print(`${JSON.stringify({ ...answer.value, limits }, null, 2)}\n`);
  if (from === answer.value.to && to === undefined)
    return print(`Version ${from} is the one that runs: name another one.\n`);
  if (files.length === 0) return print(`Versions ${from} and ${answer.value.to} have the same files.\n`);
  const patches = files.map((file) => patch(file, from, answer.value.to));
  const notes = limits.map((note) => `${note}\n`);
  return print([...patches, ...(notes.length > 0 ? ['\n'] : []), ...notes].join(''));
}

/** What becomes of what limits have counted, as a load of the second version after the first says it. */
async function limitNotes(
  folder: string,
  options: GatewayOptions,
  versions: readonly number[],
): Promise<readonly string[]> {
  const texts: SourceText[][] = [];
  for (const version of versions) {
    const path = `/v1/configuration/versions/${version}`;
    const answer = await ask<{ readonly files: readonly VersionFile[] }>(folder, options, path);
    if (!answer.ok) return [];
    texts.push(answer.value.files.map((file) => new SourceText(file.path, file.text)));
  }
  const [before, after] = texts;
  const former = { files: editedFiles(before!, after!), replaced: [] };
  const nowMs = Date.now();
  const earlier = buildProject(before!, folder, nowMs).built;
  const later = buildProject(after!, folder, nowMs, new ProjectMemory(), former).built;
  if (earlier === null || later === null) return [];
  return counterNotes(earlier.bundle.counters, later.bundle.counters);
}

function patch({ path, before, after }: FileChange, from: number, to: number): string {
  return createTwoFilesPatch(
    before === null ? '/dev/null' : `${path} (version ${from})`,
    after === null ? '/dev/null' : `${path} (version ${to})`,
    before ?? '',
    after ?? '',
  );
}

async function ask<Body>(folder: string, options: GatewayOptions, path: string) {
  const access = await findGateway(folder, options);
  if (!access.ok) return access;
  const answer = await callAdmin<Body>(access.value, { method: 'GET', path });
  return answer.ok ? answer : ({ ok: false, error: answer.error.message } as const);
}

function print(text: string): ExitCode {
  process.stdout.write(text);
  return EXIT.fine;
}

function failed(why: string): ExitCode {
  process.stderr.write(`portunus history: ${why}\n`);
  return EXIT.couldNotRun;
}
