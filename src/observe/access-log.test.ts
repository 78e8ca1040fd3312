import { describe, expect, it } from 'vitest';
import { createAccessLog } from './access-log.ts';
import type { LogDestination } from './log-destination.ts';
import { record } from './record.cases.ts';

function destination(answer: () => 'taken' | 'full') {
  const texts: string[] = [];
  const port: LogDestination = {
    lastError: null,
    queuedBytes: 0,
    end: () => Promise.resolve(),
    write(text) {
      const verdict = answer();
      if (verdict === 'taken') texts.push(text.toString());
      return verdict;
    },
  };
  return { port, texts, lines: () => texts.join('').split('\n').filter(Boolean) };
}

describe('the access log', () => {
  it('writes one line for each record, once for each batch', () => {
    const { port, texts, lines } = destination(() => 'taken');
    const log = createAccessLog(port);
    for (const requestId of ['a', 'b', 'c']) log.accept(record({ requestId }), null);
    expect(texts).toHaveLength(0);
    log.endBatch();
    expect(texts).toHaveLength(1);
    expect(lines().map((line) => JSON.parse(line)['portunus.request_id'])).toEqual(['a', 'b', 'c']);
    expect(log.counts).toEqual({ written: 3, dropped: 0 });
    log.endBatch();
    expect(texts).toHaveLength(1);
  });

  it('hands over in pieces, so that no batch becomes one huge text', () => {
    const { port, texts, lines } = destination(() => 'taken');
    const log = createAccessLog(port);
    for (let index = 0; index < 1_000; index++) log.accept(record(), null);
    log.endBatch();
    expect(texts.length).toBeGreaterThan(5);
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThan(80_000);
    expect(lines()).toHaveLength(1_000);
  });

  it('drops whole lines and counts them while the destination is full, and goes on after that', () => {
    let verdict: 'taken' | 'full' = 'full';
    const { port, lines } = destination(() => verdict);
    const log = createAccessLog(port);
    for (let index = 0; index < 250; index++) log.accept(record({ requestId: 'lost' }), null);
    log.endBatch();
    expect(log.counts).toEqual({ written: 0, dropped: 250 });
    verdict = 'taken';
    log.accept(record({ requestId: 'kept' }), null);
    log.endBatch();
    expect(log.counts).toEqual({ written: 1, dropped: 250 });
    expect(lines().map((line) => JSON.parse(line)['portunus.request_id'])).toEqual(['kept']);
  });
});
