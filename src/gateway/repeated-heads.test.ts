import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeaderEdits } from '../pipeline/context.ts';
import { checkFront, FrontFacts } from './front-checks.ts';
import { RequestFieldLines } from './request-fields.ts';

/** Few names and values, so that requests share fields, and all faults among them. */
const field = fc.tuple(
  fc.constantFrom(
    'host',
    'accept',
    'x-a',
    'x-b',
    'authorization',
    'x-api-key',
    'connection',
    'cookie',
    '',
    'a b',
  ),
  fc.constantFrom('a.test', 'b.test', '', 'x-a', 'Bearer k', 'Basic k', 'ptn_k', 'größe', 'line\nbreak'),
);
const request = fc.record({
  fields: fc.array(field, { maxLength: 6 }).map((pairs) => pairs.flat()),
  set: fc.array(fc.constantFrom('x-a', 'x-c'), { maxLength: 2 }),
  value: fc.constantFrom('1', '2', 'line\nbreak'),
  ip: fc.constantFrom('192.0.2.1', '192.0.2.2'),
  removed: fc.array(fc.constantFrom('x-b', 'x-c'), { maxLength: 2 }),
  keys: fc.constantFrom('consumed' as const, 'passed' as const),
  signatures: fc.constantFrom('consumed' as const, 'passed' as const),
  forwardedFields: fc.constantFrom('x-forwarded' as const, 'none' as const, 'withheld' as const),
});
const LIMITS = { requestHeaderCount: 100, requestHeaderBytes: 65_536 };

/** What is kept of the request before never shows in the next one: each is read as if it were the first. */
test('a request is checked and passed on alike after any others', () => {
  const facts = new FrontFacts();
  const lines = new RequestFieldLines();
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 8 }), (requests) => {
      for (const { fields, set, value, removed, ...told } of requests) {
        const edits = new HeaderEdits();
        edits.set = set.flatMap((name) => [name, value]);
        edits.removed = removed;
        const fresh = new FrontFacts();
        const code = checkFront('GET', fields, LIMITS, facts);
        expect(code).toBe(checkFront('GET', fields, LIMITS, fresh));
        expect(withoutMemory(facts)).toEqual(withoutMemory(fresh));
        if (code !== null) continue;
        const forwarding = { ...told, scheme: 'https' } as const;
        expect(lines.of(fields, facts, edits, forwarding)).toBe(
          new RequestFieldLines().of(fields, fresh, edits, forwarding),
        );
      }
    }),
    { numRuns: 2_000 },
  );
});

test('the same head is the same text', () => {
  const facts = new FrontFacts();
  const lines = new RequestFieldLines();
  const of = (value: string) => {
    const fields = ['host', 'a.test', 'accept', value];
    checkFront('GET', fields, LIMITS, facts);
    return lines.of(fields, facts, new HeaderEdits(), {
      forwardedFields: 'none',
      scheme: 'http',
      keys: 'consumed',
      signatures: 'consumed',
      ip: '',
    });
  };
  of('text/html');
  const section = facts.section;
  expect(of('text/html')).toBe('accept: text/html\r\nvia: 1.1 portunus\r\n');
  expect(facts.section).toBe(section);
  expect(of('text/plain')).toBe('accept: text/plain\r\nvia: 1.1 portunus\r\n');
});

function withoutMemory(facts: FrontFacts) {
  const { known, kinds, wide, section, knownAuthority, knownHost, ...seen } = facts;
  return seen;
}
