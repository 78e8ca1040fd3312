/** What `portunus explain --request` proposes, in its words: over the library's routes, with policies of the test's own. */
import { describe, expect, it } from 'vitest';
import { testPorts } from '../../src/cli/run/test-ports.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkProject } from '../../src/tools/build-project.ts';
import { renderRequest } from '../../src/tools/explain/render-request.ts';
import { explainRequest } from '../../src/tools/explain/request.ts';
import { LIBRARY, libraryTexts, projectWith, TODAY_MS } from '../docs/examples.ts';

const library = await libraryTexts();

interface Asked {
  readonly rules: string;
  readonly body: unknown;
  readonly route?: string;
  readonly consumer?: string | null;
}

/** What is proposed, without the places of the conditions. */
function proposed({ rules, body, route = 'create-order', consumer = 'erp' }: Asked): string[] {
  const text = `policy "p" applies to route "${route}" { ${rules} }`;
  const example = { page: 'test', line: 1, code: null, text, files: [] };
  const texts = projectWith(library, example);
  const { built, diagnostics } = checkProject(texts, LIBRARY, TODAY_MS);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const { policies, world } = built!;
  const explanation = explainRequest(
    { policies, world, texts },
    {
      target: route === 'refund' ? 'POST /refunds' : 'POST /v2/orders',
      consumer,
      given: [],
      headers: ['content-type: application/json'],
      body: JSON.stringify(body),
      time: null,
      wallMs: TODAY_MS,
    },
    testPorts(),
  );
  expect(explanation).not.toHaveProperty('diagnostics');
  const lines = 'diagnostics' in explanation ? [] : renderRequest(explanation).split('\n');
  const start = lines.findIndex((line) => line.startsWith('To be permitted'));
  return lines.slice(start, lines.indexOf('', start)).map((line) => line.replace(/ {2}\(.*:\d+\)$/, ''));
}

it('networks of a tenant: an address in them, or the address among them', () => {
  const texts = Object.entries({
    'portunus.yaml': 'portunus: 1\nattributes: { tenant: { networks: { list: network } } }\n',
    'routes/shop.yaml': `services: { shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes: { orders: { service: shop, match: { methods: [GET], path: /orders }, auth: required } }
`,
    'tenants/acme.yaml':
      'tenants: { acme: { plan: free, attributes: { networks: [10.0.0.0/8] }, consumers: { web: {} } } }\n',
    'policies/a.policy':
      'language 1\npolicy "p" { permit  forbid "out" when request.ip not in tenant.networks }\n',
  }).map(([path, text]) => new SourceText(path, text));
  const { built, diagnostics } = checkProject(texts, '/project', TODAY_MS);
  expect(diagnostics).toEqual([]);
  const asked = { consumer: 'web', given: [], headers: [], body: null, time: null, wallMs: TODAY_MS };
  const explanation = explainRequest({ ...built!, texts }, { target: 'GET /orders', ...asked }, testPorts());
  const text = 'diagnostics' in explanation ? '' : renderRequest(explanation);
  expect(text).toMatchInlineSnapshot(`
    "GET /orders by consumer "web" of tenant "acme"
    route "orders"

    refused 403 by "p" "out" code "forbidden": "Forbidden by "out" of policy "p"."

    What each rule saw:
      "p" forbid "out": refused  (policies/a.policy:2:22)
          ✓ request.ip not in tenant.networks: request.ip was "192.0.2.1", tenant.networks was ["10.0.0.0/8"]
      "p" permit: permitted  (policies/a.policy:2:14)

    To be permitted, one of these:
      - request.ip would have to be "10.0.0.0" (it was "192.0.2.1")
          so that request.ip not in tenant.networks does not hold  (policies/a.policy:2:40)
      - tenant.networks would have to be ["10.0.0.0/8", "192.0.2.1"] (it was ["10.0.0.0/8"])
          so that request.ip not in tenant.networks does not hold  (policies/a.policy:2:40)

    What the running gateway has counted is not looked at: limits begin unused here.
    "
  `);
});

describe('a member of the body', () => {
  it.each([
    ['at most', 'forbid when request.body.amount > 100', 120, 'at most 100 (it was 120)'],
    [
      'less than',
      'forbid when request.body.amount >= 100',
      120,
      'less than 100, for example 99 (it was 120)',
    ],
    ['at least', 'require request.body.amount >= 100', 7, 'at least 100 (it was 7)'],
    [
      'a range',
      'require request.body.amount >= 100 forbid when request.body.amount > 200',
      7,
      'at least 100 and at most 200 (it was 7)',
    ],
    [
      'a range with a hole',
      'forbid when request.body.amount > 100 forbid when request.body.amount is 100',
      120,
      'at most 100 and other than 100, for example 99 (it was 120)',
    ],
    ['money', 'forbid when request.body.amount as USD > $500', 600, 'at most 500 (it was 600)'],
    [
      'what the schema does not take is not proposed',
      'forbid when request.body.amount > 0',
      5,
      'at most 0 (it was 5)',
    ],
  ])('%s', (_what, rules, amount, wanted) => {
    expect(proposed({ rules, body: { order: 'o-1', amount }, route: 'refund' })[1]).toBe(
      `  request.body.amount would have to be ${wanted}`,
    );
  });

  it('may be left out, or be what another fact is', () => {
    expect(
      proposed({
        rules: 'forbid when request.body.currency is present',
        body: { currency: 'EUR', items: [{ article: 'mug', quantity: 1 }] },
      }),
    ).toEqual([
      'To be permitted:',
      '  request.body.currency would have to be missing (it was "EUR")',
      '    so that request.body.currency is present does not hold',
    ]);
    expect(
      proposed({
        rules: 'require request.body.order is tenant.name',
        body: { order: 'o-1', amount: 1 },
        route: 'refund',
      }),
    ).toContain('  - request.body.order would have to be "globex" (it was "o-1")');
  });
});

describe('objects in a list of the body', () => {
  const items = [
    { article: 'mug', quantity: 2 },
    { article: 'flare', quantity: 1_001 },
    { article: 'rope', quantity: 5_000 },
  ];

  it('all that decide change together, or are left out', () => {
    expect(
      proposed({ rules: 'require no one of request.body.items has it.quantity > 1_000', body: { items } }),
    ).toEqual([
      'To be permitted, one of these:',
      '  - elements 2 and 3 of request.body.items: it.quantity would have to be at most 1000 (it was 1001 and 5000)',
      '      so that no one of request.body.items has it.quantity > 1_000 holds',
      '  - request.body.items would have to be without elements 2 and 3',
      '      so that no one of request.body.items has it.quantity > 1_000 holds',
    ]);
  });

  it('a list that has to keep an element is not emptied', () => {
    expect(
      proposed({
        rules: 'require every of request.body.items has it.article is "mug"',
        body: { items: items.slice(1, 2) },
      }),
    ).toEqual([
      'To be permitted:',
      '  element 1 of request.body.items: it.article would have to be "mug" (it was "flare")',
      '    so that every of request.body.items has it.article is "mug" holds',
    ]);
  });

  it('two questions about one member are both answered', () => {
    expect(
      proposed({
        rules: `require no one of request.body.items has it.quantity > 1_000
                forbid when any of request.body.items has it.quantity is 1_000`,
        body: { items: items.slice(0, 2) },
      })[1],
    ).toBe(
      '  - element 2 of request.body.items: it.quantity would have to be at most 1000 and other than 1000, for example 999 (it was 1001)',
    );
  });
});

it('the size of a request changes with its body', () => {
  const body = { order: 'o-1', amount: 1, reason: 'x'.repeat(80) };
  expect(
    proposed({
      rules: 'forbid when request.size otherwise 0B > 60B and request.body.reason is present',
      body,
      route: 'refund',
    }),
  ).toEqual([
    'To be permitted, one of these:',
    '  - request.size would have to be at most 60B, for example 0B (it was 118B)',
    '      so that request.size otherwise 0B > 60B does not hold',
    `  - request.body.reason would have to be "other" (it was "${body.reason}")`,
    '      so that request.size otherwise 0B > 60B does not hold',
  ]);
});
