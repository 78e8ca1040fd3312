import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { BUNDLE, BUNDLE_CODE } from '../src/cli/bundle.ts';
import { checkOfMetaSchema, checksOfSchemas } from './checks-of-schemas.ts';
import { licencesOf } from './licences.ts';

/** Joins all modules of the command line, and the packages that it needs for `check`, into one script. */
const PROGRAM = fileURLToPath(new URL('../src/cli/program.js', import.meta.url));

/** Packages with files of their own beside the code, or needed by other commands alone. */
const LEFT_OUT = [
  'lmdb',
  'uWebSockets.js',
  'pino',
  'prom-client',
  '@opentelemetry/*',
  '@readme/openapi-parser',
  '@scalar/openapi-upgrader',
];

const CHEVROTAIN = fileURLToPath(
  new URL('../../node_modules/chevrotain/lib/chevrotain.min.mjs', import.meta.url),
);

/** ajv's checks of schemas that are known are made here, once, and not at each start. */
const schemasCompiled: Plugin = {
  name: 'schemas-compiled',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]config[\\/]shape[\\/]compiled-schemas\.js$/ }, () => ({
      contents: checksOfSchemas(),
    }));
    onLoad({ filter: /[\\/]config[\\/]meta-schema\.js$/ }, () => ({ contents: checkOfMetaSchema() }));
  },
};

// code kept of another bundle must not meet this one: V8 compares no more of the text than its length
rmSync(BUNDLE_CODE, { force: true });
const { metafile } = await build({
  entryPoints: [PROGRAM],
  outfile: BUNDLE,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  external: LEFT_OUT,
  // Code that V8 kept has lost how `import()` is to be answered (ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING).
  supported: { 'dynamic-import': false },
  alias: { chevrotain: CHEVROTAIN },
  plugins: [schemasCompiled],
  define: { 'import.meta.url': 'mainUrl' },
  banner: { js: '(function (require, mainUrl) {' },
  footer: { js: '})' },
  metafile: true,
  logLevel: 'warning',
});
// in one script there is one place: modules that look for files beside themselves would look in the wrong folder
const misplaced = Object.keys(metafile.inputs).filter(
  (file) =>
    /^dist\/src\/(?!cli\/package-folder\.js)/.test(file) &&
    readFileSync(file, 'utf8').includes('import.meta.url'),
);
if (misplaced.length > 0)
  throw new Error(`${misplaced.join(', ')}: use PACKAGE_FOLDER instead of import.meta.url`);
writeFileSync(`${BUNDLE}.LICENSES.txt`, licencesOf(Object.keys(metafile.inputs)));
