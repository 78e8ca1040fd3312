import { ask } from './conversation.ts';
import { startProgram } from './processes.ts';

/** Clients that hold event streams open; see `children/streams.ts`. */
export interface StreamsSpec {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Streams that `open` opens and keeps. */
  readonly streams: number;
  /** Streams that `firstBytes` opens one after the other. */
  readonly probes: number;
}

export interface StreamsClient {
  readonly open: () => Promise<null>;
  readonly count: () => Promise<{ readonly open: number; readonly eventsRead: number }>;
  /** Microseconds from the upstream's first byte to its arrival, one per probe. */
  readonly firstBytes: () => Promise<readonly number[]>;
  readonly stop: () => Promise<void>;
}

export function startStreamsClient(spec: StreamsSpec, folder: string): StreamsClient {
  const started = startProgram(import.meta.resolve('./children/streams.js'), {
    name: 'streams',
    args: [JSON.stringify(spec)],
    folder,
    core: null,
  });
  return {
    open: () => ask<null>(started, 'open'),
    count: () => ask(started, 'count'),
    firstBytes: () => ask<readonly number[]>(started, 'firstBytes'),
    stop: started.stop,
  };
}
