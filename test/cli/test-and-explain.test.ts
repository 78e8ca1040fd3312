import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Project, runPortunus, writeProject } from '../gateway/running-gateway.ts';

/** The commands themselves: formats and exit codes. What is found and said is the matter of test/tools. */
const QUICKSTART = new URL('../../policies/quickstart/', import.meta.url).pathname;

let failing: Project;
let broken: Project;

beforeAll(async () => {
  const routes = `services: { s: { endpoints: [{ url: "http://127.0.0.1:1" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`;
  const policy = 'language 1\npolicy "p" { permit }\n';
  const test = (expected: string) => `language 1\ntest "one" { when GET /a is sent expect ${expected} }\n`;
  const files = { 'routes/r.yaml': routes, 'policies/p.policy': policy };
  failing = await writeProject({ ...files, 'policies/p.test.policy': test('refused 403') });
  broken = await writeProject({ ...files, 'policies/p.test.policy': test('refused by "q"') });
});
afterAll(async () => {
  for (const project of [failing, broken]) await project.remove();
});

const run = (...commandLine: readonly string[]) => runPortunus(commandLine);

describe('portunus test', () => {
  it('runs the tests of the quick start, and every rule of it is missed when it is gone', async () => {
    const { code, stdout, stderr } = await run('test', QUICKSTART, '--coverage', '--each-rule');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('18 of 18    in all');
    expect(stdout).toContain('Without any one of the rules, at least one test fails.');
    expect(stdout).toMatch(/\nFine: 19 tests passed\.\n$/);
  });

  it('ends with 1 when one fails, in every format', async () => {
    for (const format of ['text', 'json', 'junit', 'github']) {
      expect((await run('test', failing.folder, '--format', format)).code).toBe(1);
    }
    const { stdout } = await run('test', failing.folder, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      passed: 0,
      failed: 1,
      tests: [{ name: 'one', failures: [{ expected: 'refused 403' }] }],
    });
  });

  it('ends with 3 when the project has errors, those of tests too', async () => {
    const { code, stdout, stderr } = await run('test', broken.folder);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain('error[PT1101]: There is no policy "q".');
    expect((await run('check', broken.folder)).code).toBe(1);
  });

  it('ends with 2 for a filter that leaves nothing', async () => {
    const { code, stderr } = await run('test', failing.folder, '--filter', 'two');
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'portunus test: no test has "two" in its name.\n' });
    expect((await run('test', failing.folder, '--json', '--format', 'junit')).code).toBe(2);
  });

  it('finds rules that nothing tests', async () => {
    const file = join(failing.folder, 'policies/p.test.policy');
    const before = readFileSync(file, 'utf8');
    await rm(file);
    const { code, stdout } = await run('test', failing.folder, '--each-rule');
    expect(code).toBe(1);
    expect(stdout).toContain('No test fails without:\n  "p" permit  (policies/p.policy:2:14)');
    await writeFile(file, before);
  });
});

describe('portunus explain', () => {
  it('explains a route, its code, a request and the configuration', async () => {
    const route = await run('explain', 'order-reports', QUICKSTART);
    expect(route).toMatchObject({ code: 0, stderr: '' });
    expect(route.stdout).toContain('refused 403 code "plan_too_small" when tenant.plan is "free"');
    const code = await run('explain', 'order-reports', QUICKSTART, '--code');
    expect(code.stdout).toContain('// "plans" forbid "reports"  policies/plans.policy:9:5');
    const config = await run('explain', 'config', QUICKSTART, '--json');
    expect(JSON.parse(config.stdout)).toContainEqual(
      expect.objectContaining({ path: 'zone', value: '"Europe/Berlin"' }),
    );
    const request = ['explain', 'order-reports', QUICKSTART, '--request', 'GET /reports'];
    const refused = await run(...request, '--consumer', 'web-shop', '--time', '2026-12-05 10:00', '--json');
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      permitted: false,
      reply: { status: 403, code: 'plan_too_small' },
      change: { ways: [{ changes: [{ fact: 'tenant.plan', enough: 'other than "free"' }] }] },
    });
    expect((await run(...request, '--consumer', 'erp')).code).toBe(0);
  });

  it('ends with 2 for what is not there', async () => {
    const unknown = await run('explain', 'order-report', QUICKSTART);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toBe(
      'portunus explain: there is no route "order-report". Did you mean "order-reports"?\n',
    );
    const other = await run('explain', 'list-orders', QUICKSTART, '--request', 'GET /reports');
    expect(other).toMatchObject({ code: 2 });
    expect(other.stderr).toContain('this request is for route "order-reports", not for "list-orders".');
  });
});
