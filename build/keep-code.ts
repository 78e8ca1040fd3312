import { writeFileSync } from 'node:fs';
import { BUNDLE_CODE, readBundle } from '../src/cli/bundle.ts';

/**
 * Runs the bundle with the arguments given, and then keeps the code that V8 made of it. A function that the run needed
 * is in there, so that later runs need not compile it.
 */
const bundle = readBundle();
if (bundle === null) throw new Error('there is no bundle');
process.once('exit', () => writeFileSync(BUNDLE_CODE, bundle.script.createCachedData()));
bundle.run();
