/** The examples of docs/running.md are one project, and its bounds are those of the table. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LIMIT_DEFAULTS, type LimitName } from '../../src/base/limits.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';

const PAGE = readFileSync(new URL('../../docs/running.md', import.meta.url), 'utf8');

test('the examples are accepted, and mean what the page says', () => {
  const files = [...PAGE.matchAll(/^```yaml (\S+)\n([\s\S]*?)^```$/gm)];
  const sources = files.map((block) => new SourceText(block[1]!, block[2]!));
  const { world, diagnostics } = loadWorld(sources, { projectFolder: '/project' });
  expect(diagnostics).toEqual([]);
  expect(world!.server.certificates).toHaveLength(2);
  expect(world!.routes.get('ticker')?.websocket).toEqual({ idleMs: 300_000, totalMs: 86_400_000 });
  expect(world!.routes.get('pay')?.priority).toBe('high');
  expect(world!.routes.get('list')?.priority).toBeNull();
  expect(world!.directory.tenants.get('acme')?.priority).toBe('low');
});

test('the bounds have these defaults', () => {
  const rows = [...PAGE.matchAll(/^\| `(\w+)`[^|]*\| ([\d,]+)(?: ms)? \|/gm)];
  expect(rows).toHaveLength(4);
  expect(LIMIT_DEFAULTS.websocketMessageBytes).toBe(1_048_576);
  expect(LIMIT_DEFAULTS.websocketBufferedBytes).toBe(1_048_576);
  for (const [, name, value] of rows)
    expect(LIMIT_DEFAULTS[name as LimitName]).toBe(Number(value!.replace(',', '')));
});
