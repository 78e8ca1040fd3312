/** `portunus explain` on the library: what rules saw of a body, and of the elements of its lists. */
import { describe, expect, it } from 'vitest';
import { testPorts } from '../../src/cli/run/test-ports.ts';
import { checkProject } from '../../src/tools/build-project.ts';
import { renderRequest } from '../../src/tools/explain/render-request.ts';
import { renderRoute } from '../../src/tools/explain/render-route.ts';
import { explainRequest } from '../../src/tools/explain/request.ts';
import { explainRoute } from '../../src/tools/explain/route.ts';
import { CoverageCounter } from '../../src/tools/policy-tests/coverage.ts';
import { buildMachine } from '../../src/tools/policy-tests/machine.ts';
import { TestRunner } from '../../src/tools/policy-tests/run.ts';
import { LIBRARY, libraryTexts, TODAY_MS } from '../docs/examples.ts';

const texts = await libraryTexts();
const project = checkProject(texts, LIBRARY, TODAY_MS);
const { policies, world } = project.built!;

function explained(body: unknown, target = 'POST /v2/orders', consumer = 'erp'): string {
  const explanation = explainRequest(
    { policies, world, texts },
    {
      target,
      consumer,
      given: [],
      headers: ['content-type: application/json'],
      body: typeof body === 'string' ? body : JSON.stringify(body),
      time: null,
      wallMs: TODAY_MS,
    },
    testPorts(),
  );
  return 'diagnostics' in explanation ? 'mistaken' : renderRequest(explanation);
}

/** The lines about one rule. */
function about(rule: string, text: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.includes(`"${rule}": `));
  const end = lines.findIndex((line, at) => at > start && !line.startsWith('      '));
  return lines
    .slice(start, end)
    .map((line) => line.trim())
    .join('\n');
}

describe('a question about elements', () => {
  const text = explained({
    items: [
      { article: 'mug', quantity: 2 },
      { article: 'flare', quantity: 1_001, hazards: ['hot', 'toxic'] },
    ],
  });

  it('names the element that decided', () => {
    expect(about('no-bulk', text)).toBe(
      [
        '"order-size" require "no-bulk": refused  (policies/order-size.policy:8:5)',
        '✗ no one of request.body.items has it.quantity > 1_000: element 2 of request.body.items: it.quantity was 1001',
      ].join('\n'),
    );
  });

  it('names both where a list lies in an element', () => {
    expect(about('dangerous', text)).toContain(
      'element 2 of request.body.items: it.hazards was ["hot", "toxic"], element 2 of it.hazards: it was "toxic"',
    );
  });

  it('says how many there were where none decided', () => {
    expect(about('engravable', text)).toContain(': request.body.items was [2 objects]');
  });

  it('costs what is asked of each', () => {
    expect(renderRoute(explainRoute(policies, world, world.routes.get('create-order')!))).toContain(
      'and its body is read; besides 6 checks for each element of request.body.items, 1 check for each element of request.body.items.hazards.',
    );
  });

  it('is one clause, and so is each test in it', () => {
    const { rules } = buildMachine(policies, world, { modes: new Map(), shares: [] }, testPorts());
    const counter = new CoverageCounter(rules, world);
    const runner = new TestRunner(policies, world, testPorts());
    const some = project.tests.filter(({ name }) => name === 'an order of ordinary size');
    for (const test of some) runner.run(test, counter.listen);
    const found = counter.result().policies.find(({ policy }) => policy === 'order-size')!;
    expect(
      found.missing.flatMap(({ rule, text, missing }) =>
        rule === 'engravable' ? [`${text}: ${missing}`] : [],
      ),
    ).toEqual([
      'every of request.body.items has it.engraving is absent or it.article like "ring-*": false',
      'it.article like "ring-*": false',
    ]);
  });
});

it.each([
  ['is no JSON', '{"items":[', 'refused 400 (malformed_body)'],
  [
    'does not fit the schema',
    { items: [{ article: 'mug' }] },
    'refused 422 by the schema routes/order.schema.json code "invalid_body"',
  ],
  [
    'has a name in an element that some read alike',
    { items: [{ article: 'mug', quantity: 1, Quantity: 5 }] },
    'refused 400 (ambiguous_body)',
  ],
])('a body that %s is refused before a rule sees it', (_what, body, decision) => {
  const text = explained(body);
  expect(text).toContain(decision);
  expect(text).not.toContain('no-bulk');
});

describe('a permitted request', () => {
  const text = explained({ model: 'small', max_tokens: 9_000, messages: [] }, 'POST /chat');

  it('shows what the service gets, by whose wish, and the body as it leaves', () => {
    expect(text.slice(text.indexOf('To the service'), text.indexOf('The answer'))).toBe(
      [
        'To the service it goes with:',
        '  request.body.max_tokens: 4096 (9000 was sent)',
        '      caps request.body.max_tokens at 4096: "model-list"  (policies/model-list.policy:12:5)',
        '      request.body.max_tokens is 1024 where it is missing: "model-list"  (policies/model-list.policy:11:5)',
        '',
        'Its body as it leaves:',
        '  {"model":"small","max_tokens":4096,"messages":[]}',
        '',
        '',
      ].join('\n'),
    );
  });

  it('shows what the answer tells the caller', () => {
    expect(text).toContain(
      [
        '  header "cache-control": "no-store"',
        '      sets cache-control to "no-store": "security-headers"  (policies/security-headers.policy:8:5)',
      ].join('\n'),
    );
    expect(text).toContain('  header "server": removed');
    const old = explained('', 'GET /v1/orders', 'web-shop');
    expect(old).toContain('beside those of the service\n      deprecated from 2026-11-01');
  });

  it('has no body of its own where no rule changes it', () => {
    const same = explained({ model: 'small', max_tokens: 4_000 }, 'POST /chat');
    expect(same).toContain('  request.body.max_tokens: 4000, as sent');
    expect(same).not.toContain('Its body as it leaves');
  });
});
