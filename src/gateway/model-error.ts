/** Answers of the gateway's own to callers of models, as the official SDKs read errors: one table of statuses, and the code beside it. */
import type { Dialect } from '../model/pools.ts';
import type { Problem } from './problem.ts';

/** What an error of a status is called. SDKs raise their kinds by the status; people read the type. */
interface ErrorTypes {
  readonly openai: string;
  readonly anthropic: string;
}

/** OpenAI, "Error codes"; Anthropic, "Errors". Every status that the gateway answers callers of models with by itself. */
export const MODEL_ERRORS: Readonly<Record<number, ErrorTypes>> = {
  400: { openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  401: { openai: 'authentication_error', anthropic: 'authentication_error' },
  402: { openai: 'insufficient_quota', anthropic: 'billing_error' },
  403: { openai: 'permission_error', anthropic: 'permission_error' },
  404: { openai: 'invalid_request_error', anthropic: 'not_found_error' },
  405: { openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  408: { openai: 'invalid_request_error', anthropic: 'timeout_error' },
  410: { openai: 'invalid_request_error', anthropic: 'not_found_error' },
  411: { openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  413: { openai: 'invalid_request_error', anthropic: 'request_too_large' },
  414: { openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  415: { openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  417: { openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  422: { openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  426: { openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  429: { openai: 'rate_limit_error', anthropic: 'rate_limit_error' },
  431: { openai: 'invalid_request_error', anthropic: 'invalid_request_error' },
  500: { openai: 'server_error', anthropic: 'api_error' },
  501: { openai: 'server_error', anthropic: 'api_error' },
  502: { openai: 'server_error', anthropic: 'api_error' },
  503: { openai: 'server_error', anthropic: 'overloaded_error' },
  504: { openai: 'server_error', anthropic: 'timeout_error' },
};

export function modelError({ status, code, detail }: Problem, instance: string, dialect: Dialect): string {
  const type = typesOf(status)[dialect];
  if (dialect === 'anthropic')
    return JSON.stringify({
      type: 'error',
      // the dialect has no place for a code
      error: { type, message: `${detail} (${code})` },
      request_id: instance,
    });
  return JSON.stringify({ error: { message: detail, type, param: paramOf(code), code } });
}

/** Rules may answer with any status. */
function typesOf(status: number): ErrorTypes {
  return MODEL_ERRORS[status] ?? MODEL_ERRORS[status < 500 ? 400 : 500]!;
}

/** The member that is at fault, where it is always the same one. */
function paramOf(code: string): string | null {
  if (code === 'background_not_offered') return 'background';
  return code === 'model_not_found' || code === 'model_required' ? 'model' : null;
}
