import type { SecretReference } from '../../model/world.ts';
import type { Here, Report } from '../finding.ts';
import { resolvePath } from './paths.ts';

const IN_ENVIRONMENT = 'env:';
const IN_FILE = 'file:';
const IN_STORE = 'store:';

/** `env:NAME`, `file:PATH` or `store:NAME`, as the schema has accepted it; null for a path that leads outside, which is reported. */
export function readSecretReference(
  written: string,
  here: Here,
  { projectFolder, report }: { readonly projectFolder: string; readonly report: Report },
): SecretReference | null {
  if (written.startsWith(IN_ENVIRONMENT))
    return { in: 'environment', name: written.slice(IN_ENVIRONMENT.length) };
  if (written.startsWith(IN_STORE)) return { in: 'store', name: written.slice(IN_STORE.length) };
  const path = resolvePath(written.slice(IN_FILE.length), here, projectFolder, report);
  return path === null ? null : { in: 'file', path };
}
