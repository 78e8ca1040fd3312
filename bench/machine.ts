import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { delimiter, join } from 'node:path';

/** What the figures were measured on. Figures of two machines are not comparable; ratios within one run are. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  readonly nginx: string;
  readonly haproxy: string;
  readonly wrk: string;
}

export type Tool = 'nginx' | 'haproxy' | 'wrk' | 'taskset';

const ABSENT = 'not installed';

export function describeMachine(): Machine {
  return {
    cpu: cpuModel(),
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    nginx: version('nginx', ['-v'], /nginx\/(\S+)/),
    haproxy: version('haproxy', ['-v'], /version (\S+)/i),
    wrk: version('wrk', ['-v'], /wrk (\S+)/),
  };
}

/** Where a tool lies, or null. Debian keeps servers in /usr/sbin, which is not on every user's path. */
export function findTool(tool: Tool): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, tool)).find((path) => existsSync(path)) ?? null;
}

/** Highest number of open files this process, and what it starts, may have. */
export function openFilesLimit(): number {
  const line = readFileSync('/proc/self/limits', 'utf8').match(/^Max open files\s+(\d+|unlimited)/m);
  if (line === null) throw new Error('/proc/self/limits does not name "Max open files"');
  return line[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line[1]);
}

/** os.cpus() gives only the brand; family and model tell two generations of one brand apart. */
function cpuModel(): string {
  const info = readFileSync('/proc/cpuinfo', 'utf8');
  const value = (key: string): string => info.match(new RegExp(`^${key}\\s*:\\s*(.*)$`, 'm'))?.[1] ?? '?';
  return `${value('model name')} (family ${value('cpu family')}, model ${value('model')})`;
}

/** nginx prints its version to stderr and wrk exits with 1 after printing it, so both streams count and the code does not. */
function version(tool: Tool, flags: readonly string[], pattern: RegExp): string {
  const path = findTool(tool);
  if (path === null) return ABSENT;
  const quoted = [path, ...flags].map((part) => `'${part}'`).join(' ');
  const text = execFileSync('/bin/sh', ['-c', `${quoted} 2>&1 || true`], { encoding: 'utf8' });
  return text.match(pattern)?.[1] ?? 'unknown version';
}
