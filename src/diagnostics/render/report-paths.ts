import type { SourceText } from '../source.ts';

/**
 * Where the project folder lies, seen from where the command was called: `gateway/` or nothing. Tools that show findings
 * beside code (GitHub, SARIF viewers) look for files from there.
 */
export type FolderPrefix = '' | `${string}/`;

export function reportPath(source: SourceText, prefix: FolderPrefix): string {
  return `${prefix}${source.path}`;
}
