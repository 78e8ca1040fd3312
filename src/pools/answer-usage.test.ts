import { expect, it } from 'vitest';
import { OPERATIONS } from '../ai/operations.ts';
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
    isEventStream: true,
    hidesUsage,
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
    isEventStream: true,
    hidesUsage: true,
    bytesMax: 1_000,
  });
  expect(answer.pass(piece, false)).toBe(piece);
});
