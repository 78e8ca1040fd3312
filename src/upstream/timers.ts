/** Calls `run` once after `delayMs`, unless what it returns is called before. Tests drive it by hand. */
export type After = (delayMs: number, run: () => void) => () => void;

export const timerAfter: After = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};
