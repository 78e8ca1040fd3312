/** One of the twelve diagnostics that the design of the language promised, and what is said today. */
export interface PromisedDiagnostic {
  readonly code: string;
  /** As designed. */
  readonly promised: string;
  /** Beside a small project of routes: see the test. */
  readonly files: Readonly<Record<string, string>>;
  readonly said: {
    readonly code: string;
    readonly at: string;
    readonly message: string;
    readonly help: string;
    readonly related?: readonly string[];
  };
  /** Where the promise needs what comes later: what it waits for. Until then the nearest equivalent is said. */
  readonly waitsFor?: string;
}

function rule(text: string, scope = 'routes tagged "v1"'): PromisedDiagnostic['files'] {
  return { 'policies/a.policy': `language 1\npolicy "p" applies to ${scope} {\n  permit\n  ${text}\n}\n` };
}

export const PROMISED: readonly PromisedDiagnostic[] = [
  {
    code: 'PT0107',
    promised: '"and" and "or" are mixed. Add parentheses to say which belongs together.',
    files: rule('forbid when tenant.plan is "free" and route is "chat" or tenant.level > 3'),
    said: {
      code: 'PT0107',
      at: 'policies/a.policy:4:15',
      message: '"and" and "or" are mixed. Add parentheses to say which belongs together.',
      help: 'Write either (tenant.plan is "free" and route is "chat") or tenant.level > 3, or tenant.plan is "free" and (route is "chat" or tenant.level > 3).',
    },
  },
  {
    code: 'PT0112',
    promised: '"5M" is not a number. Write 5_000_000 for five million, or 5m for five minutes.',
    files: rule('limit at most 5M requests in any 1m  in total'),
    said: {
      code: 'PT0112',
      at: 'policies/a.policy:4:17',
      message: '"5M" is not a number.',
      help: 'Write 5_000_000 for 5 million, or 5m for 5 minutes.',
    },
  },
  {
    code: 'PT1101',
    promised: 'There is no model "gpt-4o-mni". Did you mean "gpt-4o-mini" (providers/openai.yaml:14)?',
    files: rule('forbid when route is "chta"'),
    said: {
      code: 'PT1101',
      at: 'policies/a.policy:4:24',
      message: 'There is no route "chta".',
      help: 'Did you mean "chat" (routes/shop.yaml:5:3)?',
    },
    waitsFor: 'models; said of every other name of the configuration',
  },
  {
    code: 'PT1203',
    promised: 'This compares money with tokens ($5 with request.tokens). Compare cost: request.cost > $5.',
    files: rule('forbid when tenant.deposit > tenant.level', 'route "chat"'),
    said: {
      code: 'PT1203',
      at: 'policies/a.policy:4:32',
      message: 'This compares an amount of money (tenant.deposit) with a number (tenant.level).',
      help: 'Compare tenant.deposit with an amount such as $250, or tenant.level with a number such as 500 or 500_000.',
    },
    waitsFor: 'tokens; said of all other units',
  },
  {
    code: 'PT1204',
    promised: '"60" needs a unit here: a duration is expected. Write 60s or 60m.',
    files: rule('limit at most 5 requests in any 60  in total'),
    said: {
      code: 'PT1204',
      at: 'policies/a.policy:4:35',
      message: '"60" needs a unit here: a duration is expected.',
      help: 'Write 60s, 60m or 60 days.',
    },
  },
  {
    code: 'PT1301',
    promised:
      'credential may be missing: route "public-search" allows calls without identity. Add "credential is present and …", or narrow "applies to".',
    files: rule('forbid when credential.age > 60 days', 'route "public-search"'),
    said: {
      code: 'PT1301',
      at: 'policies/a.policy:4:15',
      message: 'credential.age may be missing: route "public-search" allows calls without identity.',
      help: 'Add "credential is present and …", or narrow "applies to" (… and routes requiring identity).',
    },
  },
  {
    code: 'PT2101',
    promised:
      'This limit has no counter key. Write "for each tenant", or "in total" if all callers share it.',
    files: rule('limit at most 60 requests in any 1m'),
    said: {
      code: 'PT2101',
      at: 'policies/a.policy:4:3',
      message: 'This limit has no counter key.',
      help: 'Write "for each tenant", or "in total" if all callers share it.',
    },
  },
  {
    code: 'PT2107',
    promised:
      'request.model is what the caller asked for; this route can also send to "gpt-4o-mini". Write model, so that the rule holds for every model used.',
    files: {
      'providers/openai.yaml': `providers:
  openai: { extends: builtin/openai }
pools:
  main: { provider: openai, keys: { one: { secret: "env:OPENAI_KEY" } } }
models:
  gpt-4o: { pools: [main] }
  gpt-4o-mini: { pools: [main] }
`,
      'routes/models.yaml': 'routes:\n  calls: { ai: openai/chat }\n',
      'policies/a.policy': `language 1
policy "a" applies to route "calls" {
  permit
  forbid when request.model is "gpt-4o"
  budget $5 per day  in total  when exhausted fall back to model "gpt-4o-mini"
}
policy "b" applies to route "chat" { permit }
`,
    },
    said: {
      code: 'PT2107',
      at: 'policies/a.policy:4:15',
      message: 'request.model is what the caller asked for; this route can also send to "gpt-4o-mini".',
      help: 'Write model, so that the rule holds for every model used.',
      related: ['policies/a.policy:5:3 a limit that sends calls there'],
    },
  },
  {
    code: 'PT2110',
    promised:
      "A forbid can't use response.tokens: the reply is already being sent. Use cap before the call, or mask or alert after it.",
    files: rule('forbid when response.tokens > 5'),
    said: {
      code: 'PT2110',
      at: 'policies/a.policy:4:15',
      message: "A forbid can't use response.tokens: it is decided before there is a response.",
      help: 'Decide by what the request says; to be told of responses write `alert when response.tokens …`.',
    },
    waitsFor: 'caps of answers and masks, which the help will name',
  },
  {
    code: 'PT2201',
    promised:
      'Two policies set header "x-tier" on route "chat": "gold" (a.policy:12) and "silver" (b.policy:7). Keep one, or make their conditions exclude each other.',
    files: {
      'policies/a.policy':
        'language 1\npolicy "a" applies to route "chat" {\n  set header "x-tier" to "gold" in request\n}\n',
      'policies/b.policy':
        'language 1\npolicy "b" applies to routes tagged "v1" {\n  permit\n  set header "x-tier" to "silver" in request\n}\n',
    },
    said: {
      code: 'PT2201',
      at: 'policies/b.policy:4:3',
      message:
        'Policies "a" and "b" set the request header "x-tier" to "gold" and to "silver" on route "chat", and both can hold for one request.',
      help: 'Keep one, make the values equal, or make the conditions exclude each other: compare one fact with different values.',
      related: ['policies/a.policy:3:3 the other rule'],
    },
  },
  {
    code: 'PT2304',
    promised:
      'Waiver "W-7" was approved for an older "old-key" (120 days, now 60). Have it approved again, or remove it.',
    files: {
      'policies/a.policy': `${rule('')['policies/a.policy']}waiver "W-7" of "old-key" in "p" until 2026-12-20\n`,
    },
    said: {
      code: 'PT0106',
      at: 'policies/a.policy:6:1',
      message: '`waiver` belongs to a later version of the language; this one does not have it.',
      help: 'It comes with waivers and approvals. Today the exception is a part of the rule: `forbid when tenant.plan is "free" and tenant is not "acme"`.',
    },
    waitsFor: 'waivers',
  },
  {
    code: 'PT2401',
    promised:
      'Route "refund" can never be permitted: no enforced policy with a permit applies to it. "p9-refunds" does, but is in shadow (enforcement.yaml:9).',
    files: {
      'policies/a.policy':
        'language 1\npolicy "p" applies to routes tagged "v1" { permit }\npolicy "p9-refunds" applies to route "refund" { permit }\n',
      'enforcement.yaml': 'policies:\n  p9-refunds: shadow\n',
    },
    said: {
      code: 'PT2401',
      at: 'routes/shop.yaml:7:3',
      message: 'Route "refund" can never be permitted: no enforced policy with a permit applies to it.',
      help: 'Enforce "p9-refunds", which would permit requests to it, or write another permit.',
      related: ['enforcement.yaml:2:3 "p9-refunds" is in shadow mode'],
    },
  },
];
