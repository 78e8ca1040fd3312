/** The import as it is delivered: joined into one script, with the code that V8 kept of it. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BUNDLE_CODE } from '../../src/cli/bundle.ts';
import { PORTUNUS, runPortunus } from '../gateway/running-gateway.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portunus-import-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('writes a project that is fine, with the kept code in use', async () => {
  expect(existsSync(PORTUNUS.replace(/main\.js$/, BUNDLE_CODE.slice(BUNDLE_CODE.lastIndexOf('/') + 1)))).toBe(
    true,
  );
  const document = join(folder, 'shop.yaml');
  await writeFile(
    document,
    `openapi: 3.1.0
info: { title: Shop, version: 1.0.0 }
servers: [{ url: https://shop.example }]
paths:
  /orders:
    get: { operationId: listOrders, responses: { "200": { description: all of them } } }
`,
  );
  const project = join(folder, 'project');
  const imported = await runPortunus(['import', 'openapi', document, project]);
  expect([imported.code, imported.stderr]).toEqual([0, '']);
  const files = imported.stdout.match(/routes\/\S+\.yaml/);
  expect(await readFile(join(project, files![0]), 'utf8')).toContain('/orders');
});
