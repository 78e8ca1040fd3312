import { readdirSync, readFileSync } from 'node:fs';

/** What a process holds at one moment. */
export interface Sample {
  readonly atS: number;
  readonly residentBytes: number;
  /** Without pages of files, which the kernel takes back when it needs them. */
  readonly anonymousBytes: number;
  readonly descriptors: number;
  readonly threads: number;
}

export function takeSample(pid: number, atS: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
  return {
    atS,
    residentBytes: number('VmRSS') * 1_024,
    anonymousBytes: (number('RssAnon') + number('RssShmem')) * 1_024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: number('Threads'),
  };
}
