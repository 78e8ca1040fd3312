import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStream, eventData } from './event-stream.ts';
import { OPERATIONS } from './operations.ts';
import { areQuietEvents } from './quiet-events.ts';
import { tellsFailure } from './unfinished-answer.ts';
import { StreamUsage } from './usage.ts';
import { AS_THE_DIALECT } from './usage-fields.cases.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('events that are passed on unread', () => {
  it.each([
    ['data: {"choices":[{"delta":{"content":"hi"}}]}', true],
    ['data: {"id":"x","usage":null}', true],
    ['data: {"id":"\\"usage\\":{}"}', true],
    [': a comment', true],
    ['event: content_block_delta\ndata: {"type":"content_block_delta"}', true],
    ['data: {"type":"response.output_text.delta","delta":"hi"}', true],
    ['data: {"type":"response.in_progress"}', true],
    ['data: {"type":"response.created"}', false],
    ['data: {"id":"x"}\n\ndata: {"id":"y"}', true],
    ['data: [DONE]', false],
    ['data:[DONE]', false],
    ['data: {"id":"x"}\n\ndata: [DONE]', false],
    ['event: message_stop\ndata: {"type":"message_stop"}', false],
    ['data: {"type":"response.completed"}', false],
    ['data: {"type": "response.incomplete"}', false],
    ['data: { "type":"response.incomplete"}', false],
    ['data: {"error":{"message":"overloaded"}}', false],
    ['data: {"id":"x","usage":{"prompt_tokens":1}}', false],
    ['data: {"id":"x","usage": null}', true],
    ['data: {"choices":[{"finish_reason": null}],"usage":null}', true],
    ['data: {"choices":[{"finish_reason":"stop"}],"usage":null}', false],
    ['data: {"id":"\\"finish_reason\\":\\"stop\\""}', true],
    ['data: {"id":"x","us\\u0061ge":{"prompt_tokens":1}}', false],
    ['data: {"id":"\\u00e9"}', true],
    ['data: {"id":"x"}\r', false],
    ['data: {"id":"x"', false],
    ['\ufeffdata: [DONE]', false],
  ])('%j: %s', (text, isQuiet) => {
    expect(areQuietEvents(bytesOf(text.endsWith('"x"') ? text : `${text}\n\n`), true)).toBe(isQuiet);
  });

  it('usage is nothing where no answer tells any', () => {
    expect(areQuietEvents(bytesOf('data: {"id":"x","usage":{}}\n\n'), false)).toBe(true);
  });

  it('tell nothing when they are read', () => {
    const seen = new Set<boolean>();
    const lines = fc.array(
      fc.oneof(
        fc.constantFrom('', '', 'event: error', ': x', 'data', 'data: [DONE]', 'id: 1'),
        fc
          .tuple(
            fc.constantFrom('data: ', 'data:'),
            fc.constantFrom('{', '{ ', '[', ''),
            fc.constantFrom(
              '"type":"',
              '"type" : "',
              '"error":"',
              '"id":"',
              '"usage":"',
              '"usage":{"prompt_tokens":1},"x":"',
              '"us\\u0061ge":{"prompt_tokens":1},"x":"',
            ),
            fc.constantFrom(
              'error',
              'message_stop',
              'message_delta',
              'response.completed',
              'response.failed',
              'x',
              '\\"usage\\":{}',
            ),
            fc.constantFrom('"}', '","usage":{"prompt_tokens":3}}', '","usage":null}', ''),
          )
          .map((parts) => parts.join('')),
      ),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(lines, fc.constantFrom('\n', '\r\n'), (written, lineEnd) => {
        const bytes = bytesOf([...written, '', ''].join(lineEnd));
        const isQuiet = areQuietEvents(bytes, true);
        seen.add(isQuiet);
        if (!isQuiet) return;
        const stream = new EventStream(10_000);
        const usage = new StreamUsage(OPERATIONS['openai/chat'].usage, AS_THE_DIALECT, 1);
        for (const event of stream.push(bytes)) {
          const data = eventData(event);
          if (data === null) continue;
          expect([data, usage.event(data), usage.isFinal, tellsFailure(data)]).toEqual([
            data,
            null,
            false,
            false,
          ]);
        }
        expect(stream.end().every((byte) => byte === 0x0a)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect(seen.size).toBe(2);
  });
});
