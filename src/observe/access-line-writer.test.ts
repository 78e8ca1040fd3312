import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessRecord } from '../pipeline/record.ts';
import { accessLine } from './access-line.ts';
import { AccessLineWriter } from './access-line-writer.ts';
import { anyRecord, record } from './record.cases.ts';
import { RecordDecoder } from './record-decoder.ts';
import { RecordEncoder } from './record-encoder.ts';
import { FRAME_BYTES_MAX } from './record-format.ts';

/** Through the bytes of a ring, as on the way to the log. */
function through() {
  const memory = new SharedArrayBuffer(FRAME_BYTES_MAX);
  const encoder = new RecordEncoder(memory, 0, FRAME_BYTES_MAX);
  const decoder = new RecordDecoder(memory, 0, FRAME_BYTES_MAX);
  const writer = new AccessLineWriter(60_000);
  return {
    write(one: AccessRecord): void {
      const bytes = encoder.encode(one, 0, FRAME_BYTES_MAX);
      expect(decoder.decode(0, bytes)).toBe(bytes);
      writer.write(decoder.record, decoder);
    },
    take: () => writer.takeChunk().toString(),
  };
}

const usual = fc.record({
  path: fc.constantFrom('/', '/orders/12345', '/a"b', '/größe'),
  tenant: fc.constantFrom('acme', 'müller', 'a"b'),
  status: fc.constantFrom(200, 404, 0, -1, 2 ** 30, 2 ** 31 - 1),
  responseBytes: fc.oneof(
    fc.maxSafeNat(),
    fc.constantFrom(0, 9, 10, 99, 100, 999_999_999, 1e9, 2 ** 30, 2 ** 31),
  ),
  decidedUs: fc.oneof(fc.constant(-1), fc.nat(), fc.double()),
  timeMs: fc.constantFrom(1_795_456_000_123, 1_795_456_000_124, Number.NaN),
  traceId: fc.constantFrom('', '4bf92f3577b34da6a3ce929d0e0e4736'),
  clientAborted: fc.boolean(),
  inputTokens: fc.constantFrom(-1, 10),
});

describe('the writer of access lines', () => {
  it('writes what the plain way writes, line after line', () => {
    const { write, take } = through();
    const any = fc.oneof(anyRecord, usual.map(record));
    fc.assert(
      fc.property(fc.array(any, { maxLength: 5 }), (records) => {
        for (const one of records) write(one);
        expect(take()).toBe(records.map(accessLine).join(''));
      }),
      { numRuns: 500 },
    );
  });

  it('hands out chunks that later lines leave alone', () => {
    const { write, take } = through();
    write(record({ path: '/first' }));
    const first = take();
    write(record({ path: '/second' }));
    expect(first).toContain('/first');
    expect(take()).toContain('/second');
    expect(take()).toBe('');
  });
});
