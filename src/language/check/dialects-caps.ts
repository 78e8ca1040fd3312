import { BODY, joinedPath } from '../../model/member-path.ts';

/** Whether a path names the bound of an answer as a single API does: by its name alone, as a fact, or as a member of the body. */
export function isDialectsCap(path: string): boolean {
  return DIALECTS_CAPS.has(path);
}

const DIALECTS_CAPS: ReadonlySet<string> = new Set(
  ['max_tokens', 'max_completion_tokens', 'max_output_tokens'].flatMap((name) => [
    name,
    `request.${name}`,
    joinedPath(BODY, name),
  ]),
);
