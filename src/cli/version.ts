import { readFileSync } from 'node:fs';

/** The version of this package; `dist/src/cli` lies three folders below it. */
export const { version: VERSION } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { readonly version: string };
