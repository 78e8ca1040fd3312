/** What tests of policies see of calls to models: which model is called, what its provider gets, and what comes back. */
import { expect, it } from 'vitest';
import { TEST_PORTS } from '../../src/cli/run/test-ports.ts';
import { renderText } from '../../src/diagnostics/render/text.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkProject } from '../../src/tools/build-project.ts';
import { caseReport } from '../../src/tools/policy-tests/report.ts';
import { TestRunner } from '../../src/tools/policy-tests/run.ts';

const PROVIDERS = `providers:
  near: { extends: builtin/openai, region: eu }
  far: { extends: builtin/openai, region: us }
  old: { extends: builtin/openai, outputCapMember: max_tokens }
  claude: { extends: builtin/anthropic }
pools:
  near: { provider: near, keys: { k: { secret: "env:K" } } }
  far: { provider: far, keys: { k: { secret: "env:K" } } }
  old: { provider: old, keys: { k: { secret: "env:K" } } }
  claude: { provider: claude, keys: { k: { secret: "env:K" } } }
models:
  aspy: { pools: [claude], price: { input: $1, output: $10, asOf: 2026-11-01 } }
  both: { pools: [near, far], as: gpt-5, price: { input: $10, output: $100, asOf: 2026-11-01 } }
  old: { pools: [old] }
`;

/** What is wrong with each test, by its name; tests that pass are left out. */
function failures(rules: string, tests: string): Record<string, readonly string[]> {
  const texts = {
    'portunus.yaml': 'portunus: 1\n',
    'providers/p.yaml': PROVIDERS,
    'routes/ai.yaml':
      'routes:\n  chat: { ai: openai/chat, auth: none }\n  messages: { ai: anthropic/messages, auth: none }\n',
    'policies/a.policy': `language 1\npolicy "ai" {\n  permit\n${rules}\n}\n`,
    'policies/a.test.policy': `language 1\n${tests}`,
  };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const project = checkProject(sources, '/project', Date.UTC(2026, 10, 24));
  expect(renderText(project.diagnostics, { colour: 'off' })).toBe('No findings.\n');
  const { policies, world } = project.built!;
  const runner = new TestRunner(policies, world, TEST_PORTS);
  const reports = project.tests.map((test) => caseReport(runner.run(test)));
  return Object.fromEntries(
    reports.flatMap(({ name, failures }) =>
      failures.length === 0 ? [] : [[name, failures.flatMap(({ happened }) => happened[0]!)]],
    ),
  );
}

it('a test that names no model calls the first that speaks the dialect of the route', () => {
  expect(
    failures(
      '',
      `test "chat" { when POST /v1/chat/completions is sent  expect permitted with model "both" }
test "messages" { when POST /v1/messages is sent  expect permitted with model "aspy" }
test "another" { when POST /v1/messages is sent  expect permitted with model "both" }`,
    ),
  ).toEqual({ another: ['the model was "aspy"'] });
});

it('the body that is expected is the one that the provider gets', () => {
  expect(
    failures(
      '  cap request.output_cap at 500  when request.header["x-free"] is absent',
      `test "less" { when POST /v1/chat/completions is sent with body.model "both" and body.max_completion_tokens 4_000
  expect permitted with body.max_completion_tokens 500 and body.model "gpt-5" }
test "none" { when POST /v1/chat/completions is sent with body.model "both" and body.stream true
  expect permitted with body.max_completion_tokens 500 and body.stream_options.include_usage true }
test "in the words of the provider" { when POST /v1/chat/completions is sent with body.model "old" and body.max_completion_tokens 4_000
  expect permitted with body.max_tokens 500 }
test "not the word of the caller" { when POST /v1/chat/completions is sent with body.model "both" and body.max_tokens 4_000
  expect permitted with body.max_tokens 500 }
test "within it" { when POST /v1/chat/completions is sent with body.model "both" and body.max_tokens 400
  expect permitted with body.max_tokens 400 }
test "free" { given request with header "x-free" is "1"
  when POST /v1/chat/completions is sent with body.model "both" and body.max_tokens 4_000
  expect permitted with body.max_tokens 4_000 }`,
    ),
  ).toEqual({
    'not the word of the caller': [
      'body.max_tokens was missing: its provider knows it as body.max_completion_tokens, which was 500',
    ],
  });
});
