import { expect, test } from 'vitest';
import { PROJECT_CODES } from '../diagnostics/catalogue/project.ts';
import { renderText } from '../diagnostics/render/text.ts';
import { SourceText } from '../diagnostics/source.ts';
import { PROJECT_CASES } from './build-project.cases.ts';
import { buildProject } from './build-project.ts';

/** What is due is due on this day. */
const WALL_MS = Date.UTC(2027, 0, 15);

test.each(PROJECT_CASES)('$code: $what', ({ texts, rendered }) => {
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const { built, diagnostics } = buildProject(sources, '/srv/gateway', WALL_MS);
  expect(renderText(diagnostics, { colour: 'off' })).toBe(rendered);
  expect(built === null).toBe(diagnostics.some(({ severity }) => severity === 'error'));
});

test('every code about policies and routes together has a case', () => {
  const shown = new Set<string>(PROJECT_CASES.map(({ code }) => code));
  expect(Object.keys(PROJECT_CODES).filter((code) => !shown.has(code))).toEqual([]);
});
