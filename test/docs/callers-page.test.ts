/** The examples of docs/callers.md are accepted. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { LIMIT_DEFAULTS } from '../../src/base/limits.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';

const PAGE = readFileSync(new URL('../../docs/callers.md', import.meta.url), 'utf8');

it('the example of the page loads, and its bound is the default', () => {
  const examples = [...PAGE.matchAll(/```yaml (\S+)\n(.*?)```/gs)].map(
    ([, path, text]) => new SourceText(path!, text!),
  );
  const settings = examples.some(({ path }) => path === 'portunus.yaml')
    ? []
    : [new SourceText('portunus.yaml', 'portunus: 1\n')];
  const { world, diagnostics } = loadWorld([...settings, ...examples], { projectFolder: '/project' });
  expect(diagnostics).toEqual([]);
  expect(world?.directory.tenants.get('acme')?.consumers.get('web-shop')?.team).toBe('shop');
  expect(PAGE).toContain(
    `\`limits.consumerKeys\` (${LIMIT_DEFAULTS.consumerKeys.toLocaleString('en')}) keys`,
  );
});
