import { readFileSync } from 'node:fs';
import type { LimitValues } from '../../base/limits.ts';
import type { Clock } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { periodClock } from '../../model/calendar-periods.ts';
import type { Delivery, HistorySettings, TraceSettings } from '../../model/world.ts';
import { type AccessLog, createAccessLog } from '../../observe/access-log.ts';
import { type AlertBus, createAlertBus } from '../../observe/alert-bus.ts';
import { type AlertDeliveries, createAlertDeliveries } from '../../observe/alert-deliveries.ts';
import { createAlertLogDelivery } from '../../observe/alert-log-delivery.ts';
import { createEventLog, type EventLog } from '../../observe/event-log.ts';
import { HISTORY_TURN_MS, HistoryKeeper } from '../../observe/history/history-keeper.ts';
import { post } from '../../observe/http-post.ts';
import { type LogDestination, openLogDestination } from '../../observe/log-destination.ts';
import { createRequestMetrics, type RequestMetrics } from '../../observe/metrics/request-metrics.ts';
import { createRecordDrain, type Every, type RecordDrain } from '../../observe/record-drain.ts';
import { createRecordReader } from '../../observe/record-ring.ts';
import { SEND_EVERY_MS, type TraceExport } from '../../observe/trace-export.ts';
import { createTraffic, type Traffic } from '../../observe/traffic.ts';
import { createWebhookDelivery, type WebhookDelivery } from '../../observe/webhook-delivery.ts';
import { secretBytes } from '../../observe/webhook-signature.ts';
import type { HistoryFile } from '../../state/history-file.ts';
import { VERSION } from '../version.ts';
import { sendTraces } from './told-traces.ts';

/** Everything on the control thread that watches: records, logs, traffic counts, alerts. */
export interface Observation {
  readonly events: EventLog;
  readonly alerts: AlertBus;
  readonly deliveries: AlertDeliveries;
  readonly traffic: Traffic;
  readonly requestMetrics: RequestMetrics;
  readonly accessLog: AccessLog;
  readonly history: HistoryKeeper;
  /** Null where none are recorded. */
  readonly traces: TraceExport | null;
  readonly historyFile: HistoryFile;
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
  /** Closed when the observation stops. */
  readonly historyFile: HistoryFile;
  readonly historySettings: HistorySettings;
  readonly traceSettings: TraceSettings | null;
  /** Webhooks from the first moment on: what is found at a start is an alert, too. */
  readonly deliveries: ReadonlyMap<string, Delivery>;
  /** IANA time zone in which days begin. */
  readonly zone: string;
  readonly clock: Clock;
}

export async function startObservation(options: ObservationOptions): Promise<Result<Observation, string>> {
  const { clock, limits, traceSettings } = options;
  const opened = await openLogDestination({ to: options.logTo, queueBytes: limits.accessLogQueueBytes });
  if (!opened.ok) return err(opened.error);
  const destination = opened.value;
  const events = createEventLog(destination, () => clock.wallMs());
  const traffic = createTraffic(clock);
  const requestMetrics = createRequestMetrics(limits.metricSeries);
  const accessLog = createAccessLog(destination);
  const log = createAlertLogDelivery(events);
  const deliveries = createAlertDeliveries((delivery) => webhookOf(delivery, clock, limits, () => alerts));
  const alerts = createAlertBus({
    clock,
    deliveries: (notice) => [log, ...deliveries.for(notice)],
    openAlertsMax: { gateway: limits.openAlerts, policy: limits.openPolicyAlerts },
  });
  deliveries.use(options.deliveries);
  const history = keepHistory(options, alerts);
  const traces = sendTraces({
    settings: traceSettings,
    version: VERSION,
    spansMax: limits.traceQueueSpans,
    alerts,
  });
  const endTurns = every(HISTORY_TURN_MS, () => history.turn());
  const endSending = every(SEND_EVERY_MS, () => traces?.send());
  const drain = createRecordDrain({
    readers: options.rings.map(createRecordReader),
    consumers: [accessLog, traffic, requestMetrics, history, ...(traces === null ? [] : [traces])],
    every,
  });
  return ok({
    events,
    alerts,
    deliveries,
    traffic,
    requestMetrics,
    accessLog,
    history,
    traces,
    historyFile: options.historyFile,
    drain,
    destination,
    stop: async () => {
      drain.stop();
      endTurns();
      endSending();
      await traces?.stop();
      history.stop();
      await options.historyFile.close();
      await deliveries.stop();
      await destination.end();
    },
  });
}

const AWAY = { kind: 'request-log-not-kept', subject: '' } as const;

/** On a full disk requests are served and not logged: an alert says so. */
function keepHistory(options: ObservationOptions, alerts: AlertBus): HistoryKeeper {
  const { clock, limits, historyFile, historySettings } = options;
  const days = periodClock('day', options.zone);
  if (historyFile.putAside !== null) {
    alerts.raise({
      kind: 'request-log-damaged',
      subject: '',
      severity: 'warning',
      message: `The request log was damaged and is begun anew; what was there is ${historyFile.putAside}.`,
      remedy: 'Delete that file, or keep it for whoever looks into the damage.',
    });
  }
  return new HistoryKeeper({
    store: historyFile,
    clock,
    retention: {
      logBytes: historySettings.logBytes,
      logAgeMs: historySettings.logAgeMs,
      rollupsMs: {
        minute: historySettings.minutesMs,
        hour: historySettings.hoursMs,
        day: historySettings.daysMs,
      },
    },
    requestLogQueueBytes: limits.requestLogQueueBytes,
    rollupNames: limits.rollupNames,
    dayStartMs: (ms) => days.startMs(ms),
    onAway: ({ message, remedy }) =>
      alerts.raise({
        ...AWAY,
        severity: 'warning',
        message: `Requests are served and not logged: ${message}`,
        remedy,
      }),
    onBack: () => alerts.resolve(AWAY),
  });
}

function webhookOf(
  { name, url, secretFile }: Delivery,
  clock: Clock,
  limits: LimitValues,
  alerts: () => AlertBus,
): WebhookDelivery {
  const failing = { kind: 'delivery-failing', subject: name } as const;
  return createWebhookDelivery({
    name,
    clock,
    queueMax: limits.alertDeliveryQueue,
    attemptsMax: limits.alertDeliveryAttempts,
    post: (fields, body) => post(url, fields, body, limits.alertDeliveryMs),
    secret: () => readSecret(secretFile),
    later: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    onFailing: (why) =>
      alerts().raise({
        ...failing,
        severity: 'warning',
        message: `Delivery "${name}" did not take a message, which was given up: ${why}.`,
        remedy: 'Look at the webhook and at its secretFile in portunus.yaml; alerts are in the log, too.',
      }),
    onWorking: () => alerts().resolve(failing),
  });
}

function readSecret(file: string): Result<Uint8Array, string> {
  try {
    const bytes = secretBytes(readFileSync(file, 'utf8'));
    return bytes === null ? err(`the secret in ${file} is too short`) : ok(bytes);
  } catch (error) {
    return err(`its secret can't be read: ${(error as Error).message}`);
  }
}

const every: Every = (intervalMs, callback) => {
  const timer = setInterval(callback, intervalMs);
  return () => clearInterval(timer);
};
