import { expect, it } from 'vitest';
import { Ledger } from './ledger.ts';

it('reports what was booked since the last report', () => {
  const ledger = new Ledger();
  ledger.answered(2, '1');
  ledger.answered(4, '2');
  ledger.streamRead();
  ledger.failed('status 502');
  ledger.failed('status 502');
  expect(ledger.report()).toMatchObject({
    answered: 3,
    streamsRead: 1,
    failures: { 'status 502': 2 },
    maxMs: 4,
    versions: 2,
  });
  expect(ledger.report()).toMatchObject({ answered: 0, streamsRead: 0, failures: {}, maxMs: 0, versions: 0 });
});

it('keeps fifty kinds of failure apart and counts all', () => {
  const ledger = new Ledger();
  for (let kind = 0; kind < 60; kind++) ledger.failed(`kind ${kind}`);
  const { failures } = ledger.report();
  expect(Object.keys(failures)).toHaveLength(51);
  expect(failures['other failures']).toBe(10);
});
