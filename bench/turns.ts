import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Turns of the event loops of a gateway's data threads, as `children/turn-probe.ts` writes and benches read them. */
export interface Turn {
  /** On the clock of the machine, `process.hrtime`. */
  readonly endMs: number;
  readonly wallMs: number;
  /** On a core: what others on the machine do is not in it, nor are helper threads of the collector. */
  readonly cpuMs: number;
}

/** A pause in which V8 collected. */
export interface Collection {
  readonly endMs: number;
  readonly wallMs: number;
}

export interface Turns {
  readonly turns: readonly Turn[];
  readonly collections: readonly Collection[];
}

export function turnLine({ endMs, wallMs, cpuMs }: Turn): string {
  return `turn ${endMs.toFixed(3)} ${wallMs.toFixed(3)} ${cpuMs.toFixed(3)}\n`;
}

export function collectionLine({ endMs, wallMs }: Collection): string {
  return `collection ${endMs.toFixed(3)} ${wallMs.toFixed(3)}\n`;
}

/** What all threads wrote so far. */
export function readTurns(folder: string): Turns {
  const turns: Turn[] = [];
  const collections: Collection[] = [];
  for (const name of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1)) {
      const [kind, endMs, wallMs, cpuMs] = line.split(' ');
      if (kind === 'turn') turns.push({ endMs: Number(endMs), wallMs: Number(wallMs), cpuMs: Number(cpuMs) });
      else if (kind === 'collection') collections.push({ endMs: Number(endMs), wallMs: Number(wallMs) });
      else throw new Error(`${name} holds a line that says neither turn nor collection: ${line}`);
    }
  }
  return { turns, collections };
}
