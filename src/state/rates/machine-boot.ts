import { readFileSync } from 'node:fs';

/** The boot of this machine, as the kernel names it: monotonic clocks of one boot agree. '' where that can't be told. */
export function machineBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}
