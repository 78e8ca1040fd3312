import { describe, expect, it } from 'vitest';
import {
  and,
  fact,
  forbid,
  is,
  limit,
  otherwise,
  permit,
  policies,
  policy,
  present,
  setHeader,
} from '../../test/compiler/ast.ts';
import { world } from '../../test/compiler/world.ts';
import { compileRules } from './compile.ts';

const header = (name: string) => fact('request.header', name);
const reads = (name: string) => and(present(header(name)), is(header(name), 'x'));

describe('fields that must not be repeated', () => {
  const { bundle } = compileRules(
    policies(
      policy('on', {}, [
        permit({ when: is(otherwise(fact('request.query', 'q'), ''), '') }),
        forbid('f', { when: reads('x-condition'), because: '{request.header["x-text"]}' }),
        setHeader('x-out', '{request.header["x-value"]}'),
        limit('l', {
          window: { kind: 'concurrency', amount: 1 },
          per: { kind: 'each', keys: [header('x-key')], otherwise: fact('request.ip') },
        }),
      ]),
      policy('off', {}, [forbid('f', { when: reads('x-shadow') })]),
    ),
    world({ modes: { off: 'shadow' } }),
  );

  it('are those that enforced rules depend on', () => {
    expect(bundle.routes[0]).toMatchObject({
      headersRead: ['x-condition', 'x-key', 'x-value'],
      queryRead: ['q'],
    });
  });
});
