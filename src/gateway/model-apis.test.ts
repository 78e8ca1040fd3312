import { expect, it } from 'vitest';
import { simulatedRoute } from './exchange.cases.ts';
import { dialectBelow, modelApis } from './model-apis.ts';

const route = (
  name: string,
  path: string,
  ai: 'openai/chat' | 'anthropic/messages',
  hosts: readonly string[] = [],
) => {
  const made = simulatedRoute(path, { name, ai });
  return { ...made, match: { ...made.match, hosts } };
};
const APIS = modelApis([
  route('openai/chat', '/v1/chat/completions', 'openai/chat'),
  route('anthropic/messages', '/v1/messages', 'anthropic/messages'),
  route('claude/messages', '/{who}/claude/messages', 'anthropic/messages', ['ai.test', '*.ai.test']),
  route('single', '/single/chat/completions', 'openai/chat'),
]);
const below = (path: string, host = 'a.test', headers: readonly string[] = []) =>
  dialectBelow(APIS, { host, path, headers });

it('tells in whose words a request speaks that is below a line of all operations', () => {
  expect(below('/v1/files')).toBe('openai');
  expect(below('/v1/files', 'a.test', ['anthropic-version', '2023-06-01'])).toBe('anthropic');
  expect(below('/x/claude/files', 'ai.test')).toBe('anthropic');
  expect(below('/x/claude/files', 'eu.ai.test')).toBe('anthropic');
});

it('speaks nobody’s where it is below none', () => {
  expect(below('/v1')).toBeNull();
  expect(below('/v2/files')).toBeNull();
  expect(below('/x/claude/files')).toBeNull();
  expect(below('/single/files')).toBeNull();
  expect(dialectBelow([], { host: '', path: '/v1/files', headers: [] })).toBeNull();
});
