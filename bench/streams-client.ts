import { ask } from './conversation.ts';
import { startProgram } from './processes.ts';

/** Clients that hold event streams open; see `children/streams.ts`. */
export interface StreamsSpec {
  readonly port: number;
  readonly path: string;
  /** Sent with POST; null: GET. */
  readonly body: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Streams that `open` opens and keeps. */
  readonly streams: number;
  /** Streams that `firstBytes` opens one after the other. */
  readonly probes: number;
}

/** Of one stream that was opened alone. */
export interface FirstByte {
  /** From the upstream's write to the read here. */
  readonly delayUs: number;
  /** From the request to the read. */
  readonly totalUs: number;
}

export interface StreamsClient {
  readonly open: () => Promise<null>;
  readonly count: () => Promise<{ readonly open: number; readonly eventsRead: number }>;
  /** One per probe. */
  readonly firstBytes: () => Promise<readonly FirstByte[]>;
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
    firstBytes: () => ask<readonly FirstByte[]>(started, 'firstBytes'),
    stop: started.stop,
  };
}
