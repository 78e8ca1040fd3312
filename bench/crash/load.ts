import { ask } from '../conversation.ts';
import { startProgram } from '../processes.ts';

/** Clients that ask for counted routes at full rate, in a process of their own. */
export interface CrashLoadSpec {
  readonly port: number;
  readonly group: number;
  readonly seed: number;
  /** The key of each consumer. */
  readonly keys: Readonly<Record<string, string>>;
  /** Clients that ask for everything but streams, each again as soon as it has its answer. */
  readonly clients: number;
  /** Clients that ask for streams alone. */
  readonly streams: number;
}

/** What came back on one route since the last look. */
export interface Tally {
  readonly admitted: number;
  readonly refused: number;
}

export interface LoadTally {
  readonly routes: Readonly<Record<string, Tally>>;
  /** Answers that no rule gives, by status and code, with their number. */
  readonly unexpected: Readonly<Record<string, number>>;
  /** Requests sent of which nothing has come back, by route. */
  readonly outstanding: Readonly<Record<string, number>>;
}

export interface CrashLoad {
  readonly begin: () => Promise<null>;
  /** Drops every connection. */
  readonly halt: () => Promise<LoadTally>;
  readonly tally: () => Promise<LoadTally>;
  /** Sends nothing more, and waits until all is answered but the ends of streams. */
  readonly quiet: () => Promise<LoadTally>;
  /** Sends nothing more and waits for what is on its way. */
  readonly finish: () => Promise<LoadTally>;
  /** One request after the other on each counter, until it refuses: nothing else is reserved. */
  readonly exhaust: () => Promise<LoadTally>;
  readonly stop: () => Promise<void>;
}

export function startCrashLoad(spec: CrashLoadSpec, folder: string): CrashLoad {
  const started = startProgram(import.meta.resolve('../children/crash-load.js'), {
    name: 'crash-load',
    args: [JSON.stringify(spec)],
    folder,
    core: null,
  });
  return {
    begin: () => ask<null>(started, 'begin'),
    halt: () => ask<LoadTally>(started, 'halt'),
    tally: () => ask<LoadTally>(started, 'tally'),
    quiet: () => ask<LoadTally>(started, 'quiet'),
    finish: () => ask<LoadTally>(started, 'finish'),
    exhaust: () => ask<LoadTally>(started, 'exhaust'),
    stop: started.stop,
  };
}
