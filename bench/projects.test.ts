import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { generatedPath, writeProject } from './projects.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-bench-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function project(generatedRoutes: number, rules: 'governed' | 'ungoverned') {
  writeProject({
    folder,
    rules,
    upstreamPort: 9_001,
    port: 1,
    adminPort: 2,
    dataThreads: 2,
    generatedRoutes,
  });
  const routes = readdirSync(join(folder, 'routes')).map(
    (file) => parse(readFileSync(join(folder, 'routes', file), 'utf8')).routes as Record<string, Route>,
  );
  const tenants = parse(readFileSync(join(folder, 'tenants', 'acme.yaml'), 'utf8'));
  return {
    routes: Object.assign({}, ...routes) as Record<string, Route>,
    subscriptions: tenants.tenants.acme.consumers.web.subscriptions as string[],
  };
}

interface Route {
  readonly auth: string;
  readonly match: { readonly path: string };
}

describe('a bench project', () => {
  it('subscribes its consumer to every route', () => {
    const { routes, subscriptions } = project(2_500, 'governed');
    expect(Object.keys(routes)).toHaveLength(2_502);
    expect(subscriptions.toSorted()).toEqual(Object.keys(routes).toSorted());
  });

  it('gives every generated route a path of its own', () => {
    const { routes } = project(2_500, 'governed');
    const paths = new Set(Object.values(routes).map((route) => route.match.path));
    expect(paths.size).toBe(2_502);
    for (const index of [0, 999, 1_000, 2_499]) {
      const pattern = routes[`generated-${index}`]!.match.path;
      expect(generatedPath(index)).toBe(pattern.replace('{id}', '42'));
    }
  });

  it.each(['governed', 'ungoverned'] as const)('asks for identity only when %s', (rules) => {
    const { routes } = project(1, rules);
    const expected = rules === 'governed' ? 'required' : 'none';
    expect(new Set(Object.values(routes).map((route) => route.auth))).toEqual(new Set([expected]));
  });
});
