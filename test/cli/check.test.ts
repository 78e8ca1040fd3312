import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Project, runPortunus, writeProject } from '../gateway/running-gateway.ts';

/** The command itself: formats, exit codes, and the page of a code. What is found is the matter of the case tables. */
let fine: Project;
let wrong: Project;
let warned: Project;
let empty: string;

beforeAll(async () => {
  const routes = `services: { s: { endpoints: [{ url: "http://127.0.0.1:1" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`;
  const permit = 'language 1\npolicy "p" { permit }\n';
  fine = await writeProject({ 'routes/r.yaml': routes, 'policies/p.policy': permit });
  warned = await writeProject(
    {
      'routes/r.yaml': routes,
      'policies/p.policy': `${permit}policy "q" applies to routes in state draft { permit }\n`,
    },
    { settings: 'clientCertificates: { trustedProxies: [10.0.0.7] }' },
  );
  wrong = await writeProject({
    'routes/r.yaml': routes,
    'policies/p.policy': 'language 1\npolicy "p" {\n  permit when route is "al"\n}\n',
  });
  empty = await mkdtemp(join(tmpdir(), 'portunus-empty-'));
});
afterAll(async () => {
  for (const project of [fine, wrong, warned]) await project.remove();
  await rm(empty, { recursive: true });
});

async function check(...commandLine: readonly string[]) {
  const { code, stdout, stderr } = await runPortunus(['check', ...commandLine]);
  return { code, stdout, stderr };
}

describe('portunus check', () => {
  it('says that a project is fine, and ends with 0', async () => {
    expect(await check(fine.folder)).toEqual({
      code: 0,
      stdout: 'Fine: 1 route, 1 policy, 0 tenants.\n',
      stderr: '',
    });
  });

  it('ends with 1 when there are errors, and prints no escapes where nobody looks', async () => {
    const { code, stdout } = await check(wrong.folder);
    expect(code).toBe(1);
    expect(stdout).toContain('error[PT1101]: There is no route "al".');
    expect(stdout).not.toContain('\u001b');
  });

  it('takes warnings as errors when asked to', async () => {
    expect((await check(warned.folder)).code).toBe(0);
    const { code, stdout } = await check(warned.folder, '--warnings-as-errors');
    expect(code).toBe(1);
    expect(stdout).toContain('error[PT2108]');
    expect(stdout).toContain('error[PT3507]: No route takes certificates of clients');
  });

  it('says on the standard error what took how long, by step and by policy, when asked to', async () => {
    const { code, stdout, stderr } = await check(fine.folder, '--timings');
    expect(code).toBe(0);
    expect(stdout).toBe('Fine: 1 route, 1 policy, 0 tenants.\n');
    expect(stderr.replaceAll(/[\d.]+ ms/g, 'N ms').replaceAll(/ +/g, ' ')).toBe(
      ' N ms routes, tenants and settings read and checked\n' +
        ' N ms policies read\n N ms policies checked\n N ms rules compiled for all routes, with their code\n\n' +
        ' all reading checking compiling policy\n N ms N ms N ms N ms "p"\n',
    );
    const [all, ...parts] = [...stderr.split('\n')[6]!.matchAll(/([\d.]+) ms/g)].map(([, ms]) => Number(ms));
    expect(parts).toHaveLength(3);
    for (const part of parts) expect(part).toBeGreaterThan(0);
    const sum = parts.reduce((most, part) => most + part, 0);
    expect(Math.abs(all! - sum), 'each of the four is rounded').toBeLessThanOrEqual(2);
  });

  it('says what took how long also of a project with errors', async () => {
    const { code, stdout, stderr } = await check(wrong.folder, '--timings', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout).diagnostics).toHaveLength(1);
    expect(stderr).toContain('"p"');
  });

  it.each([
    ['json', (text: string) => JSON.parse(text).diagnostics[0].code],
    ['sarif', (text: string) => JSON.parse(text).runs[0].results[0].ruleId],
    ['github', (text: string) => /title=(PT\d+)::/.exec(text)?.[1]],
    ['junit', (text: string) => /<failure type="(PT\d+)"/.exec(text)?.[1]],
  ])('reports as %s', async (format, codeIn) => {
    const { code, stdout } = await check(wrong.folder, '--format', format);
    expect(code).toBe(1);
    expect(codeIn(stdout)).toBe('PT1101');
  });

  it('has --json as another word for --format json', async () => {
    expect(await check(wrong.folder, '--json')).toEqual(await check(wrong.folder, '--format', 'json'));
    expect((await check(wrong.folder, '--json', '--format', 'sarif')).code).toBe(2);
  });

  it('ends with 2 for wrong arguments and with 3 when it cannot run', async () => {
    expect((await check('--format', 'html')).code).toBe(2);
    expect((await check(join(empty, 'nowhere'))).code).toBe(3);
  });

  it('prints the page of a code', async () => {
    const { code, stdout } = await check('--explain', 'pt1204');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^PT1204\n\nUnit missing \(error\)\. /);
    expect(stdout).toContain('    error[PT1204]: ');
    expect(stdout).not.toContain('PT1205');
    expect(stdout).not.toContain('```');
  });

  it('suggests a code for one that does not exist', async () => {
    expect(await check('--explain', 'PT12O3')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'portunus check: There is no code "PT12O3". Did you mean PT1203?\n',
    });
  });
});
