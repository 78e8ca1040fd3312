import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findTool } from './machine.ts';
import { parseWrkOutput } from './wrk-output.ts';

/**
 * Closed-loop load: as many requests as the other side takes over a fixed number of connections. It shows CPU per
 * request and throughput; latencies under a given rate come from `open-loop.ts`.
 */
export interface LoadSpec {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Paths asked for in turn instead of the URL's own; needs wrk. */
  readonly paths: readonly string[] | null;
  /** Consumer keys shown in turn, beside `paths`; null: the one of the headers. */
  readonly keys: readonly string[] | null;
  readonly connections: number;
  readonly seconds: number;
  /** An answer that takes longer is a failure; absent: what the tool holds for that. */
  readonly answersWithinSeconds?: number;
  readonly core: number | null;
  /** For the script that wrk reads. */
  readonly folder: string;
}

export interface LoadReport {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 1 << 20;

export function loadTool(): 'wrk' | 'autocannon' {
  return findTool('wrk') === null ? 'autocannon' : 'wrk';
}

/** Throws when even one request failed: figures of failing requests mean nothing. */
export async function applyLoad(spec: LoadSpec): Promise<LoadReport> {
  const wrk = findTool('wrk');
  return wrk === null ? await applyAutocannon(spec) : await applyWrk(wrk, spec);
}

async function applyWrk(wrk: string, spec: LoadSpec): Promise<LoadReport> {
  const args = ['-t', '1', '-c', `${spec.connections}`, '-d', `${spec.seconds}s`, '--latency'];
  for (const [name, value] of Object.entries(spec.headers)) args.push('-H', `${name}: ${value}`);
  if (spec.answersWithinSeconds !== undefined) args.push('--timeout', `${spec.answersWithinSeconds}s`);
  const script = wrkScript(spec);
  if (script !== null) {
    const path = join(spec.folder, 'wrk.lua');
    writeFileSync(path, script);
    args.push('-s', path);
  }
  const report = parseWrkOutput(await output(wrk, [...args, spec.url], spec.core));
  refuseFailures(spec, report.socketErrors + report.otherStatuses);
  return { ...report, requestsPerSecond: report.requests / report.seconds };
}

/** Null where the command line says everything: wrk is faster without a script. */
function wrkScript(spec: LoadSpec): string | null {
  const lines: string[] = [];
  if (spec.method !== 'GET') lines.push(`wrk.method = ${luaText(spec.method)}`);
  if (spec.body !== null) lines.push(`wrk.body = ${luaText(spec.body)}`);
  if (spec.paths !== null) {
    const list = join(spec.folder, 'wrk-paths.txt');
    writeFileSync(list, `${turns(spec.paths, spec.keys).join('\n')}\n`);
    // Requests are put together before the run: wrk.format in `request` would cost the generator 3 µs each.
    lines.push(
      'local requests, turn = {}, 0',
      'init = function(args)',
      `  for line in io.lines(${luaText(list)}) do`,
      '    local path, key = line:match("^(%S+) ?(%S*)$")',
      '    if key ~= "" then wrk.headers["authorization"] = "Bearer " .. key end',
      '    requests[#requests + 1] = wrk.format(nil, path)',
      '  end',
      // Short runs don't come round all paths: each begins elsewhere.
      '  math.randomseed(os.time())',
      '  turn = math.random(#requests)',
      'end',
      'request = function()',
      '  turn = turn % #requests + 1',
      '  return requests[turn]',
      'end',
    );
  }
  return lines.length === 0 ? null : `${lines.join('\n')}\n`;
}

/** Every path and every key at least once; where there are fewer of one, they come again. */
function turns(paths: readonly string[], keys: readonly string[] | null): readonly string[] {
  if (keys === null) return paths;
  const count = Math.max(paths.length, keys.length);
  return Array.from(
    { length: count },
    (_, index) => `${paths[index % paths.length]} ${keys[index % keys.length]}`,
  );
}

function luaText(text: string): string {
  return JSON.stringify(text);
}

/** The part read of `autocannon --json`. */
interface AutocannonReport {
  readonly requests: { readonly total: number };
  readonly duration: number;
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly errors: number;
  readonly timeouts: number;
  readonly non2xx: number;
}

async function applyAutocannon(spec: LoadSpec): Promise<LoadReport> {
  if (spec.paths !== null) throw new Error('many paths in turn need wrk, which is not installed');
  const program = createRequire(import.meta.url).resolve('autocannon');
  const args = [program, '--json', '-c', `${spec.connections}`, '-d', `${spec.seconds}`, '-m', spec.method];
  for (const [name, value] of Object.entries(spec.headers)) args.push('-H', `${name}=${value}`);
  if (spec.body !== null) args.push('-b', spec.body);
  if (spec.answersWithinSeconds !== undefined) args.push('-t', `${spec.answersWithinSeconds}`);
  const text = await output(process.execPath, [...args, spec.url], spec.core);
  const report = JSON.parse(text) as AutocannonReport;
  refuseFailures(spec, report.errors + report.timeouts + report.non2xx);
  return {
    requests: report.requests.total,
    requestsPerSecond: report.requests.total / report.duration,
    p50Ms: report.latency.p50,
    p99Ms: report.latency.p99,
  };
}

async function output(command: string, args: readonly string[], core: number | null): Promise<string> {
  const taskset = core === null ? null : findTool('taskset');
  const [program, programArgs] =
    taskset === null ? [command, args] : [taskset, ['-c', `${core}`, command, ...args]];
  const { stdout } = await run(program, programArgs, { maxBuffer: OUTPUT_BYTES_MAX });
  return stdout;
}

function refuseFailures(spec: LoadSpec, failures: number): void {
  if (failures > 0) throw new Error(`${failures} requests to ${spec.url} failed or were refused`);
}
