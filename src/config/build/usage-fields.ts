import { type Accounting, inAccounting } from '../../model/money.ts';
import type { MemberPath, ToldCost, UsageFields } from '../../model/pools.ts';
import { NANO_PER_UNIT } from '../../model/told-amounts.ts';
import type { UsageDocument } from '../documents.ts';
import { count } from './literals.ts';

export function buildUsageFields(document: UsageDocument, accounting: Accounting | null): UsageFields {
  const { inStreams, input, output, total, cached, reasoning, cost } = document;
  return {
    inStreams: inStreams.map(memberPath),
    input: pathOrNull(input),
    output: pathOrNull(output),
    total: pathOrNull(total),
    cached: pathOrNull(cached),
    reasoning: pathOrNull(reasoning),
    cost: cost === undefined || accounting === null ? null : toldCost(cost, accounting),
  };
}

/** Null where the currency has no rate: what calls cost is then reckoned by the prices of models, as it is where nobody tells it. */
function toldCost(
  { at, currency, decimals }: NonNullable<UsageDocument['cost']>,
  accounting: Accounting,
): ToldCost | null {
  const rate = inAccounting(NANO_PER_UNIT, currency, accounting);
  return rate.ok ? { path: memberPath(at), currency, decimals: count(decimals), rateNano: rate.value } : null;
}

function pathOrNull(text: string | undefined): MemberPath | null {
  return text === undefined ? null : memberPath(text);
}

function memberPath(text: string): MemberPath {
  return text.split('.');
}
