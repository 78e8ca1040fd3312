/** What the compiler promises of its code: work that is shared is done once, and how much there is does not grow with the rules. */
import { describe, expect, it } from 'vitest';
import { readableCode } from '../../src/compiler/readable-code.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { CONTINUE } from '../../src/pipeline/outcome.ts';
import { buildProject } from '../../src/tools/build-project.ts';
import { requestContext, start } from './world.ts';

const ROUTES = `services:
  backend: { endpoints: [{ url: "http://127.0.0.1:9000" }] }
routes:
  orders: { service: backend, match: { path: "/orders/{id}" }, auth: required, tags: [money] }
  health: { service: backend, match: { path: "/health" }, auth: required }
`;

function built(rules: string) {
  const project = buildProject(
    [
      new SourceText('portunus.yaml', 'portunus: 1\nlisten: { address: 127.0.0.1, port: 8080 }\n'),
      new SourceText('routes/all.yaml', ROUTES),
      new SourceText('policies/all.policy', `language 1\npolicy "p"\n{\n${rules}\n}\n`),
    ],
    '/project',
    0,
  );
  expect(project.diagnostics.map(({ message }) => message)).toEqual([]);
  return project.built!;
}

/** The functions of one route, as `explain --code` shows them. */
function codeOf(rules: string, route = 'orders'): string {
  const { policies, world } = built(rules);
  return readableCode(policies, world, world.routes.get(route)!);
}

/** The lines of one generated function. */
function bodyOf(name: string, code: string): string {
  const from = code.indexOf(`function ${name}(`);
  expect(from).toBeGreaterThan(-1);
  return code.slice(from, code.indexOf('\n}\n', from));
}

function times(part: string, code: string): number {
  return code.split(part).length - 1;
}

const letters = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `"code-${from + index}"`).join(', ');

describe('generated code', () => {
  it.each([
    ['present', ['x-kind', 'abcz'], 1],
    ['missing', ['accept', '*/*'], 1],
  ])('seeks a fact once that many rules share: %s', (_name, headers, scans) => {
    const { policies, world } = built(`permit
      forbid "a" when request.header["x-kind"] is present and request.header["x-kind"] like "b*z" and request.method is "GET"
      forbid "b" when request.method is "GET" and request.header["x-kind"] is present and request.header["x-kind"] like "b*z"
      forbid "c" when request.header["x-kind"] is present and request.header["x-kind"] like "c*z" and request.host is "h"`);
    const { pipeline } = start(policies, world, 'orders');
    let begun = 0;
    const counted = new Proxy(headers, {
      get: (target, name) => {
        if (name === '0') begun++;
        return Reflect.get(target, name);
      },
    });
    expect(pipeline.match(requestContext({ method: 'GET', host: 'h', headers: counted }))).toBe(CONTINUE);
    expect(begun).toBe(scans);
  });

  it('asks a predicate once that many rules share', () => {
    const match = bodyOf(
      'match',
      codeOf(`permit
        forbid "a" when request.path like "/a*z" and request.method is "PUT"
        forbid "b" when request.path like "/a*z" or request.host is "b.example"
        forbid "c" when not request.path like "/a*z" and request.method is "DELETE"`),
    );
    const [name] = /holds\d+(?= \?\?= globTest| = globTest)/.exec(match)!;
    const elsewhere = match.replaceAll(/\(holds\d+ \?\?= globTest\d+\([^)]*\)\)/g, name);
    expect(times('globTest', elsewhere)).toBeLessThanOrEqual(1);
    expect(times(name, elsewhere)).toBeGreaterThanOrEqual(3);
  });

  it('decides on the route what is known of it, and leaves nothing of rules that are not for it', () => {
    const rules = `permit "money" when route.tags contains "money" and request.method is "GET"
      permit "health" when route is "health"`;
    expect(bodyOf('authorise', codeOf(rules))).toContain('if (context.method === "GET")');
    expect(bodyOf('authorise', codeOf(rules, 'health'))).not.toContain('if (context.method');
    expect(codeOf(rules)).not.toMatch(/"money"(?! {2}p)/);
  });

  it('looks texts of a longer list up in one set, compares those of a short one', () => {
    const match = bodyOf(
      'match',
      codeOf(`permit
        forbid "long" when request.host in [${letters(12)}]
        forbid "short" when request.host in [${letters(3, 50)}]`),
    );
    expect(times('setOf', match)).toBe(1);
    expect(times(' === "code-5', match)).toBe(3);
  });

  it('makes one test of many networks', () => {
    const networks = Array.from({ length: 40 }, (_, index) => `"10.${index * 2}.0.0/16"`).join(', ');
    const match = bodyOf('match', codeOf(`permit\n forbid when request.ip in [${networks}]`));
    expect(times('networksTest', match)).toBe(1);
    expect(match).not.toMatch(/10\.\d/);
  });

  it('asks first what costs least, whatever was written first', () => {
    const code = codeOf(
      'permit\n forbid when request.ip in ["10.0.0.0/8"] and request.header["a"] is present and request.method is "PUT"',
    );
    expect(bodyOf('match', code)).toMatch(
      /if \(context\.method === "PUT" && .*header.* && networksTest\d+\(/,
    );
  });

  it.each([
    ['firstPermit', (at: number) => `permit when request.host is "n${at}"`],
    ['match', (at: number) => `forbid when request.host is "n${at}"`],
    [
      'admit',
      (at: number) =>
        `limit "l${at}" at most ${at + 1} requests in any 1s in total when request.host is "n${at}"`,
    ],
    ['shapeRequest', (at: number) => `set header "x-of" to "${at}" in request when request.host is "n${at}"`],
    ['requestMasks', (at: number) => `mask email in request with "${at}" when request.host is "n${at}"`],
    ['totalTimeoutMs', (at: number) => `timeout ${at + 1}s when request.host is "n${at}"`],
  ])('finds rules by the value they demand, however many there are: %s', (phase, rule) => {
    const code = (count: number) =>
      bodyOf(
        phase,
        codeOf(
          [
            'permit "all" when request.method is "GET"',
            ...Array.from({ length: count }, (_, at) => rule(at)),
          ].join('\n'),
        ),
      );
    expect(code(60)).toBe(code(20));
    expect(code(20)).toMatch(/table\d+\.get\(/);
  });
});
