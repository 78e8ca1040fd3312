import type { DiagnosticCase } from './diagnostics.cases.ts';

/** One statement (line 4, column 3) in a test of the project of `world.cases`, beside a policy with a limit and a permit. */
function given(statement: string, rest = 'when GET /v1/orders is sent\n  expect permitted'): string {
  return test(`${statement}\n  ${rest}`);
}

function test(statements: string): string {
  return `language 1\npolicy "p" { permit "all"  limit "pace" at most 5 requests in any 1m  in total }\ntest "t" {\n  ${statements}\n}\n`;
}

/** Every code of `test` blocks with the exact text it gives. */
export const TEST_DIAGNOSTIC_CASES: readonly DiagnosticCase[] = [
  {
    code: 'PT1401',
    what: 'nothing is expected',
    text: test('when GET /v1/orders is sent'),
    at: '4:3',
    message: 'Nothing is expected of what is sent here.',
    help: 'Write `expect permitted`, or `expect refused 403 by "policy" "rule"`.',
  },
  {
    code: 'PT1401',
    what: 'nothing is sent',
    text: test('given consumer "web-shop"'),
    at: '3:6',
    message: 'This test sends nothing.',
    help: 'Write `when GET /path is sent` and `expect permitted`.',
  },
  {
    code: 'PT1401',
    what: 'an expectation before anything is sent',
    text: test('expect permitted'),
    at: '4:3',
    message: 'Nothing has been sent yet.',
    help: 'Write `when GET /path is sent` before this line.',
  },
  {
    code: 'PT1401',
    what: 'a given behind what is sent',
    text: test('when GET /v1/orders is sent\n  expect permitted\n  given role "buyer"'),
    at: '6:3',
    message: 'What is given stands before everything that is sent.',
    help: 'Move it up; what differs between two steps is said behind `sent`: … is sent with header "x" is "y".',
  },
  {
    code: 'PT1101',
    what: 'a consumer that does not exist',
    text: given('given consumer "web-shopp"'),
    at: '4:18',
    message: 'There is no consumer "web-shopp".',
    help: 'Did you mean "web-shop" (tenants/acme.yaml:6:7)?',
  },
  {
    code: 'PT1101',
    what: 'a plan that does not exist',
    text: given('given tenant "acme" with plan "fre"'),
    at: '4:33',
    message: 'There is no plan "fre".',
    help: 'Did you mean "free"?',
  },
  {
    code: 'PT1101',
    what: 'a role that does not exist',
    text: given('given role "byer"'),
    at: '4:14',
    message: 'There is no role "byer".',
    help: 'Did you mean "buyer"?',
  },
  {
    code: 'PT1101',
    what: 'a policy that does not exist',
    text: test('when GET /v1/orders is sent\n  expect refused by "q"'),
    at: '5:21',
    message: 'There is no policy "q".',
    help: 'Did you mean "p" (a.policy:2:8)?',
  },
  {
    code: 'PT1101',
    what: 'a rule that does not exist',
    text: test('when GET /v1/orders is sent\n  expect refused by "p" "pase"'),
    at: '5:25',
    message: 'There is no rule "pase".',
    help: 'Did you mean "pace" (a.policy:2:34)?',
  },
  {
    code: 'PT1102',
    what: 'an attribute that is not declared',
    text: given('given tenant "acme" with teir "gold"'),
    at: '4:28',
    message: 'There is no fact tenant.teir.',
    help: 'Did you mean tier?',
  },
  {
    code: 'PT1402',
    what: 'somebody and nobody',
    text: given('given consumer "web-shop", no identity'),
    at: '4:9',
    message: 'This caller contradicts `no identity`.',
    help: 'Keep one of the two.',
  },
  {
    code: 'PT1402',
    what: 'a consumer of another tenant',
    text: given('given tenant "globex", consumer "web-shop"'),
    at: '4:26',
    message: 'Nobody in the project is all of this at once: the team or consumer belongs to another tenant.',
    help: 'Leave out the tenant, or name one of its own.',
  },
  {
    code: 'PT1403',
    what: 'a path that no route has',
    text: test('when GET /v1/ordes is sent\n  expect permitted'),
    at: '4:8',
    message: 'No route answers GET /v1/ordes.',
    help: 'Route "list-orders" answers /v1/orders (routes/shop.yaml:21:3).',
  },
  {
    code: 'PT1403',
    what: 'a route that is a draft',
    text: test('when GET /admin/users is sent\n  expect permitted'),
    at: '4:8',
    message: 'Route "admin" is draft, so the gateway does not serve it (routes/shop.yaml:15:3).',
    help: 'Test a route that is published, deprecated or retired.',
  },
  {
    code: 'PT1404',
    what: 'more expected than sent',
    text: test('when GET /v1/orders is sent\n  expect first 2 permitted'),
    at: '5:16',
    message: 'Only 1 is sent.',
    help: 'Write an amount that can be.',
  },
  {
    code: 'PT1404',
    what: 'more used than the limit has',
    text: given('given "pace" in "p" used 6'),
    at: '4:28',
    message: '"pace" counts 0 to 5.',
    help: 'Write an amount that can be.',
  },
  {
    code: 'PT1405',
    what: 'a refusal by a permit',
    text: test('when GET /v1/orders is sent\n  expect refused by "p" "all"'),
    at: '5:25',
    message: '"all" is a permit: it never refuses or warns.',
    help: 'Name a forbid, require, limit or quota.',
  },
  {
    code: 'PT1406',
    what: 'two tests of one name',
    text: `${test('when GET /v1/orders is sent\n  expect permitted')}test "t" { when GET /v1/orders is sent expect permitted }\n`,
    at: '7:6',
    message: 'There are two tests "t" in this file.',
    help: 'Give one another name.',
    related: ['a.policy:3:6 the other one'],
  },
  {
    code: 'PT0106',
    what: 'a test of a later version',
    text: test('when POST /v1/orders is sent with model "gpt-5"\n  expect permitted'),
    at: '4:37',
    message: '`model` belongs to a later version of the language; this one does not have it.',
    help: 'It comes with routes to AI models. Remove it until then.',
  },
];
