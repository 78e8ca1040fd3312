import { CONTINUE, type Outcome } from '../../src/pipeline/outcome.ts';

/** Answers of the rules written by hand. */
export const PERMITTED: Outcome = CONTINUE;

export function denied(status: number, code: string, detail: string, ruleIndex: number): Outcome {
  return {
    kind: 'respond',
    refusal: { status, code, detail, ruleIndex, retryAfterS: -1, rateLimit: '', rateLimitPolicy: '' },
  };
}

export const NOT_PERMITTED: Outcome = denied(403, 'not_permitted', 'No policy permits this request.', -1);
