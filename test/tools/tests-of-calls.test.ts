/** What tests of policies see of calls to models: which model is called, what its provider gets, and what comes back. */
import { expect, it } from 'vitest';
import { PromptTables } from '../../src/cli/run/prompt-tables.ts';
import { testPorts } from '../../src/cli/run/test-ports.ts';
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
  later: { pools: [old], outputTokensMax: 100_000, price: { input: $1, output: $1, asOf: 2026-11-01 }, pricesFrom: { 2026-12-02: { input: $1_000, output: $10_000 } } }
  old: { pools: [old], outputTokensMax: 100_000, price: { input: $1, output: $1, asOf: 2026-11-01 } }
`;

/** What is wrong with each test, by its name; tests that pass are left out. */
function failures(rules: string, tests: string, ports = testPorts()): Record<string, readonly string[]> {
  const texts = {
    'portunus.yaml': 'portunus: 1\n',
    'providers/p.yaml': PROVIDERS,
    'routes/ai.yaml':
      'routes:\n  chat: { ai: openai/chat, auth: none }\n  messages: { ai: anthropic/messages, auth: none }\n  list: { ai: openai/models, auth: none }\n',
    'policies/a.policy': `language 1\npolicy "ai" {\n  permit\n${rules}\n}\n`,
    'policies/a.test.policy': `language 1\n${tests}`,
  };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const project = checkProject(sources, '/project', Date.UTC(2026, 10, 24));
  expect(renderText(project.diagnostics, { colour: 'off' })).toBe('No findings.\n');
  const { policies, world } = project.built!;
  const runner = new TestRunner(policies, world, ports);
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

it('prompts are counted where a limit has no room for their bytes, as at the gateway', async () => {
  const tables = new PromptTables();
  const ports = testPorts(tables);
  const seen: string[][] = [];
  const run = () => {
    const found = failures(
      '  limit "pace" at most 200 tokens in any 1m  in total',
      `test "counted" { when POST /v1/chat/completions is sent with body.model "both" and body.max_completion_tokens 100
  and body.messages[1].role "user" and body.messages[1].content "${'Every gateway counts what passes it. '.repeat(6)}"
  expect permitted
  when POST /v1/chat/completions is sent with body.model "both" and body.max_completion_tokens 100
  expect refused by "ai" "pace" }
test "too many" { when POST /v1/chat/completions is sent with body.model "both" and body.max_completion_tokens 100
  and body.messages[1].role "user" and body.messages[1].content "${'gateway '.repeat(120)}"
  expect refused by "ai" "pace" }`,
      ports,
    );
    seen.push(Object.keys(found));
  };
  // their tables are loaded once they are asked for
  await tables.judged(run);
  expect(seen).toEqual([['counted'], []]);
});

it('prices are those of the time that is given', () => {
  expect(
    failures(
      '  budget "day" $5 per day  in total',
      `test "before" { given time 2026-12-01 10:00
  when POST /v1/chat/completions is sent with model "later" and body.max_tokens 1_000  expect permitted }
test "since" { given time 2026-12-03 10:00
  when POST /v1/chat/completions is sent with model "later" and body.max_tokens 1_000  expect refused by "ai" "day" }
test "over midnight" { given time 2026-12-01 23:00
  when POST /v1/chat/completions is sent with model "later" and body.max_tokens 1_000  expect permitted
  when POST /v1/chat/completions is sent after 2h with model "later" and body.max_tokens 1_000  expect refused by "ai" "day" }
test "told" { given time 2026-12-03 10:00, model "later" replies "Hi" with 5_000 input tokens and 1 output tokens
  when POST /v1/chat/completions is sent with model "later" and body.max_tokens 4  expect permitted
  when POST /v1/chat/completions is sent with model "later" and body.max_tokens 4  expect refused by "ai" "day" }`,
    ),
  ).toEqual({});
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

it('a request names its model by itself, or beside the rest of its body', () => {
  expect(
    failures(
      '  forbid "long" when request.output_cap otherwise 1 > 50',
      `test "alone" { when POST /v1/chat/completions is sent with model "old"  expect permitted with model "old" and body.max_tokens 1 }
test "beside" { when POST /v1/chat/completions is sent with model "old" and body.max_tokens 60  expect refused 401 by "ai" "long" }
test "given" { given request with model "old"
  when POST /v1/chat/completions is sent  expect permitted with model "old"
  when POST /v1/chat/completions is sent with model "both"  expect permitted with model "both"
  when POST /v1/chat/completions is sent with body.messages[1].content "Hi"  expect permitted with model "old" and body.messages[1].content "Hi" }
test "of another dialect" { when POST /v1/chat/completions is sent with model "aspy"  expect permitted }
test "not that text" { when POST /v1/chat/completions is sent with model "old" and body.messages[1].content "Hi"
  expect permitted with body.messages[1].content "Ho" and body.messages[2].content "Hi" }`,
    ),
  ).toEqual({
    'of another dialect': [
      'refused 404 (model_not_found): "The model "aspy" is not offered by this API: its provider speaks another dialect."',
    ],
    'not that text': ['body.messages[1].content was "Hi"'],
  });
});

it('replies are what callers get of them, whole or in pieces, in the words of every dialect', () => {
  expect(
    failures(
      '  mask email in response with "[removed]"',
      `test "pieces" { given model "both" replies in chunks "Write to a@exa", "mple.org", " now"
  when POST /v1/chat/completions is sent  expect reply "Write to [removed] now" }
test "whole" { given model "both" replies "Write to a@example.org"
  when POST /v1/chat/completions is sent  expect permitted reply "Write to [removed]" }
test "messages" { given model "aspy" replies in chunks "a@exa", "mple.org"
  when POST /v1/messages is sent  expect reply "[removed]" }
test "whole messages" { given model "aspy" replies "a@example.org!"
  when POST /v1/messages is sent  expect reply contains "removed]!" }
test "the model that answers is called" { given model "old" replies "Hello"
  when POST /v1/chat/completions is sent  expect permitted with model "old" reply "Hello" }
test "another text" { given model "both" replies "Hello"
  when POST /v1/chat/completions is sent  expect reply "Hallo" }
test "unsaid" { when POST /v1/chat/completions is sent  expect reply "Hallo" }`,
    ),
  ).toEqual({
    'another text': ['the reply was "Hello"'],
    unsaid: ['the test does not say what it replies: given model "both" replies "…"'],
  });
});

it('what replies tell is settled: tokens as they are, money by the price of the model', () => {
  expect(
    failures(
      `  quota "tokens" 1_000 tokens per month  in total  when request.header["x-tokens"] is present
  budget "purse" $1 per day  in total  when request.header["x-money"] is present
  alert "thoughtful" when usage.reasoning_tokens is present and usage.reasoning_tokens > 10
  alert "dear" when usage.cost is present and usage.cost > $0.01`,
      `test "tokens" { given request with header "x-tokens" is "1", model "both" replies with 100 input tokens and 300 output tokens
  when 3 requests POST /v1/chat/completions are sent
  expect first 2 permitted
  expect the last refused 429 by "ai" "tokens" }
test "as many as fit" { given "tokens" in "ai" used 600, request with header "x-tokens" is "1", model "both" replies "Hi" with 100 input tokens and 100 output tokens
  when 2 requests POST /v1/chat/completions are sent
  expect permitted }
test "money" { given request with header "x-money" is "1", model "both" replies with 1_000 input tokens and 1_900 output tokens
  when 6 requests POST /v1/chat/completions are sent
  expect first 5 permitted alerted by "ai" "dear"
  expect the last refused 429 by "ai" "purse" }
test "told" { given request with header "x-money" is "1"
  when POST /v1/chat/completions is sent with cost $0.9999
  expect permitted alerted by "ai" "dear"
  when POST /v1/chat/completions is sent
  expect refused by "ai" "purse" }
test "thoughts" { given model "both" replies with 20 output tokens and 11 reasoning tokens
  when POST /v1/chat/completions is sent  expect permitted alerted by "ai" "thoughtful" }
test "no thoughts" { given model "both" replies with 20 output tokens
  when POST /v1/chat/completions is sent  expect alerted by "ai" "thoughtful" }`,
    ),
  ).toEqual({ 'no thoughts': ['nothing alerted'] });
});

it('calls go to the first pool that rules leave and that is not down', () => {
  expect(
    failures(
      `  route to pool "far" then "near"  when request.header["x-far"] is present
  require "eu" target.region is "eu"  when request.header["x-eu"] is present  because "EU data stays in the EU"
  limit "pace" at most 1 request in any 1h  in total  when request.header["x-paced"] is present`,
      `test "first" { when POST /v1/chat/completions is sent  expect permitted with pool "near" }
test "ordered" { given request with header "x-far" is "1"
  when POST /v1/chat/completions is sent  expect permitted with pool "far" and model "both" }
test "down" { given target "near" is down
  when POST /v1/chat/completions is sent  expect permitted with pool "far" }
test "never elsewhere" { given request with header "x-eu" is "1", target "near" is down
  when POST /v1/chat/completions is sent  expect refused 503 by "ai" "eu" because "EU data stays in the EU" and no call upstream }
test "none is left" { given target "near" is down, target "far" is down
  when POST /v1/chat/completions is sent  expect refused 503 code "upstream_none_available" }
test "what nobody serves is not counted" { given request with header "x-paced" is "1", target "old" is down
  when POST /v1/chat/completions is sent with model "old"  expect refused 503 with no call upstream
  when 2 requests POST /v1/chat/completions are sent  expect first 1 permitted
  expect the last refused 429 by "ai" "pace" }
test "another pool" { when POST /v1/chat/completions is sent  expect permitted with pool "far" and no call upstream }`,
    ),
  ).toEqual({ 'another pool': ['the pool was "near"'] });
});

it('models that a route can not be asked for are passed over where a limit falls back', () => {
  expect(
    failures(
      `  limit "gate" at most 1 request in any 1h  in total
    when exceeded fall back to model "aspy", "old" for any amount`,
      `test "chat" { when 2 requests POST /v1/chat/completions are sent with model "both"
  expect first 1 permitted with model "both"
  expect the last permitted with model "old" }
test "messages" { when 2 requests POST /v1/messages are sent
  expect permitted with model "aspy" }
test "lists" { when 2 requests GET /v1/models are sent
  expect first 1 permitted
  expect the last refused 429 by "ai" "gate" }`,
    ),
  ).toEqual({});
});
