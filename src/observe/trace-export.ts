import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { AccessRecord } from '../pipeline/record.ts';
import type { RecordConsumer } from './record-drain.ts';
import { spansOf } from './trace-spans.ts';

/** Makes spans of sampled records and sends them, without ever waiting: what there is no room for is counted and gone. */
export interface TraceExport extends RecordConsumer {
  /** To be called each {@link SEND_EVERY_MS}. */
  send(): void;
  /** Sends what waits, once, and ends. */
  stop(): Promise<void>;
  /** Spans that are to be sent. */
  readonly waiting: number;
  /** Spans that there was no room for, or that the receiver did not take. */
  readonly lost: number;
}

export interface TraceExportOptions {
  readonly exporter: SpanExporter;
  readonly version: string;
  /** The limit `traceQueueSpans`. */
  readonly waitingMax: number;
  /** One sentence, with each failed try; and when spans have been taken. */
  readonly onFailed: (why: string) => void;
  readonly onSent: () => void;
}

export const SEND_EVERY_MS = 1_000;
/** As many as OpenTelemetry's own processor sends at a time. */
const SENT_MAX = 512;
/** The exporter repeats what may be repeated within this time. */
const SEND_MS_MAX = 5_000;

export function otlpExporter(endpoint: string): SpanExporter {
  return new OTLPTraceExporter({ url: endpoint, timeoutMillis: SEND_MS_MAX });
}

export function createTraceExport(options: TraceExportOptions): TraceExport {
  return new QueuedSpans(options);
}

class QueuedSpans implements TraceExport {
  readonly #options: TraceExportOptions;
  readonly #resource;
  #waiting: ReadableSpan[] = [];
  #sending: Promise<void> | null = null;
  lost = 0;

  constructor(options: TraceExportOptions) {
    this.#options = options;
    this.#resource = resourceFromAttributes({
      'service.name': 'portunus',
      'service.version': options.version,
    });
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  accept(record: AccessRecord): void {
    if (!record.traceSampled) return;
    const spans = spansOf(record, this.#resource, this.#options.version);
    if (this.#waiting.length + spans.length > this.#options.waitingMax) this.lost += spans.length;
    else this.#waiting.push(...spans);
  }

  endBatch(): void {
    if (this.#waiting.length >= SENT_MAX) this.send();
  }

  send(): void {
    if (this.#sending !== null || this.#waiting.length === 0) return;
    this.#sending = this.#send(this.#waiting.splice(0, SENT_MAX)).finally(() => {
      this.#sending = null;
    });
  }

  async stop(): Promise<void> {
    await this.#sending;
    while (this.#waiting.length > 0) {
      const lost = this.lost;
      await this.#send(this.#waiting.splice(0, SENT_MAX));
      // A receiver that is away is not waited for with each part.
      if (this.lost > lost) break;
    }
    await this.#options.exporter.shutdown();
  }

  #send(spans: ReadableSpan[]): Promise<void> {
    return new Promise((resolve) => {
      this.#options.exporter.export(spans, ({ code, error }) => {
        if (code === SUCCESS) this.#options.onSent();
        else {
          this.lost += spans.length;
          this.#options.onFailed(`${error?.message ?? 'no reason is given'}.`);
        }
        resolve();
      });
    });
  }
}

/** `ExportResultCode.SUCCESS`. */
const SUCCESS = 0;
