import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What the programs of `bench check` in children/ print. */
export interface WarmTimes {
  readonly firstMs: number;
  /** Compiling for all routes, with the code, in the first build. */
  readonly perPolicyMs: number;
  /** One for each file that was given. */
  readonly changesMs: readonly number[];
}
/** An amount in a policy file, one more rule in it, or one more route in a routes file; below the project folder. */
export interface Change {
  readonly kind: 'amount' | 'rule' | 'route';
  readonly file: string;
}
export interface LargeFileTimes {
  readonly parseMs: number;
  readonly checkMs: number;
}

export function warmTimes(folder: string, changes: readonly Change[]): Promise<WarmTimes> {
  return run<WarmTimes>('warm-check', [folder, ...changes.map((change) => JSON.stringify(change))]);
}

export function largeFileTimes(folder: string, file: string): Promise<LargeFileTimes> {
  return run<LargeFileTimes>('large-file', [folder, file]);
}

async function run<Times>(program: string, args: readonly string[]): Promise<Times> {
  const file = fileURLToPath(import.meta.resolve(`../children/${program}.js`));
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...args]);
  return JSON.parse(stdout) as Times;
}
