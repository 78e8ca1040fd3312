import { describe, expect, it } from 'vitest';
import { SourceText } from '../diagnostics/source.ts';
import { parsePolicyFile } from './parse.ts';
import { TEST_BLOCK } from './test-block.cases.ts';

function parsed(text: string) {
  return parsePolicyFile(new SourceText('a.test.policy', `language 1\n${text}`), 64);
}

describe('test blocks are read', () => {
  it('with every form of the grammar', () => {
    const { diagnostics, file } = parsed(TEST_BLOCK);
    expect(diagnostics).toEqual([]);
    const [test] = file.tests;
    expect(test!.given.map(({ kind }) => kind)).toEqual([
      ...['tenant', 'consumer', 'credential', 'roles', 'used', 'mode', 'time'],
      ...['reply', 'reply', 'request'],
    ]);
    expect(test!.steps.map(({ count, pace, expects }) => [count?.value, pace, expects.length])).toEqual([
      [61, 'spread', 2],
      [2, 'at-once', 1],
      [undefined, 'spread', 1],
      [undefined, 'spread', 3],
    ]);
  });

  it.each([
    'test "121 days" { given credential "web-1" aged 121 days when GET /orders is sent expect refused 403 by "p6-key-age" "old-key" }',
    'test "Saturday" { given role "admin", time 2026-12-05 10:00 when GET /admin is sent expect refused 403 by "p7-admin-hours" "office" }',
    'test "the month says 403" { given tenant "acme", "month" in "p2-tokens" used 10_000_000 when POST /v1/chat is sent expect refused 403 by "p2-tokens" "month" }',
    'test "gone" { given time 2027-04-01 00:00 when GET /v1/orders is sent expect refused 410 by "p10-v1" "gone" }',
    'test "research is refused the largest" { given team "research" when POST /v1/chat/completions is sent with model "gpt-5-pro" expect refused 403 by "p1-models" "largest" }',
    'test "split over chunks" { given model "gpt-4o" replies in chunks "a@exa", "mple.org" when POST /v1/chat/completions is sent expect reply "[removed]" }',
    'test "never elsewhere" { given tenant "berlin" with tags "eu", target "openai-eu" is down when POST /v1/chat/completions is sent expect refused 503 by "p5-eu" and no call upstream }',
    'test "pool" { when POST /v1/chat is sent expect permitted with pool "a" and no call upstream }',
    'test "anonymous" { given no identity when GET / is sent expect refused 401 }',
  ])('as the design writes them: %s', (text) => {
    const { diagnostics, file } = parsed(text);
    expect(diagnostics).toEqual([]);
    expect(file.tests).toHaveLength(1);
  });

  it.each([
    ['body["order-id"] 5', ['order-id'], 5],
    ['body.items[2]["unit-price"] 5', ['items', 2, 'unit-price'], 5],
    ['body["a"]["b"].c "x"', ['a', 'b', 'c'], 'x'],
    ['body.tags ["a"]', ['tags'], 'list'],
    ['body["tags"]["a", "b"]', ['tags'], 'list'],
    ['body["tags"] ["a"] ["b"]', ['tags', 'a'], 'list'],
    ['body.numbers [2]', ['numbers'], 'list'],
  ])('with the body part %s', (part, path, value) => {
    const { diagnostics, file } = parsed(`test "t" { when POST /a is sent with ${part} expect permitted }`);
    expect(diagnostics).toEqual([]);
    const [sent] = file.tests[0]!.steps[0]!.parts;
    expect(sent).toMatchObject({ path });
    const written = (sent as Extract<typeof sent, { kind: 'body' }>).value;
    expect(written.kind === 'list' ? 'list' : written.value).toBe(value);
  });

  it('a list of pieces ends before what else is given', () => {
    const { diagnostics, file } = parsed(
      'test "t" { given model "m" replies in chunks "a", "month" in "p" used 5, "q" enforced, target "x" is down when GET /a is sent expect reply "a" }',
    );
    expect(diagnostics).toEqual([]);
    expect(file.tests[0]!.given.map(({ kind }) => kind)).toEqual(['reply', 'used', 'mode', 'down']);
  });

  it('words of tests are names everywhere else', () => {
    const { diagnostics, file } = parsed('define first = ["a"]\ndefine body = "b"\npolicy "p" { permit }');
    expect(diagnostics).toEqual([]);
    expect(file.defines.map(({ name }) => name.value)).toEqual(['first', 'body']);
  });
});
