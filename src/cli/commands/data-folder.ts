import { type AdminAccess, readAdminAccess } from '../../admin/access-file.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { loadWorld } from '../../config/load.ts';
import type { ServerSettings } from '../../model/world.ts';
import { adminAccessFile } from '../run/admin-access.ts';
import { readProject } from '../run/project-files.ts';
import { PORTUNUS } from '../terminal.ts';
import { type GatewayOptions, remoteGateway } from './remote-gateway.ts';

/**
 * How to reach the gateway that runs on a project, or the one that the options name. Of the configuration only `portunus.yaml` has to be right, because
 * these commands are asked for when something else is not.
 */
export async function findGateway(
  folder: string,
  options: GatewayOptions = {},
): Promise<Result<AdminAccess, string>> {
  const remote = await remoteGateway(options, process.env);
  if (!remote.ok) return remote;
  if (remote.value !== null) return ok(remote.value);
  const server = await findSettings(folder);
  if (!server.ok) return server;
  const access = await readAdminAccess(adminAccessFile(server.value.dataFolder));
  const startedBy = `${PORTUNUS} start${folder === '.' ? '' : ` ${folder}`}`;
  if (access.ok) return ok({ ...access.value, startedBy });
  const { kind, message } = access.error;
  return err(kind === 'absent' ? `${message} Start one with "${startedBy}".` : message);
}

/** What `portunus.yaml` says of the process. */
export async function findSettings(folder: string): Promise<Result<ServerSettings, string>> {
  const files = await readProject(folder);
  if (!files.ok) return err(files.error);
  const settings = files.value.texts.filter(({ path }) => path === 'portunus.yaml');
  if (settings.length === 0)
    return err(`There is no portunus.yaml in "${folder}". Name the project folder of the gateway.`);
  const { world } = loadWorld(settings, { projectFolder: files.value.folder });
  if (world === null) return err(`portunus.yaml has errors. Run "${PORTUNUS} check ${folder}".`);
  return ok(world.server);
}
