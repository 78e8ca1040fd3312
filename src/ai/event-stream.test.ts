import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStream, eventData } from './event-stream.ts';

const BYTES_MAX = 10_000;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function cut(text: string, at: readonly number[]): { events: string[]; rest: string } {
  const bytes = encode(text);
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const stream = new EventStream(BYTES_MAX);
  const events: string[] = [];
  for (let nth = 1; nth < places.length; nth++) {
    const piece = Buffer.from(bytes.subarray(places[nth - 1], places[nth]));
    events.push(...stream.push(piece).map(decode));
    // as the next read does
    piece.fill('#');
  }
  return { events, rest: decode(stream.end()) };
}

describe('an event stream', () => {
  it.each([
    ['data: a\n\ndata: b\n\n', ['data: a\n\n', 'data: b\n\n'], ''],
    ['data: a\r\n\r\ndata: b\r\n\r\n', ['data: a\r\n\r\n', 'data: b\r\n\r\n'], ''],
    ['data: a\r\rdata: b', ['data: a\r\r'], 'data: b'],
    [': ping\n\n', [': ping\n\n'], ''],
    ['data: a\ndata: b\n\n', ['data: a\ndata: b\n\n'], ''],
    ['', [], ''],
  ])('%j', (text, events, rest) => {
    expect(cut(text, [])).toEqual({ events, rest });
  });

  it('is cut the same, and lost nowhere, in whatever pieces it comes', () => {
    const line = fc.constantFrom('data: x', 'data:', 'event: e', ': c', 'data: ü€', '');
    const end = fc.constantFrom('\n', '\r\n', '\r');
    const stream = fc.array(fc.tuple(line, end), { maxLength: 12 });
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 8 }), (lines, at) => {
        const text = lines.map(([content, ending]) => content + ending).join('');
        const whole = cut(text, []);
        const pieces = cut(text, at);
        expect([...pieces.events, pieces.rest].join('')).toBe(text);
        const data = (events: readonly string[]) => events.map((event) => eventData(encode(event)));
        expect(data(pieces.events)).toEqual(data(whole.events));
      }),
      { numRuns: 2_000 },
    );
  });

  it('ends at its bound', () => {
    const stream = new EventStream(10);
    expect(stream.push(encode('data: 1\n\ndata: 0123456789')).map(decode)).toEqual(['data: 1\n\n']);
    expect(stream.isTooLong).toBe(true);
    expect(decode(stream.end())).toBe('data: 0123456789');
  });
});

describe('the data of an event', () => {
  it.each([
    ['data: {"a":1}\n\n', '{"a":1}'],
    ['data:x\ndata: y\n\n', 'x\ny'],
    ['event: ping\n\n', null],
    [': comment\n\n', null],
    ['data\n\n', ''],
  ])('%j', (event, data) => {
    expect(eventData(encode(event))).toBe(data);
  });
});
