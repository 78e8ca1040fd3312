import { describe, expect, it } from 'vitest';
import {
  and,
  each,
  fact,
  forbid,
  inNetworks,
  is,
  limit,
  list,
  memberOf,
  setHeader,
} from '../../test/compiler/ast.ts';
import { ruleHash } from './rule-hash.ts';

const POST = is(fact('request.method'), 'POST');
const FREE = is(fact('tenant.plan'), 'free');
const WINDOW = { kind: 'window', amount: 5, windowMs: 1_000 } as const;
const hash = (
  rule: Parameters<typeof ruleHash>[1],
  scope = null as Parameters<typeof ruleHash>[0]['scope'],
) => ruleHash({ scope }, rule);

describe('the hash of a rule', () => {
  it.each([
    ['its name', forbid('a', { when: POST }), forbid('b', { when: POST })],
    ['its text', forbid('a', { when: POST, because: 'no' }), forbid('a', { when: POST, because: 'never' })],
    [
      'the order of conditions',
      forbid('a', { when: and(POST, FREE) }),
      forbid('a', { when: and(FREE, POST) }),
    ],
    [
      'the order of a list',
      forbid('a', { when: memberOf(fact('request.method'), list('PUT', 'POST')) }),
      forbid('a', { when: memberOf(fact('request.method'), list('POST', 'PUT')) }),
    ],
    [
      'the order of networks',
      forbid('a', { when: inNetworks(fact('request.ip'), '10.0.0.0/8', '::/0') }),
      forbid('a', { when: inNetworks(fact('request.ip'), '::/0', '10.0.0.0/8') }),
    ],
  ])('does not depend on %s', (_, a, b) => {
    expect(hash(a)).toBe(hash(b));
  });

  it.each([
    ['a condition', forbid('a', { when: POST }), forbid('a', { when: FREE })],
    ['a literal', forbid('a', { when: POST }), forbid('a', { when: is(fact('request.method'), 'PUT') })],
    ['the status', forbid('a', { status: 403 }), forbid('a', { status: 404 })],
    ['the amount', limit('a', { window: WINDOW }), limit('a', { window: { ...WINDOW, amount: 6 } })],
    ['the key', limit('a', { window: WINDOW }), limit('a', { window: WINDOW, per: each('consumer') })],
    ['the value of a field', setHeader('x-a', '1'), setHeader('x-a', '2')],
    ['the kind', forbid('a', { when: POST }), forbid('a')],
  ])('depends on %s', (_, a, b) => {
    expect(hash(a)).not.toBe(hash(b));
  });

  it('of networks stays what it was when waivers named it', () => {
    const office = forbid('a', { when: inNetworks(fact('request.ip'), '10.0.0.0/8', '2001:db8::/32') });
    expect(hash(office)).toBe('9c9de8d40311a50b');
  });

  it('depends on the scope of the policy, and is 16 hex digits', () => {
    expect(hash(forbid('a'), POST)).not.toBe(hash(forbid('a')));
    expect(hash(forbid('a'))).toMatch(/^[0-9a-f]{16}$/);
  });
});
