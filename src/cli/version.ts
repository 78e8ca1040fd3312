import { readFileSync } from 'node:fs';
import { PACKAGE_FOLDER } from './package-folder.ts';

/** The version of this package. */
export const { version: VERSION } = JSON.parse(
  readFileSync(new URL('package.json', PACKAGE_FOLDER), 'utf8'),
) as { readonly version: string };
