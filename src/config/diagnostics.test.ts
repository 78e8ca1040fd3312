import { expect, test } from 'vitest';
import { CONFIGURATION_CODES } from '../diagnostics/catalogue/configuration.ts';
import { renderText } from '../diagnostics/render/text.ts';
import { PROJECT_FOLDER, sources } from './config.cases.ts';
import { DIAGNOSTIC_CASES } from './diagnostics.cases.ts';
import { loadWorld } from './load.ts';

test.each(DIAGNOSTIC_CASES)('$code: $name', ({ code, texts, rendered }) => {
  const { world, diagnostics } = loadWorld(sources(texts), { projectFolder: PROJECT_FOLDER });
  expect(renderText(diagnostics, { colour: 'off' })).toBe(rendered);
  expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(code);
  expect(world === null).toBe(diagnostics.some(({ severity }) => severity === 'error'));
});

test('every code of the configuration has a case', () => {
  const shown = new Set<string>(DIAGNOSTIC_CASES.map(({ code }) => code));
  expect(Object.keys(CONFIGURATION_CODES).filter((code) => !shown.has(code))).toEqual([]);
});
