import type { LimitValues } from '../../base/limits.ts';
import type { Clock } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type AccessLog, createAccessLog } from '../../observe/access-log.ts';
import { type AlertBus, createAlertBus } from '../../observe/alert-bus.ts';
import { createAlertLogDelivery } from '../../observe/alert-log-delivery.ts';
import { createEventLog, type EventLog } from '../../observe/event-log.ts';
import { type LogDestination, openLogDestination } from '../../observe/log-destination.ts';
import { createRecordDrain, type Every, type RecordDrain } from '../../observe/record-drain.ts';
import { createRecordReader } from '../../observe/record-ring.ts';
import { createTraffic, type Traffic } from '../../observe/traffic.ts';

/** Everything on the control thread that watches: records, logs, traffic counts, alerts. */
export interface Observation {
  readonly events: EventLog;
  readonly alerts: AlertBus;
  readonly traffic: Traffic;
  readonly accessLog: AccessLog;
  readonly drain: RecordDrain;
  readonly destination: LogDestination;
  /** Call after the data threads have ended: hands over what is left and closes the log. */
  stop(): Promise<void>;
}

export interface ObservationOptions {
  /** Where access records and events go. */
  readonly logTo: 'stdout' | { readonly file: string };
  readonly rings: readonly SharedArrayBuffer[];
  readonly limits: LimitValues;
  readonly clock: Clock;
}

export async function startObservation(options: ObservationOptions): Promise<Result<Observation, string>> {
  const { clock, limits } = options;
  const opened = await openLogDestination({ to: options.logTo, queueBytes: limits.accessLogQueueBytes });
  if (!opened.ok) return err(opened.error);
  const destination = opened.value;
  const events = createEventLog(destination, () => clock.wallMs());
  const traffic = createTraffic(clock);
  const accessLog = createAccessLog(destination);
  const drain = createRecordDrain({
    readers: options.rings.map(createRecordReader),
    consumers: [accessLog, traffic],
    every,
  });
  return ok({
    events,
    alerts: createAlertBus({
      clock,
      deliveries: [createAlertLogDelivery(events)],
      openAlertsMax: limits.openAlerts,
    }),
    traffic,
    accessLog,
    drain,
    destination,
    stop: async () => {
      drain.stop();
      await destination.end();
    },
  });
}

const every: Every = (intervalMs, callback) => {
  const timer = setInterval(callback, intervalMs);
  return () => clearInterval(timer);
};
