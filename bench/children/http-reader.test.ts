import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldPattern, HttpReader } from './http-reader.ts';

interface Message {
  startLine: string;
  fields: string;
  body: string;
  ended: boolean;
}

/** What a reader makes of bytes that come in the given pieces. */
function read(pieces: readonly Buffer[]): { messages: Message[]; isIdle: boolean } {
  const messages: Message[] = [];
  const reader = new HttpReader({
    head: (startLine, fields) => messages.push({ startLine, fields, body: '', ended: false }),
    body: (part) => {
      messages.at(-1)!.body += part.toString('latin1');
    },
    end: () => {
      messages.at(-1)!.ended = true;
    },
  });
  for (const piece of pieces) reader.push(piece);
  return { messages, isIdle: reader.isIdle };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const borders = [0, ...places.map((place) => place % bytes.length).toSorted((a, b) => a - b), bytes.length];
  return borders.slice(1).map((border, index) => bytes.subarray(borders[index], border));
}

const WITH_LENGTH = 'HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED =
  'HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n';
const NO_BODY = 'GET /v1/items/1 HTTP/1.1\r\nhost: a\r\n\r\n';

describe('the HTTP reader', () => {
  it('reads messages with a length, with chunks and without a body, one after the other', () => {
    const { messages, isIdle } = read([Buffer.from(WITH_LENGTH + CHUNKED + NO_BODY + CHUNKED)]);
    expect(messages.map(({ body }) => body)).toEqual(['hello', 'abc0123456789', '', 'abc0123456789']);
    expect(messages.every(({ ended }) => ended)).toBe(true);
    expect(messages[0]).toMatchObject({
      startLine: 'HTTP/1.1 200 OK',
      fields: '\r\nDate: x\r\nContent-Length: 5',
    });
    expect(isIdle).toBe(true);
  });

  it('reads the same however the bytes are cut', () => {
    const parts = fc.array(fc.constantFrom(WITH_LENGTH, CHUNKED, NO_BODY), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(parts, fc.array(fc.nat(), { maxLength: 30 }), (texts, places) => {
        const bytes = Buffer.from(texts.join(''));
        expect(read(cut(bytes, places))).toEqual(read([bytes]));
      }),
    );
  });

  it('is not idle inside a message', () => {
    for (let length = 1; length < CHUNKED.length; length++) {
      expect(read([Buffer.from(CHUNKED.slice(0, length))]).isIdle).toBe(false);
    }
  });

  it.each([
    ['an answer without framing', 'HTTP/1.1 200 OK\r\nDate: x\r\n\r\n'],
    [
      'length and chunks together',
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    ['a chunk size that is no number', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['a chunk without CRLF', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX'],
  ])('refuses %s', (_, text) => {
    expect(() => read([Buffer.from(text)])).toThrow();
  });

  it('finds a field whatever the case of its name, and only a whole name', () => {
    const fields = '\r\nX-Id: 1\r\nid:  two \r\nLast: 3';
    expect(fieldPattern('id').exec(fields)?.[1]).toBe('two');
    expect(fieldPattern('last').exec(fields)?.[1]).toBe('3');
    expect(fieldPattern('d').exec(fields)).toBeNull();
  });
});
