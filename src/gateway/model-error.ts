/** Answers of the gateway's own to callers of models, as the official SDKs read errors. */
import type { Dialect } from '../model/pools.ts';
import type { Problem } from './problem.ts';

export function modelError({ status, code, detail }: Problem, instance: string, dialect: Dialect): string {
  if (dialect === 'anthropic')
    return JSON.stringify({
      type: 'error',
      error: { type: ANTHROPIC_TYPES[status] ?? otherType(status), message: `${detail} (${code})` },
      request_id: instance,
    });
  return JSON.stringify({
    error: { message: detail, type: OPENAI_TYPES[status] ?? otherOpenAiType(status), param: null, code },
  });
}

/** Anthropic's API reference, "Errors". */
const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

function otherType(status: number): string {
  return status < 500 ? 'invalid_request_error' : 'api_error';
}

/** OpenAI's errors carry one of few types, and say in `code` what it is. */
const OPENAI_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

function otherOpenAiType(status: number): string {
  return status < 500 ? 'invalid_request_error' : 'server_error';
}
