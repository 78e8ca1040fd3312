import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** `VITEST_JSON=file` also writes the results there, for `.ci/run`. */
const json = process.env.VITEST_JSON;

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    // One more than cores: tests of running gateways wait half of their time.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes when a loaded machine gets to it.
    expect: { poll: { timeout: 20_000 } },
    ...(json === undefined ? {} : { reporters: ['default', 'json'], outputFile: { json } }),
  },
});
