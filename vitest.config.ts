import { defineConfig } from 'vitest/config';

/** `VITEST_JSON=file` also writes the results there, for `.ci/run`. */
const json = process.env.VITEST_JSON;

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    // By default one core is left free, which is half of a small machine.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    ...(json === undefined ? {} : { reporters: ['default', 'json'], outputFile: { json } }),
  },
});
