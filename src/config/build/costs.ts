import { assert } from '../../base/assert.ts';
import { parseMoney, parsePrice } from '../../model/literals.ts';
import { type Accounting, inAccounting } from '../../model/money.ts';
import type { CostSource, RouteCost } from '../../model/world.ts';
import type { CostDocument, RouteDocument } from '../documents.ts';
import { below, type Here, type Report, valueAt } from '../finding.ts';
import { clip } from '../show.ts';
import { rateHelp } from './rates.ts';

/** Amounts of money are in one currency. */
export interface AccountingContext {
  /** Null: it could not be read. */
  readonly accounting: Accounting | null;
  readonly report: Report;
}

/** What a request to a route costs; null where nothing is said, or what is said is wrong. */
export function buildCost(
  { cost }: RouteDocument,
  route: Here,
  context: AccountingContext,
): RouteCost | null {
  if (cost === undefined) return null;
  const here = below(route, 'cost');
  if (typeof cost === 'string') {
    const atMost = inCurrency(cost, parsePrice(cost), here, context);
    return atMost === null ? null : { ...atMost, told: null };
  }
  const atMost = inCurrency(cost.atMost, parseMoney(cost.atMost), below(here, 'atMost'), context, 'told');
  const told = sourceOf(cost, here, context);
  return atMost === null || told === null ? null : { ...atMost, told };
}

/** In nano-units of the accounting currency; null for another one, which is reported. */
export function moneyIn(written: string, here: Here, context: AccountingContext): number | null {
  return inCurrency(written, parseMoney(written), here, context)?.atMost ?? null;
}

function inCurrency(
  written: string,
  read: ReturnType<typeof parseMoney>,
  here: Here,
  { accounting, report }: AccountingContext,
  also: 'told' | 'alone' = 'alone',
): Omit<RouteCost, 'told'> | null {
  assert(read.ok, 'the schema accepts only what the grammar of literals accepts');
  const { nano, currency: named } = read.value;
  if (accounting === null || named === accounting.currency) return { atMost: nano, currency: named };
  const { currency } = accounting;
  const target = valueAt(here);
  if (also === 'told') {
    const message = `"${clip(written)}" is in ${named}; what answers tell is read in ${currency}.`;
    report({ code: 'PT3318', message, target, help: `Write an amount in ${currency}, as the answers do.` });
    return null;
  }
  const converted = inAccounting(nano, named, accounting);
  if (converted.ok) return { atMost: converted.value, currency };
  if (converted.error === 'too-much') {
    const message = `"${clip(written)}" is too much: amounts end at 9_000_000 ${currency}.`;
    report({ code: 'PT3318', message, target, help: 'Write a smaller price.' });
    return null;
  }
  const message = `"${clip(written)}" is in ${named}; accounts are kept in ${currency}.`;
  report({ code: 'PT3318', message, target, help: rateHelp(named, currency) });
  return null;
}

function sourceOf(
  { header, body }: CostDocument,
  here: Here,
  { report }: AccountingContext,
): CostSource | null {
  if (header !== undefined && body === undefined) return { kind: 'header', name: header.toLowerCase() };
  if (body !== undefined && header === undefined) return { kind: 'body', path: body.split('.') };
  report({
    code: 'PT3109',
    message: `"cost" ${header === undefined ? 'does not say where the answer tells it' : 'names both a header and a member of the body'}.`,
    target: valueAt(here),
    help: 'Write one of header and body, or a price such as $0.002 per request.',
  });
  return null;
}
