import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '../ai/operations.ts';
import { AS_THE_DIALECT } from '../ai/usage-fields.cases.ts';
import type { CallOperation } from '../model/route-calls.ts';
import { AnswerUsage } from './answer-usage.ts';

const CHUNK = '{"choices":[{"index":0,"delta":{"content":"\\"usage\\":{} \u00e9"}}],"usage":null}';
const TELLS = '{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}';
const of = (...events: readonly string[]): string => events.map((data) => `data: ${data}\n\n`).join('');
const WHOLE = of(CHUNK, CHUNK, TELLS, '[DONE]');

function pass(
  pieces: readonly Buffer[],
  hidesUsage: boolean,
): { readonly out: string; readonly usage: unknown } {
  const answer = new AnswerUsage({
    operation: OPERATIONS['openai/chat'],
    usageFields: AS_THE_DIALECT,
    isEventStream: true,
    choices: 1,
    isRead: true,
    hidesUsage,
    untilClose: false,
    secret: 'sk-secret',
    bytesMax: 1_000,
  });
  const out = pieces.map((piece, index) => Buffer.from(answer.pass(piece, index === pieces.length - 1)));
  return { out: Buffer.concat(out).toString('utf8'), usage: answer.usage };
}

const readAs = (stream: string): string => stream.replaceAll(/\r\n?/g, '\n').replaceAll(/\n{3,}/g, '\n\n');

it('tells the usage and hides its event alone, wherever a stream is cut and however its lines end', () => {
  for (const text of [WHOLE, WHOLE.replaceAll('\n', '\r\n'), WHOLE.replaceAll('\n', '\r')]) {
    const bytes = Buffer.from(text);
    const hidden = bytes
      .toString('utf8')
      .split('data: ')
      .filter((event) => !event.startsWith(TELLS))
      .join('data: ');
    for (let at = 0; at <= bytes.length; at++) {
      const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
      for (const [hides, expected] of [
        [true, hidden],
        [false, text],
      ] as const) {
        const { out, usage } = pass(pieces, hides);
        // The LF of a CRLF that is cut there goes with the event behind it: a bare CR ends a line as well. Behind a hidden event it is
        // one blank line more, which means nothing.
        expect([at, readAs(out)]).toEqual([at, readAs(expected)]);
        expect(usage).toMatchObject({ inputTokens: 7, outputTokens: 3 });
      }
    }
  }
});

it('passes events that come whole as the very bytes that came', () => {
  const piece = Buffer.from(of(CHUNK));
  const answer = new AnswerUsage({
    operation: OPERATIONS['openai/chat'],
    usageFields: AS_THE_DIALECT,
    isEventStream: true,
    choices: 1,
    isRead: true,
    hidesUsage: true,
    untilClose: false,
    secret: 'sk-secret',
    bytesMax: 1_000,
  });
  expect(answer.pass(piece, false)).toBe(piece);
});

/** Of an answer that is no stream, in pieces of 300 bytes. */
function whole(answer: unknown, operation: CallOperation, isRead = true): AnswerUsage {
  const read = new AnswerUsage({
    ...{
      operation: OPERATIONS[operation],
      usageFields: AS_THE_DIALECT,
      isEventStream: false,
      choices: 1,
      isRead,
      hidesUsage: false,
      untilClose: false,
      secret: 'sk-secret',
      bytesMax: 1_000,
    },
  });
  const text = Buffer.from(JSON.stringify(answer));
  for (let at = 0; at < text.length; at += 300) {
    const piece = Buffer.from(text.subarray(at, at + 300));
    expect(read.pass(piece, at + 300 >= text.length)).toBe(piece);
    // whoever brings the pieces reads the next one into the same memory
    piece.fill(0);
  }
  return read;
}

const TOLD = { input_tokens: 7, output_tokens: 3 };

it('reads what a picture took at the end of an answer that is too long to hold', () => {
  const picture = 'x'.repeat(9_000);
  for (const length of [0, 500, 3_000, 3_001, 3_299])
    expect(
      whole({ data: [{ b64_json: picture + 'y'.repeat(length) }], usage: TOLD, size: 'l' }, 'openai/images')
        .usage,
    ).toMatchObject({ inputTokens: 7, outputTokens: 3 });
  const said = '"usage":{"input_tokens":9}';
  expect(whole({ usage: TOLD, data: [picture, said] }, 'openai/images').usage).toBeNull();
  expect(whole({ data: [picture, { usage: TOLD }] }, 'openai/images').usage).toBeNull();
});

it('reads no sound, and searches where they are told', () => {
  expect(whole({ usage: TOLD }, 'openai/speech', false).usage).toBeNull();
  expect(whole({ usage: TOLD }, 'openai/speech').usage).toMatchObject({ inputTokens: 7 });
  const told = whole({ meta: { billed_units: { search_units: 3 } } }, 'openai/rerank');
  expect([told.searches, told.usage]).toEqual([3, null]);
  expect(whole({ usage: { total_tokens: 5 } }, 'openai/rerank')).toMatchObject({
    ...{ searches: null, usage: { inputTokens: 5, outputTokens: 0 } },
  });
});

it('reads the events before one that is too long to be read, in whatever pieces they come', () => {
  const long = `data: {"choices":[{"delta":{"content":"${'x'.repeat(1_100)}"}}]}\n\n`;
  const bytes = Buffer.from(of(CHUNK, TELLS) + long + of('[DONE]'));
  for (const at of [10, 150, 400, bytes.length - 20, bytes.length]) {
    const { out, usage } = pass([bytes.subarray(0, at), bytes.subarray(at)], true);
    expect([at, out]).toEqual([at, of(CHUNK) + long + of('[DONE]')]);
    expect(usage).toMatchObject({ inputTokens: 7, outputTokens: 3 });
  }
});

describe('of a stream that ends', () => {
  const end = (operation: 'openai/chat' | 'openai/responses', stream: string, untilClose = false) => {
    const answer = new AnswerUsage({
      operation: OPERATIONS[operation],
      isEventStream: true,
      choices: 1,
      isRead: true,
      usageFields: AS_THE_DIALECT,
      hidesUsage: false,
      untilClose,
      secret: 'sk-secret',
      bytesMax: 1_000,
    });
    const passed = Buffer.from(answer.pass(Buffer.from(stream), true)).toString();
    return { passed, isCut: answer.isCut };
  };

  it.each([
    ['openai/chat', of(CHUNK), false, false],
    ['openai/chat', of(CHUNK), true, true],
    ['openai/chat', of(CHUNK, '[DONE]'), true, false],
    ['openai/chat', `${of(CHUNK)}: a comment`, false, false],
    ['openai/chat', `${of(CHUNK)}data: {"choices"`, false, true],
    ['openai/responses', of('{"type":"response.created"}'), false, true],
    ['openai/responses', of('{"type":"response.cancelled"}'), false, false],
  ] as const)(
    '%s %j, until the connection closes: %s, something is missing: %s',
    (operation, stream, untilClose, isCut) => {
      expect(end(operation, stream, untilClose).isCut).toBe(isCut);
    },
  );

  it('with an error that repeats the secret says another one', () => {
    for (const said of ['sk-secret', 'sk\\u002dsecret', Buffer.from('sk-secret').toString('base64')]) {
      const { passed } = end('openai/chat', of(CHUNK, `{"error":{"message":"Not with ${said}"}}`));
      expect(passed).toContain('words that may not be passed on');
      expect(passed.startsWith(of(CHUNK))).toBe(true);
      expect(passed).not.toContain(said);
    }
    expect(end('openai/chat', of('{"error":{"message":"Not you"}}')).passed).toContain('Not you');
  });

  it('without the blank line of its last event that event counts and gets it, and one that is no whole one goes', () => {
    expect(end('openai/chat', 'data: [DONE]').passed).toBe('data: [DONE]\n\n');
    expect(end('openai/chat', `${of(CHUNK)}data: ${CHUNK}`).passed).toBe(`${of(CHUNK)}data: ${CHUNK}\n\n`);
    expect(end('openai/chat', `${of(CHUNK)}data: {"ch`).passed).toBe(of(CHUNK));
  });
});
