import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readProject } from '../../src/cli/run/project-files.ts';
import { checkProject } from '../../src/tools/build-project.ts';
import { largePolicyFile, RESOURCES_MIN, writeCompany } from './company.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-company-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function checked() {
  const read = await readProject(folder);
  if (!read.ok) throw new Error(read.error);
  return checkProject(read.value.texts, folder, Date.UTC(2026, 10, 24));
}

it('writes a project without a mistake', async () => {
  writeCompany({ folder, areas: 3, resources: 20, tenants: 12, policies: true });
  const { built, diagnostics } = await checked();
  expect(diagnostics).toEqual([]);
  expect(built?.world.routes.size).toBe(300);
  expect(built?.policies.policies).toHaveLength(30);
  expect(built?.world.directory.tenants.size).toBe(12);
});

it('writes one large file of policies, as large as asked', async () => {
  writeCompany({ folder, areas: 2, resources: RESOURCES_MIN, tenants: 12, policies: false });
  const text = largePolicyFile(40_000, 2, 12);
  expect(text.length).toBeGreaterThanOrEqual(40_000);
  writeFileSync(join(folder, 'policies', 'large.policy'), text);
  const { built, diagnostics } = await checked();
  expect(diagnostics).toEqual([]);
  expect(built?.policies.policies.length).toBeGreaterThan(50);
});
