/** What docs/mock-provider.md says can be done is done, and everything that can be done is on it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ok } from '../../src/base/result.ts';
import { systemClock } from '../../src/cli/run/system-clock.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { projectStoodFor } from '../../src/tools/mock-provider/of-project.ts';
import { startMockProvider } from '../../src/tools/mock-provider/server.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const PAGE = read('../../docs/mock-provider.md');

test('its project is accepted, and every request of the page is answered', async () => {
  const files = [...PAGE.matchAll(/^```yaml (\S+)\n([\s\S]*?)^```$/gm)].map(
    ([, path, text]) => new SourceText(path!, text!),
  );
  const { world, diagnostics } = loadWorld([new SourceText('portunus.yaml', 'portunus: 1\n'), ...files], {
    projectFolder: '/project',
  });
  expect(diagnostics).toEqual([]);
  const stoodFor = projectStoodFor(world!.models, 9_002, () => ok(Buffer.from('mock-key-first')));
  const started = await startMockProvider({
    ...{ ...stoodFor, port: 0, seed: 1, latencyMs: [0, 0], eventMs: 0 },
    clock: systemClock(),
  });
  if (!started.ok) throw new Error(started.error);
  const asked = [...PAGE.matchAll(/^curl http:\/\/127\.0\.0\.1:9002(\S+)(?: -d '(.*)')?$/gm)];
  for (const [, path, body] of asked) {
    const request = body === undefined ? {} : { method: 'POST', body };
    expect([path, (await fetch(`${started.value.url}${path}`, request)).status]).toEqual([path, 200]);
  }
  await started.value.close();
  const named = new Set(asked.map(([, path]) => path));
  const known = read('../../src/tools/mock-provider/control.ts').matchAll(/'(?:GET|POST) (\/mock\/[a-z]+)'/g);
  expect([...named].sort()).toEqual([...new Set([...known].map(([, path]) => path))].sort());
});
