import { describe, expect, it } from 'vitest';
import {
  cpuUsBetween,
  isRunning,
  parseCpuTicks,
  parseSchedstat,
  parseStat,
  parseStatusKib,
  parseWaitedMs,
  processTree,
  readCpu,
} from './cpu.ts';

describe('reading /proc', () => {
  it('reads the time on a core from schedstat', () => {
    expect(parseSchedstat('1986574918 282383 29\n')).toBe(1_986_574_918);
    expect(parseWaitedMs('1986574918 282383 29\n')).toBe(0.282383);
    expect(() => parseSchedstat('')).toThrow('not a schedstat line');
    expect(() => parseSchedstat('12 13')).toThrow('not a schedstat line');
  });

  it.each([
    ['8223 (node) R 8220 8220 4400 0 -1 4194304', 8223, 8220],
    ['9 (a) b (c) S 1 9 9 0', 9, 1],
    ['12 (nginx: worker) S 11 1 1 0', 12, 11],
    ['7 (line\nbreak) S 3 1 1 0', 7, 3],
  ])('reads pid and parent from %j', (line, pid, parentPid) => {
    expect(parseStat(line)).toMatchObject({ pid, parentPid });
  });

  it('reads the state after a name with parentheses', () => {
    expect(parseStat('9 (a) Z (c) S 1 9 9 0').state).toBe('S');
  });

  it('adds the time in user mode and in the kernel', () => {
    expect(parseCpuTicks('9 (a) b) S 1 9 9 0 -1 4194560 500 0 3 0 120 34 7 8 20 0 1 0 99 0 0\n')).toBe(154);
    expect(() => parseCpuTicks('9 (a) S 1')).toThrow('not a stat line');
  });

  it('reads the resident memory', () => {
    const status = 'Name:\tnode\nVmHWM:\t  99 kB\nVmRSS:\t   45678 kB\n';
    expect(parseStatusKib(status, 'VmRSS')).toBe(45_678);
    expect(parseStatusKib(status, 'VmHWM')).toBe(99);
    expect(() => parseStatusKib('Name:\tkthreadd\n', 'VmRSS')).toThrow('VmRSS');
  });

  it('adds what every thread used, also one that began in between', () => {
    const before = {
      nsByThread: new Map([
        [1, 1_000],
        [2, 5_000],
      ]),
    };
    const after = {
      nsByThread: new Map([
        [1, 4_000],
        [2, 5_000],
        [3, 2_000],
      ]),
    };
    expect(cpuUsBetween(before, after)).toBe(5);
  });

  it('refuses a measurement in which a thread ended', () => {
    const before = {
      nsByThread: new Map([
        [1, 1_000],
        [2, 5_000],
      ]),
    };
    expect(() => cpuUsBetween(before, { nsByThread: new Map([[1, 9_000]]) })).toThrow('thread 2 ended');
  });

  it('knows what runs', () => {
    expect(isRunning(process.pid)).toBe(true);
    // Above the kernel's largest pid (2^22).
    expect(isRunning(2 ** 23)).toBe(false);
  });

  it('finds this process below its parent, and its own time grows', () => {
    expect(processTree(process.ppid)).toContain(process.pid);
    const before = readCpu(process.pid);
    const startedWith = process.cpuUsage();
    let spent = 0;
    while (spent < 20_000) {
      const used = process.cpuUsage(startedWith);
      spent = used.user + used.system;
    }
    expect(cpuUsBetween(before, readCpu(process.pid))).toBeGreaterThan(5_000);
  });
});
