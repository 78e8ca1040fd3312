import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { expect, it } from 'vitest';
import { record } from './record.cases.ts';
import { createTraceExport } from './trace-export.ts';

class TestExporter implements SpanExporter {
  readonly sent: ReadableSpan[][] = [];
  fails = false;
  ended = false;
  #answer: (() => void) | null = null;

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.sent.push(spans);
    const { fails } = this;
    this.#answer = () => done(fails ? { code: 1, error: new Error('nobody listens') } : { code: 0 });
  }
  async answer(): Promise<void> {
    this.#answer?.();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
  }
  shutdown(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }
}

function rig(waitingMax: number) {
  const exporter = new TestExporter();
  const told: string[] = [];
  const traces = createTraceExport({
    exporter,
    version: '1',
    waitingMax,
    onFailed: (why) => told.push(why),
    onSent: () => told.push('sent'),
  });
  const accept = (): void =>
    traces.accept(record({ requestId: '00f067aa0ba902b7', traceSampled: true }), null);
  return { exporter, told, traces, accept };
}

it('sends one part at a time, and keeps a bounded number of spans while it waits', async () => {
  const { exporter, told, traces, accept } = rig(6);
  accept();
  traces.accept(record({ traceSampled: false }), null);
  traces.send();
  expect(exporter.sent.map((spans) => spans.length)).toEqual([2]);
  for (let i = 0; i < 5; i++) accept();
  traces.send();
  expect([exporter.sent.length, traces.lost, traces.waiting]).toEqual([1, 4, 6]);
  await exporter.answer();
  traces.send();
  expect(exporter.sent.map((spans) => spans.length)).toEqual([2, 6]);
  expect(told).toEqual(['sent']);
});

it('keeps what is of each record, which is filled anew for the next', () => {
  const { exporter, traces } = rig(100);
  const filled = { ...record({ traceSampled: true, parentSpanId: '00f067aa0ba902b7' }) };
  const traceIds = ['1', '2'].map((digit) => digit.repeat(32));
  for (const [index, traceId] of traceIds.entries()) {
    Object.assign(filled, { traceId, requestId: `00f067aa0ba9020${index}` });
    traces.accept(filled, null);
  }
  traces.send();
  const told = exporter.sent[0]!.map((span) => [span.spanContext().traceId, span.parentSpanContext?.traceId]);
  const [first, second] = traceIds.map((traceId) => [traceId, traceId]);
  expect(told).toEqual([first, first, second, second]);
});

it('says why spans are not taken, and counts them', async () => {
  const { exporter, told, traces, accept } = rig(100);
  exporter.fails = true;
  accept();
  traces.send();
  await exporter.answer();
  expect([told, traces.lost]).toEqual([['nobody listens.'], 2]);
});
