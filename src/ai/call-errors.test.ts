import { expect, it } from 'vitest';
import type { ErrorRule } from '../model/pools.ts';
import { callErrorOf, waitOf } from './call-errors.ts';

const RULES: readonly ErrorRule[] = [
  { statuses: [429], codes: ['insufficient_quota'], messageContains: null, means: 'out-of-credit' },
  { statuses: [400], codes: [], messageContains: 'prompt is too long', means: 'context-too-long' },
  { statuses: [429, 529], codes: [], messageContains: null, means: 'throttled' },
  { statuses: [], codes: ['invalid_api_key'], messageContains: null, means: 'unauthorised' },
];

it.each([
  [429, { error: { code: 'insufficient_quota' } }, 'out-of-credit'],
  [429, { error: { type: 'insufficient_quota' } }, 'out-of-credit'],
  [429, { code: 'insufficient_quota' }, 'out-of-credit'],
  [429, { error: { code: 'rate_limit_exceeded' } }, 'throttled'],
  [429, null, 'throttled'],
  [529, 'busy', 'throttled'],
  [400, { error: { message: 'The Prompt is too long: 9 tokens' } }, 'context-too-long'],
  [400, { error: 'prompt is too long' }, 'context-too-long'],
  [400, { error: { message: 'No.' } }, null],
  [403, { error: { code: 'invalid_api_key' } }, 'unauthorised'],
  [403, { error: { code: 'model_not_allowed' } }, null],
  [500, [], null],
] as const)('%i with %j means %s', (status, body, means) => {
  expect(callErrorOf(status, body, RULES)).toBe(means);
});

it('an error may say in its sentence how long to wait', () => {
  expect(waitOf({ error: { message: 'Rate limit reached. Please try again in 1.574s.' } })).toBe(1_574);
  expect(waitOf({ message: 'No.' })).toBeNaN();
  expect(waitOf(null)).toBeNaN();
});
