import type { Enforcement } from '../../model/world.ts';
import type { EnforcementDocument } from '../documents.ts';
import { below, type Here, keyAt, type Report } from '../finding.ts';
import { checkReference, type KnownNames } from './names.ts';
import type { Files } from './sources.ts';

/** `policies` is null while the names of policies are not known: then references to them are not checked. */
export function buildEnforcement(
  files: Files<EnforcementDocument>,
  policies: KnownNames | null,
  report: Report,
): ReadonlyMap<string, Enforcement> {
  const enforcement = new Map<string, Enforcement>();
  for (const { file, document } of files.checked) {
    for (const [name, mode] of Object.entries(document.policies)) {
      const here: Here = below({ file, path: [] }, 'policies', name);
      if (policies !== null) checkReference(name, policies, keyAt(here), report);
      enforcement.set(name, { mode, place: file.placeOf(here.path) });
    }
  }
  return enforcement;
}
