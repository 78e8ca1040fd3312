import { expect, test } from 'vitest';
import { IssuerAlerts } from './issuer-alerts.ts';

test('an issuer is in trouble until no data thread has any', () => {
  const told: string[] = [];
  const alerts = new IssuerAlerts({
    raise: ({ kind, subject, message }) => {
      told.push(`${kind} ${subject}: ${message}`);
      return true;
    },
    resolve: ({ subject }) => void told.push(`over: ${subject}`),
  });
  alerts.told(0, 'corporate', 'it answers 500');
  alerts.told(1, 'corporate', 'it answers 500');
  alerts.told(0, 'corporate', null);
  expect(told.at(-1)).toBe(
    'issuer-keys-missing corporate: The keys of the token issuer "corporate" can\'t be had: it answers 500. Tokens signed with keys that are not known yet are answered with 503.',
  );
  alerts.told(1, 'corporate', null);
  expect(told).toHaveLength(3);
  expect(told.at(-1)).toBe('over: corporate');
});
