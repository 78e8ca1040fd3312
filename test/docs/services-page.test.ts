/** The example of docs/services.md is accepted, and its lines are the defaults, as the page says. */
import { readFileSync } from 'node:fs';
import { dump, load } from 'js-yaml';
import { expect, test } from 'vitest';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import type { Service } from '../../src/model/world.ts';

const PAGE = readFileSync(new URL('../../docs/services.md', import.meta.url), 'utf8');
const [, PATH, TEXT] = /^```yaml (\S+)\n([\s\S]*?)^```$/m.exec(PAGE)!;

function serviceIn(text: string): Service {
  const sources = [new SourceText('portunus.yaml', 'portunus: 1\n'), new SourceText(PATH!, text)];
  const { world, diagnostics } = loadWorld(sources, { projectFolder: '/project' });
  expect(diagnostics).toEqual([]);
  return world!.services.get('orders')!;
}

test('what the example says is what holds without it, but for checks and certificates', () => {
  const document = load(TEXT!) as { services: { orders: Record<string, unknown> } };
  const { orders } = document.services;
  const said = serviceIn(TEXT!);
  for (const name of ['outliers', 'slowStart', 'resolve', 'retries', 'tls']) delete orders[name];
  orders.health = { path: '/healthz' };
  const { tls: _, ...unsaid } = serviceIn(dump(document));
  expect(said).toMatchObject({ ...unsaid, place: said.place });
});
