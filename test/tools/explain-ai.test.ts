/** `portunus explain` of routes to models. */
import { expect, it } from 'vitest';
import { testPorts } from '../../src/cli/run/test-ports.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkProject } from '../../src/tools/build-project.ts';
import { renderRequest } from '../../src/tools/explain/render-request.ts';
import { renderRoute } from '../../src/tools/explain/render-route.ts';
import { explainRequest } from '../../src/tools/explain/request.ts';
import { explainRoute } from '../../src/tools/explain/route.ts';

const TEXTS = {
  'portunus.yaml': 'portunus: 1\n',
  'providers/p.yaml': `providers:
  openai: { extends: builtin/openai }
  claude: { extends: builtin/anthropic }
pools:
  main: { provider: openai, keys: { k: { secret: "env:K" } } }
  claude: { provider: claude, keys: { k: { secret: "env:K" } } }
models:
  aspy: { pools: [claude] }
  gpt: { pools: [main], price: { input: $10, output: $100, asOf: 2026-11-01 } }
`,
  'routes/ai.yaml': 'routes:\n  chat: { ai: openai/chat, auth: none, tags: [ai] }\n',
  'policies/a.policy': `language 1
policy "ai" applies to routes tagged "ai" {
  permit
  budget "purse" $1 per day  in total
  quota "tokens" 1_000 output tokens per month  in total
  cap request.output_cap at 500
  cache 10m
  alert "dear" when usage.cost is present and usage.cost > $0.01
}
`,
};
const texts = Object.entries(TEXTS).map(([path, text]) => new SourceText(path, text));
const { policies, world } = checkProject(texts, '/project', Date.UTC(2026, 10, 24)).built!;

it('shows that bodies are read, how long answers are kept, and who is told', () => {
  const shown = renderRoute(explainRoute(policies, world, world.routes.get('chat')!));
  expect(shown.slice(shown.indexOf('admit')).replaceAll(/ +\n/g, '\n')).toMatchInlineSnapshot(`
    "admit       limits: all of them, or none is counted
        at most $1 per day in UTC, all callers together
            "ai" "purse"  (policies/a.policy:4:3); counts this route alone
        at most 1000 output tokens per month in UTC, all callers together
            "ai" "tokens"  (policies/a.policy:5:3); counts this route alone
    request     what the service is told
        caps request.output_cap at 500
            "ai"  (policies/a.policy:6:3)
    look-up     an answer that is kept does for the same request again
        keeps answers for 10m
            "ai"  (policies/a.policy:7:3)
    account     who is told, once it has ended
        alerts when usage.cost is present and usage.cost > $0.01
            "ai" "dear"  (policies/a.policy:8:3)

    Cost of a request: at most 2 checks, 2 counters, and its body is read.

    Decided by the route alone, so no request is asked:
        routes tagged "ai"
    "
  `);
});

it('calls the first model of the dialect, shows the body that leaves, and what is left in its unit', () => {
  const nothing = {
    consumer: null,
    given: [],
    headers: [],
    body: null,
    time: null,
    wallMs: Date.UTC(2026, 10, 24),
  };
  const explained = explainRequest(
    { policies, world, texts },
    { ...nothing, target: 'POST /v1/chat/completions' },
    testPorts(),
  );
  expect(
    'diagnostics' in explained ? explained.diagnostics : renderRequest(explained),
  ).toMatchInlineSnapshot(`
    "POST /v1/chat/completions without identity
    route "chat"

    permitted by "ai" (permit at policies/a.policy:3:3)

    What each rule saw:
      "ai" permit: permitted  (policies/a.policy:3:3)
      "ai" budget "purse": had room, $0.99946 left  (policies/a.policy:4:3)
      "ai" quota "tokens": had room, 999 output tokens left  (policies/a.policy:5:3)
      "ai" alert "dear": did not hold  (policies/a.policy:8:3)
          ✓ usage.cost is present: usage.cost was $0.00054
          ✗ usage.cost > $0.01: usage.cost was $0.00054

    To the service it goes with:
      request.output_cap: 1, as sent
          caps request.output_cap at 500: "ai"  (policies/a.policy:6:3)

    Its body as it leaves:
      {"model":"gpt","max_completion_tokens":1,"messages":[]}

    The answer comes with:
      the answer: keeps answers for 10m
          keeps answers for 10m: "ai"  (policies/a.policy:7:3)

    What the running gateway has counted is not looked at: limits begin unused here.
    "
  `);
});
