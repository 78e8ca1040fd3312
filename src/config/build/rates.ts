import { assert } from '../../base/assert.ts';
import { decimalText, parseRate } from '../../model/literals.ts';
import type { Accounting, ExchangeRate } from '../../model/money.ts';
import type { PortunusDocument } from '../documents.ts';
import { below, keyAt, type Report } from '../finding.ts';
import type { Checked } from './sources.ts';

/** The accounting currency with its rates; null where they can't be read. */
export function buildAccounting(
  settings: Checked<PortunusDocument> | undefined,
  report: Report,
): Accounting | null {
  if (settings === undefined || !settings.sound(['currency']) || !settings.sound(['rates'])) return null;
  const { currency, rates } = settings.document;
  if (Object.hasOwn(rates, currency)) {
    report({
      code: 'PT3120',
      message: `Accounts are kept in ${currency}: it has no rate to itself.`,
      target: keyAt(below({ file: settings.file, path: [] }, 'rates', currency)),
      help: 'Remove the rate, or name another currency.',
    });
    return null;
  }
  const built = Object.entries(rates).map(([code, { rate, date }]): [string, ExchangeRate] => {
    const nano = parseRate(typeof rate === 'number' ? decimalText(rate) : rate);
    assert(nano.ok, 'the schema accepts only what the grammar of literals accepts');
    return [code, { nanoPerUnit: nano.value, date }];
  });
  return { currency, rates: Object.fromEntries(built) };
}

/** What a currency without a rate asks for. */
export function rateHelp(currency: string, accounting: string): string {
  return `Write an amount in ${accounting}, or give portunus.yaml a rate: rates: { ${currency}: { rate: …, date: … } }.`;
}
