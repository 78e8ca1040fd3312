import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time of a whole process tree: every thread of the process and of its descendants (nginx's work is done by
 * children of the process that was started, Node's by threads beside the main one).
 *
 * Source: `/proc/PID/task/TID/schedstat`, whose first number is the time on a core in nanoseconds. `utime + stime` of
 * `/proc/PID/stat` has ticks of 10 ms – half a percent of a two-second round, as much as the differences looked for.
 * The price: the time of a thread that ended is gone, so such a measurement is refused instead of being too low.
 * Both count softirq work (loopback TCP) to whoever runs when it happens; that is equal for every contender.
 */
export interface CpuReading {
  /** Nanoseconds on a core, by thread id. */
  readonly nsByThread: ReadonlyMap<number, number>;
}

export function readCpu(rootPid: number): CpuReading {
  const nsByThread = new Map<number, number>();
  for (const pid of processTree(rootPid)) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
      nsByThread.set(Number(thread), parseSchedstat(text));
    }
  }
  return { nsByThread };
}

/** Microseconds on a core between two readings of one tree. Throws when a thread ended in between. */
export function cpuUsBetween(before: CpuReading, after: CpuReading): number {
  let ns = 0;
  for (const [thread, atEnd] of after.nsByThread) ns += atEnd - (before.nsByThread.get(thread) ?? 0);
  for (const thread of before.nsByThread.keys()) {
    if (!after.nsByThread.has(thread)) throw new Error(`thread ${thread} ended while it was measured`);
  }
  return ns / 1_000;
}

/** Resident memory of the tree in bytes. Shared pages count once per process that maps them. */
export function residentBytes(rootPid: number): number {
  let kib = 0;
  for (const pid of processTree(rootPid))
    kib += parseStatusKib(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS');
  return kib * 1_024;
}

/** What the memory of one process consists of, in bytes: see proc_pid_status(5). */
export interface ProcessMemory {
  readonly resident: number;
  /** The most that was ever resident. */
  readonly peak: number;
  /** Of `resident` pages of files, such as the store's: the kernel takes them back when it needs them. */
  readonly file: number;
}

export function readMemory(pid: number): ProcessMemory {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    resident: parseStatusKib(text, 'VmRSS') * 1_024,
    peak: parseStatusKib(text, 'VmHWM') * 1_024,
    file: parseStatusKib(text, 'RssFile') * 1_024,
  };
}

/** In ticks of 10 ms, all threads of one process with those that have ended. Unlike the clock it says little of what else ran. */
export function cpuOfProcessMs(pid: number): number {
  return parseCpuTicks(readFileSync(`/proc/${pid}/stat`, 'utf8')) * MS_PER_TICK;
}

/** `USER_HZ` is 100 wherever Linux runs (time(7)). */
const MS_PER_TICK = 10;

/** The process and all its descendants; parents come before their children. */
export function processTree(rootPid: number): number[] {
  const parentOf = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(name);
    if (stat !== null) parentOf.set(stat.pid, stat.parentPid);
  }
  const tree = [rootPid];
  for (const pid of tree) {
    for (const [child, parent] of parentOf) if (parent === pid) tree.push(child);
  }
  return tree;
}

export function isRunning(pid: number): boolean {
  const stat = readStat(String(pid));
  return stat !== null && stat.state !== 'Z';
}

/** `/proc/PID/task/TID/schedstat`: time on a core, time waiting for one, time slices (Documentation/scheduler/sched-stats.rst). */
export function parseSchedstat(text: string): number {
  return schedstatFields(text)[0];
}

/** Of the same line, the time for which the thread was ready and had no core. */
export function parseWaitedMs(text: string): number {
  return schedstatFields(text)[1] / 1e6;
}

function schedstatFields(text: string): readonly [onCoreNs: number, waitedNs: number] {
  const match = text.match(/^(\d+) (\d+) \d+\s*$/);
  if (match === null) throw new Error(`not a schedstat line: ${JSON.stringify(text)}`);
  return [Number(match[1]), Number(match[2])];
}

export interface ProcessStat {
  readonly pid: number;
  /** One letter: `R` runs, `S` sleeps, `Z` has ended and waits for its parent to notice. */
  readonly state: string;
  readonly parentPid: number;
}

/** `/proc/PID/stat`, proc_pid_stat(5). The name in parentheses may itself hold blanks and parentheses. */
export function parseStat(text: string): ProcessStat {
  const match = text.match(/^(\d+) \(.*\) (\S) (\d+) /s);
  if (match === null) throw new Error(`not a stat line: ${JSON.stringify(text)}`);
  return { pid: Number(match[1]), state: match[2]!, parentPid: Number(match[3]) };
}

/** Of the same line, in user mode and in the kernel: fields 14 and 15. */
export function parseCpuTicks(text: string): number {
  const match = text.match(/^\d+ \(.*\) (?:\S+ ){11}(\d+) (\d+) /s);
  if (match === null) throw new Error(`not a stat line: ${JSON.stringify(text)}`);
  return Number(match[1]) + Number(match[2]);
}

export function parseStatusKib(text: string, name: string): number {
  const match = text.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm'));
  if (match === null) throw new Error(`no ${name} line in /proc/PID/status`);
  return Number(match[1]);
}

/** Null for a process that ended since the folder was listed. */
function readStat(name: string): ProcessStat | null {
  try {
    return parseStat(readFileSync(`/proc/${name}/stat`, 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
}
