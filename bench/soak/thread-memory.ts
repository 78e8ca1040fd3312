import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What one thread accounts for, in bytes, as `children/memory-probe.ts` writes and the soak reads it. */
export interface ThreadMemory {
  /** On the clock of the machine, `process.hrtime`. */
  readonly atMs: number;
  readonly heapUsed: number;
  /** Beside the heap, for objects in it. */
  readonly external: number;
  /** Shared ones too, at the size that they were made with: pages that nobody touched count. */
  readonly arrayBuffers: number;
}

export function memoryLine({ atMs, heapUsed, external, arrayBuffers }: ThreadMemory): string {
  return `${atMs.toFixed(0)} ${heapUsed} ${external} ${arrayBuffers}\n`;
}

/** By thread. A last line that is still being written is left out. */
export function readThreadMemory(folder: string): ReadonlyMap<string, readonly ThreadMemory[]> {
  return new Map(
    readdirSync(folder).map((name) => {
      const lines = readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
      return [
        name,
        lines.map((line) => {
          const [atMs, heapUsed, external, arrayBuffers] = line.split(' ').map(Number);
          return { atMs: atMs!, heapUsed: heapUsed!, external: external!, arrayBuffers: arrayBuffers! };
        }),
      ];
    }),
  );
}
