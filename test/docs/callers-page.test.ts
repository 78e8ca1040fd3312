/** The examples of docs/callers.md are accepted. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { LIMIT_DEFAULTS } from '../../src/base/limits.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';

const PAGE = readFileSync(new URL('../../docs/callers.md', import.meta.url), 'utf8');

it('the example of the page loads, and its bound is the default', () => {
  // Sections add to portunus.yaml; what they show of it alone is written without its name.
  const files = new Map<string, string>();
  for (const [, path, text] of PAGE.matchAll(/```yaml(?: (\S+))?\n(.*?)```/gs)) {
    const file = path ?? 'portunus.yaml';
    files.set(file, (files.get(file) ?? '') + text!);
  }
  const sources = [...files].map(([path, text]) => new SourceText(path, text));
  const { world, diagnostics } = loadWorld(sources, { projectFolder: '/project' });
  expect(diagnostics).toEqual([]);
  expect(world?.directory.tenants.get('acme')?.consumers.get('web-shop')?.team).toBe('shop');
  expect(world?.server.signatures).toEqual({
    components: ['@method', '@authority', '@path', '@query'],
    maxAgeMs: 60_000,
    clockSkewMs: 10_000,
  });
  expect(PAGE).toContain(
    `\`limits.signaturesRemembered\` (${LIMIT_DEFAULTS.signaturesRemembered.toLocaleString('en')})`,
  );
  expect(PAGE).toContain(
    `\`limits.consumerKeys\` (${LIMIT_DEFAULTS.consumerKeys.toLocaleString('en')}) keys`,
  );
});
