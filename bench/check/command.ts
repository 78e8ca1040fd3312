import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A command as a whole, from its start to its end, with all of its threads. */
export interface CommandTime {
  readonly wallMs: number;
  /** In steps of 10 ms. */
  readonly cpuMs: number;
  /** The standard output. */
  readonly output: string;
}

/** The last line but one of what `times` prints is the shell itself, the last one its children: user and system time. */
const WITH_TIMES = '"$@"; code=$?; times >&2; exit $code';

/** Runs a command and waits for it; any other end than exit code 0 is thrown. */
export async function timeCommand(command: string, args: readonly string[]): Promise<CommandTime> {
  const begunMs = performance.now();
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', WITH_TIMES, 'sh', command, ...args], {
    maxBuffer: 64 * 1_024 * 1_024,
  });
  const wallMs = performance.now() - begunMs;
  return { wallMs, cpuMs: parseTimes(stderr), output: stdout };
}

/** Milliseconds of user and system time of all children, from what the shell's `times` prints (POSIX.1-2024, `times`). */
export function parseTimes(text: string): number {
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  const match = line.match(/^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/);
  if (match === null) throw new Error(`not a line of times: ${JSON.stringify(line)}`);
  const [userMinutes, userSeconds, systemMinutes, systemSeconds] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  return ((userMinutes + systemMinutes) * 60 + userSeconds + systemSeconds) * 1_000;
}
