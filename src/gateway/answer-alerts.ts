/** What alert rules may ask of a request once it has ended. */
import { KNOWN } from '../pipeline/alerts.ts';
import type { RequestContext } from '../pipeline/context.ts';
import { PHASE } from '../pipeline/phases.ts';
import type { RoutePipeline } from '../pipeline/program.ts';
import type { Account } from './access-record.ts';
import type { ExchangeThread } from './exchange-thread.ts';

/** `stage`: how far it came. */
export function tellAlerts(
  context: RequestContext,
  { alerts, readBody }: RoutePipeline,
  { answer }: Pick<ExchangeThread, 'answer'>,
  account: Account,
  stage: number,
): void {
  answer.status = account.status;
  answer.durationMs = account.finishedUs / 1000;
  answer.code = account.code === '' ? undefined : account.code;
  answer.inputTokens = known(account.inputTokens);
  answer.outputTokens = known(account.outputTokens);
  answer.cachedTokens = known(account.cachedTokens);
  answer.reasoningTokens = known(account.reasoningTokens);
  answer.costNano = known(account.costNano);
  const gotToBody = stage > PHASE.authorise && (readBody === null || context.body !== null);
  answer.known = gotToBody ? KNOWN.body : stage > PHASE.identify ? KNOWN.caller : KNOWN.request;
  context.answer = answer;
  alerts!(context);
  context.answer = null;
}

/** Of an account: -1 says that nobody knows. */
function known(amount: number): number | undefined {
  return amount === -1 ? undefined : amount;
}
