#!/usr/bin/env node
import { readBundle } from './bundle.ts';

// without a bundle (after `tsc` alone) the modules are loaded one by one, which is slower
const bundle = readBundle();
if (bundle === null) await import('./program.ts');
else bundle.run();
