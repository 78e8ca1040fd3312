import { OUTPUT_CAP_MEMBERS } from '../../model/facts.ts';
import { BODY, joinedPath } from '../../model/member-path.ts';

/** Whether a path names the bound of an answer as a single API does: by its name alone, as a fact, or as a member of the body. */
export function isDialectsCap(path: string): boolean {
  return DIALECTS_CAPS.has(path);
}

const DIALECTS_CAPS: ReadonlySet<string> = new Set(
  OUTPUT_CAP_MEMBERS.flatMap((name) => [name, `request.${name}`, joinedPath(BODY, name)]),
);
