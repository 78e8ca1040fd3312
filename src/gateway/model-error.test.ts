import Anthropic, * as AnthropicErrors from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { UPSTREAM_ERRORS } from '../pipeline/upstream.ts';
import { MODEL_ERRORS } from './model-error.ts';
import { fromUpstream, PROBLEMS, problem, problemBody, problemFields } from './problem.ts';

describe('errors for callers of models', () => {
  const refused = { ...problem('unauthenticated', 'Show a key.'), retryAfterS: 3 };

  test('are read by the SDKs of OpenAI', () => {
    expect(JSON.parse(problemBody(refused, 'id', 'openai'))).toEqual({
      error: { message: 'Show a key.', type: 'authentication_error', param: null, code: 'unauthenticated' },
    });
    expect(problemFields(refused, 'openai')).toContain('content-type: application/json\r\n');
    expect(problemFields(refused, 'openai')).toContain('retry-after: 3\r\n');
  });

  test('and by those of Anthropic', () => {
    expect(JSON.parse(problemBody(refused, 'id', 'anthropic'))).toEqual({
      type: 'error',
      error: { type: 'authentication_error', message: 'Show a key. (unauthenticated)' },
      request_id: 'id',
    });
  });

  test('have a row for every status that the gateway has', () => {
    const statuses = [...Object.values(PROBLEMS), ...Object.values(UPSTREAM_ERRORS)].map(
      ([status]) => status,
    );
    expect(statuses.filter((status) => MODEL_ERRORS[status] === undefined)).toEqual([]);
  });

  const KINDS: readonly (readonly [status: number, openai: string, anthropic: string])[] = [
    [400, 'BadRequestError', 'BadRequestError'],
    [401, 'AuthenticationError', 'AuthenticationError'],
    [403, 'PermissionDeniedError', 'PermissionDeniedError'],
    [404, 'NotFoundError', 'NotFoundError'],
    [405, 'APIError', 'APIError'],
    [413, 'APIError', 'ContentTooLargeError'],
    [422, 'UnprocessableEntityError', 'UnprocessableEntityError'],
    [429, 'RateLimitError', 'RateLimitError'],
    [503, 'InternalServerError', 'ServiceUnavailableError'],
  ];

  test.each(KINDS)(
    'of status %i are the kinds that official SDKs have for it',
    (status, openai, anthropic) => {
      const said = { ...problem('overloaded', 'Why.'), status, code: 'some_code' };
      const read = {
        openai: JSON.parse(problemBody(said, 'id', 'openai')),
        anthropic: JSON.parse(problemBody(said, 'id', 'anthropic')),
      };
      const headers = new Headers();
      const ofOpenai = OpenAI.APIError.generate(status, read.openai, undefined, headers);
      expect(ofOpenai.constructor).toBe((OpenAI as unknown as Record<string, unknown>)[openai]);
      expect(ofOpenai).toMatchObject({ code: 'some_code', type: MODEL_ERRORS[status]!.openai });
      expect(ofOpenai.message).toBe(`${status} Why.`);
      const ofAnthropic = Anthropic.APIError.generate(status, read.anthropic, undefined, headers);
      expect(ofAnthropic.constructor).toBe(
        (AnthropicErrors as unknown as Record<string, unknown>)[anthropic],
      );
      expect(ofAnthropic.error).toMatchObject({ error: { type: MODEL_ERRORS[status]!.anthropic } });
      expect(ofAnthropic.message).toContain('Why. (some_code)');
    },
  );

  // OpenAI, "Error codes"; Anthropic, "Errors"
  test.each([
    [402, 'insufficient_quota', 'billing_error'],
    [413, 'invalid_request_error', 'request_too_large'],
    [429, 'rate_limit_error', 'rate_limit_error'],
    [503, 'server_error', 'overloaded_error'],
    [504, 'server_error', 'timeout_error'],
    // of no row: what a rule may answer with
    [451, 'invalid_request_error', 'invalid_request_error'],
    [507, 'server_error', 'api_error'],
  ])('of status %i have the types that the providers have: %s, %s', (status, openai, anthropic) => {
    const said = { ...problem('overloaded', 'Why.'), status };
    const types = (['openai', 'anthropic'] as const).map(
      (dialect) => JSON.parse(problemBody(said, 'id', dialect)).error.type,
    );
    expect(types).toEqual([openai, anthropic]);
  });

  test.each(['model_not_found', 'model_required'] as const)(
    'name the member that is at fault: %s',
    (code) => {
      const missing = fromUpstream(code, undefined, undefined);
      expect(JSON.parse(problemBody(missing, 'id', 'openai')).error).toMatchObject({
        ...{ code, param: 'model', type: 'invalid_request_error' },
      });
    },
  );
});
