import { readFileSync } from 'node:fs';

/** How busy the machine was, and how much of that was this bench: figures from a shared machine say so. */
export interface MachineBusy {
  /** Ticks of all cores, busy or idle. */
  readonly allTicks: number;
  readonly busyTicks: number;
  /** Of this process and of all children it has waited for, theirs included. */
  readonly ownTicks: number;
}

export function readMachineBusy(): MachineBusy {
  return {
    ...parseMachineTicks(readFileSync('/proc/stat', 'utf8')),
    ownTicks: parseTreeTicks(readFileSync('/proc/self/stat', 'utf8')),
  };
}

export function othersNote(before: MachineBusy, after: MachineBusy): string {
  const all = after.allTicks - before.allTicks;
  const others = after.busyTicks - before.busyTicks - (after.ownTicks - before.ownTicks);
  const percent = all === 0 ? 0 : Math.max(0, (100 * others) / all);
  const advice = percent > 5 ? ': REPEAT ON A QUIET MACHINE' : '';
  return `Other processes used ${percent.toFixed(1)} % of all cores meanwhile${advice}.`;
}

/** First line of `/proc/stat`, proc_stat(5): user nice system idle iowait irq softirq steal. */
export function parseMachineTicks(text: string): { readonly allTicks: number; readonly busyTicks: number } {
  const line = /^cpu +([\d ]+)$/m.exec(text);
  if (line === null) throw new Error('no cpu line in /proc/stat');
  // Guest time, after these eight, is part of user time already.
  const ticks = line[1]!.trim().split(' ').map(Number).slice(0, 8);
  const allTicks = ticks.reduce((sum, value) => sum + value, 0);
  return { allTicks, busyTicks: allTicks - (ticks[3] ?? 0) - (ticks[4] ?? 0) };
}

/** Fields 14–17 of `/proc/PID/stat`, proc_pid_stat(5): utime stime cutime cstime. */
export function parseTreeTicks(text: string): number {
  // Counted from the end of the name, which may hold blanks; the first field after it is number 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0);
}
