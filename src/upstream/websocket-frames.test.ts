import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientFrame, closePayload, isSendable, OPCODE, ServerFrames } from './websocket-frames.ts';

/** What a reader of at most 1,000 bytes a message makes of these pieces. */
function read(pieces: readonly Uint8Array[]): readonly string[] {
  const events: string[] = [];
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
  const frames = new ServerFrames(1_000, {
    onMessage: (payload, kind) => events.push(`${kind} ${text(payload)}`),
    onPing: (payload) => events.push(`ping ${text(payload)}`),
    onPong: () => events.push('pong'),
    onClose: (code, reason) => events.push(`close ${code} ${reason}`),
  });
  for (const piece of pieces) if (!frames.read(piece)) break;
  if (frames.fault !== null) events.push(`fault ${frames.fault.code}: ${frames.fault.words}`);
  return events;
}

/** A frame as servers send it; `first` is FIN, reserved bits and opcode. */
function frame(first: number, payload: Uint8Array | string, form: 'short' | '16' | '64' = 'short'): Buffer {
  const bytes = Buffer.from(payload as string);
  const length = Buffer.alloc(form === '16' ? 3 : 9);
  if (form === '16') length.writeUInt16BE(bytes.length, 1);
  else length.writeBigUInt64BE(BigInt(bytes.length), 1);
  length[0] = form === '16' ? 126 : 127;
  return Buffer.concat([Buffer.of(first), form === 'short' ? Buffer.of(bytes.length) : length, bytes]);
}

const CASES: readonly (readonly [name: string, bytes: Buffer, expected: readonly string[]])[] = [
  ['a text', frame(0x81, 'hello'), ['text hello']],
  ['nothing', frame(0x82, ''), ['binary ']],
  ['a length in 16 bits', frame(0x82, 'x'.repeat(200), '16'), [`binary ${'x'.repeat(200)}`]],
  ['a length in 64 bits', frame(0x82, 'abc', '64'), ['binary abc']],
  [
    'parts, with a ping between',
    Buffer.concat([frame(0x01, 'a'), frame(0x89, 'p'), frame(0x00, 'b'), frame(0x80, 'c'), frame(0x81, 'd')]),
    ['ping p', 'text abc', 'text d'],
  ],
  [
    'parts of nothing',
    Buffer.concat([
      frame(0x01, 'a'),
      ...Array.from({ length: 500 }, () => frame(0x00, '')),
      frame(0x80, 'b'),
    ]),
    ['text ab'],
  ],
  ['a pong', frame(0x8a, 'x'), ['pong']],
  ['a close', frame(0x88, Buffer.concat([Buffer.of(0x0f, 0xa1), Buffer.from('bye')])), ['close 4001 bye']],
  ['a close without a code', Buffer.concat([frame(0x88, ''), frame(0x81, 'more')]), ['close 1005 ']],
  [
    'a character in two parts',
    Buffer.concat([frame(0x01, Buffer.of(0xc3)), frame(0x80, Buffer.of(0xa9))]),
    ['text Ã©'],
  ],
  ['no UTF-8', frame(0x81, Buffer.of(0xff)), ['fault 1007: a text is not UTF-8']],
  ['no UTF-8, but binary', frame(0x82, Buffer.of(0xff)), ['binary ÿ']],
  ['reserved bits', frame(0xc1, 'a'), ['fault 1002: reserved bits are set']],
  ['a mask', Buffer.of(0x81, 0x81, 0, 0, 0, 0, 97), ['fault 1002: a server masks its frames']],
  ['opcode 3', frame(0x83, ''), ['fault 1002: the opcode 3 is not defined']],
  ['opcode 11', frame(0x8b, ''), ['fault 1002: the opcode 11 is not defined']],
  ['a ping in parts', frame(0x09, ''), ['fault 1002: a control frame is too long or in parts']],
  [
    'a long ping',
    frame(0x89, 'x'.repeat(126), '16'),
    ['fault 1002: a control frame is too long or in parts'],
  ],
  [
    'a part of nothing',
    frame(0x80, 'a'),
    ['fault 1002: a message begins within another, or goes on before it began'],
  ],
  [
    'a message within another',
    Buffer.concat([frame(0x01, 'a'), frame(0x81, 'b')]),
    ['fault 1002: a message begins within another, or goes on before it began'],
  ],
  ['too large', frame(0x82, 'x'.repeat(1_001), '16'), ['fault 1009: a message is larger than 1000 bytes']],
  [
    'too large in parts',
    Buffer.concat([frame(0x02, 'x'.repeat(600), '16'), frame(0x80, 'x'.repeat(401), '16')]),
    ['fault 1009: a message is larger than 1000 bytes'],
  ],
  ['half a close code', frame(0x88, 'a'), ['fault 1002: a close has no possible code']],
  [
    'a close code that is never sent',
    frame(0x88, Buffer.of(0x03, 0xee)),
    ['fault 1002: a close has no possible code'],
  ],
];

describe('frames of a server', () => {
  test.each(CASES)('%s', (_, bytes, expected) => {
    expect(read([bytes])).toEqual(expected);
  });

  test.each(CASES)('%s, byte by byte and in every split', (_, bytes, expected) => {
    expect(read([...bytes].map((byte) => Buffer.of(byte)))).toEqual(expected);
    for (let at = 1; at < Math.min(bytes.length, 300); at++)
      expect(read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected);
  });

  test('any bytes in any pieces: nothing throws, and pieces don’t matter', () => {
    const piece = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        expect(read(pieces)).toEqual(read([Buffer.concat(pieces)]));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('frames of a client', () => {
  test.each([0, 1, 125, 126, 65_535, 65_536])('of %i bytes', (length) => {
    const payload = Buffer.alloc(length, 'abcde');
    const bytes = clientFrame(OPCODE.binary, payload, 0x01020304);
    const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    expect(bytes.length).toBe(head + 4 + length);
    expect([...bytes.subarray(head, head + 4)]).toEqual([1, 2, 3, 4]);
    const unmasked = bytes.subarray(head + 4).map((byte, index) => byte ^ bytes[head + (index & 3)]!);
    expect(Buffer.from(unmasked).equals(payload)).toBe(true);
    expect(bytes[0]).toBe(0x82);
    expect(bytes[1]! & 0x80).toBe(0x80);
  });

  test('what is said at a close', () => {
    expect([...closePayload(1000, 'x')]).toEqual([0x03, 0xe8, 120]);
    expect(closePayload(1006, 'x')).toHaveLength(0);
    expect(closePayload(4000, 'x'.repeat(200))).toHaveLength(125);
    expect([1000, 1004, 1005, 1006, 1015, 2999, 3000, 4999, 5000].filter(isSendable)).toEqual([
      1000, 3000, 4999,
    ]);
  });
});
