/** Pages made from tables and files are as those are now: `npm run generate` writes them. */
import { expect, test } from 'vitest';
import { adminApiPage } from './admin-api-page.ts';
import { alertsPage } from './alerts-page.ts';
import { libraryPage } from './library-page.ts';
import { metricsPage } from './metrics-page.ts';
import { referencePage } from './reference-page.ts';

test('docs/reference.md', async () => {
  await expect(referencePage()).toMatchFileSnapshot('../../docs/reference.md');
});

test('docs/admin-api.md', async () => {
  await expect(adminApiPage()).toMatchFileSnapshot('../../docs/admin-api.md');
});

test('policies/README.md', async () => {
  await expect(libraryPage()).toMatchFileSnapshot('../../policies/README.md');
});

test('docs/alerts.md', async () => {
  await expect(alertsPage()).toMatchFileSnapshot('../../docs/alerts.md');
});

test('docs/metrics.md', async () => {
  await expect(metricsPage()).toMatchFileSnapshot('../../docs/metrics.md');
});
