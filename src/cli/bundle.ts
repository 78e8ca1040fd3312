import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { constants, Script } from 'node:vm';

/**
 * All modules of the command line as one script, made by `build/bundle.ts`: loading them and their packages one by one took
 * a third of the check of a small project. The code that V8 made of it is kept beside it; another version of
 * Node refuses that and makes it anew each time.
 */
export const BUNDLE = fileURLToPath(new URL('./bundle.cjs', import.meta.url));
export const BUNDLE_CODE = `${BUNDLE}.v8`;

export interface Bundle {
  readonly script: Script;
  run(): void;
}

/** Null where none was made. */
export function readBundle(): Bundle | null {
  if (!existsSync(BUNDLE)) return null;
  const script = new Script(readFileSync(BUNDLE, 'utf8'), {
    filename: BUNDLE,
    ...(existsSync(BUNDLE_CODE) ? { cachedData: readFileSync(BUNDLE_CODE) } : {}),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const program = script.runInThisContext() as (require: NodeJS.Require, url: string) => void;
  return { script, run: () => program(createRequire(import.meta.url), import.meta.url) };
}
