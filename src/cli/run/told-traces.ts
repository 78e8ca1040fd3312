import type { TraceSettings } from '../../model/world.ts';
import type { AlertBus } from '../../observe/alert-bus.ts';
import {
  createTraceExport,
  otlpExporter,
  type TraceExport,
  type TraceExportOptions,
} from '../../observe/trace-export.ts';

interface ToldTraces {
  readonly settings: TraceSettings | null;
  /** Of this software. */
  readonly version: string;
  /** The limit `traceQueueSpans`. */
  readonly spansMax: number;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
}

const UNSENT = { kind: 'traces-not-sent', subject: '' } as const;

/** Traces on their way to the receiver, with an alert while it does not take them; null where none are recorded. */
export function sendTraces(
  { settings, version, spansMax, alerts }: ToldTraces,
  exporterTo: (endpoint: string) => TraceExportOptions['exporter'] = otlpExporter,
): TraceExport | null {
  if (settings === null) return null;
  const { endpoint } = settings;
  return createTraceExport({
    exporter: exporterTo(endpoint),
    version,
    waitingMax: spansMax,
    onFailed: (why) =>
      alerts.raise({
        ...UNSENT,
        severity: 'warning',
        message: `Spans can't be sent to ${endpoint}: ${why}`,
        remedy: 'See to the receiver, or correct `traces:` in portunus.yaml.',
      }),
    onSent: () => alerts.resolve(UNSENT),
  });
}
