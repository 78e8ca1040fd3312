import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What the programs of `bench check` in children/ print. */
export interface WarmTimes {
  readonly firstMs: number;
  /** One for each file that was given. */
  readonly changesMs: readonly number[];
}
export interface LargeFileTimes {
  readonly parseMs: number;
  readonly checkMs: number;
}

export function warmTimes(folder: string, files: readonly string[]): Promise<WarmTimes> {
  return run<WarmTimes>('warm-check', [folder, ...files]);
}

export function largeFileTimes(folder: string, file: string): Promise<LargeFileTimes> {
  return run<LargeFileTimes>('large-file', [folder, file]);
}

async function run<Times>(program: string, args: readonly string[]): Promise<Times> {
  const file = fileURLToPath(import.meta.resolve(`../children/${program}.js`));
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...args]);
  return JSON.parse(stdout) as Times;
}
