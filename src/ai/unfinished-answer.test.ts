import { describe, expect, it } from 'vitest';
import { isUnfinished, tellsFailure } from './unfinished-answer.ts';

describe('answers of 200 that are none', () => {
  it.each([
    [{ choices: [] }, false],
    [{ object: 'response', status: 'completed', error: null }, false],
    [{ object: 'response', status: 'failed', error: { code: 'server_error' } }, true],
    [{ object: 'response', status: 'queued' }, true],
    [{ error: { message: 'overloaded' } }, true],
    ['no object', true],
    [null, true],
  ])('%j', (answer, expected) => {
    expect(isUnfinished(answer)).toBe(expected);
  });

  it.each([
    ['{"choices":[{"delta":{"content":"error"}}]}', false],
    ['{"type":"message_stop"}', false],
    ['{"type":"response.completed","response":{"error":null}}', false],
    ['{"error":null,"choices":[]}', false],
    ['{"error":{"message":"overloaded"}}', true],
    ['{ "error": "overloaded" }', true],
    ['{"type":"error","error":{"type":"overloaded_error"}}', true],
    ['{"type":"response.failed","response":{}}', true],
    ['{"type":"response.incomplete","response":{}}', true],
  ])('event %s', (data, expected) => {
    expect(tellsFailure(data)).toBe(expected);
  });
});
