import pino from 'pino';
import type { LogDestination } from './log-destination.ts';

/** What happens to the gateway itself – started, reloaded, an alert – as opposed to what happens to requests. */
export interface EventLog {
  write(level: EventLevel, message: string, fields?: EventFields): void;
}

export type EventLevel = 'info' | 'warn' | 'error';
/** Never a key, a token or a body. */
export type EventFields = Readonly<Record<string, string | number | boolean | null>>;

/** An event log that shares its destination with the access log: one stream, told apart by `msg`. */
export function createEventLog(destination: LogDestination, wallMs: () => number): EventLog {
  const logger = pino({ base: null, timestamp: () => `,"time":${wallMs()}` }, destination);
  return {
    write(level, message, fields) {
      logger[level](fields ?? {}, message);
    },
  };
}
