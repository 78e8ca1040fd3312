/** What the formatter makes of what people write: one case per point of the canonical style (language-rules 4). */
export interface FormatCase {
  readonly name: string;
  readonly given: string;
  readonly formatted: string;
}

const file = (body: string): string => `language 1\n\n${body}`;
const rules = (lines: string): string => file(`policy "p"\n{\n${lines}}\n`);
const scrambled = (lines: string): string => `language 1 policy "p" {\n${lines} permit\n}`;
const ordered = (lines: string): string => rules(`${lines}    permit\n`);

export const FORMAT_CASES: readonly FormatCase[] = [
  {
    name: 'declarations come in the order of a file, and in the author’s within each kind',
    given: `language 1
policy "b" { permit }
define eu = ["DE"]
policy "a" { permit }
zone Europe/Berlin
define us = ["US"]`,
    formatted: `language 1
zone Europe/Berlin
define eu = ["DE"]
define us = ["US"]

policy "b" { permit }

policy "a" { permit }
`,
  },
  {
    name: 'header clauses have lines of their own, in their order, and the braces too',
    given: `language 1 policy "p"   "What it is for" applies to route "x" owner "me" { permit }`,
    formatted: file(`policy "p" "What it is for"
    owner "me"
    applies to route "x"
{
    permit
}
`),
  },
  {
    name: 'a share goes on with the sentence, and stands before dates and conditions',
    given: scrambled(
      'forbid "brown-out" status 503 when tenant.plan is "free" from 2027-03-25 until 2027-03-31 10%  of requests',
    ),
    formatted: ordered(
      '    forbid "brown-out" 10% of requests  from 2027-03-25 until 2027-03-31  when tenant.plan is "free"\n        status 503\n',
    ),
  },
  {
    name: 'names in quotes stand as they were written, close to what they are a member of',
    given: scrambled('cap  request.body [ "unit-price" ] at 10000 when request.body["note"].x is "a"'),
    formatted: ordered('    cap request.body["unit-price"] at 10_000  when request.body["note"].x is "a"\n'),
  },
  {
    name: 'so they do in tests',
    given:
      'language 1 test "t" { when POST /a is sent with body [ "a-b" ].c 5 and body.d [ "e" ] expect permitted with body [ "a-b" ] 5 }',
    formatted: file(
      'test "t"\n{\n    when POST /a is sent with body["a-b"].c 5 and body.d ["e"]\n    expect permitted with body["a-b"] 5\n}\n',
    ),
  },
  {
    name: 'changes of the body are sentences',
    given: scrambled(
      'cap  request.body.amount at 10000 when tenant.plan is "free" default request.body.currency  to "EUR"',
    ),
    formatted: ordered(
      '    cap request.body.amount at 10_000  when tenant.plan is "free"\n    default request.body.currency to "EUR"\n',
    ),
  },
  {
    name: 'a mask is a sentence, and its kinds go on below where they are many',
    given: scrambled(
      'mask email,card   in request and response with  "*" when true mask pattern /ORD-[0-9]{8}/, pattern /CUSTOMER-[0-9]{8}-[A-Z]{2}/, email, phone, iban, secret in response',
    ),
    formatted: ordered(
      '    mask email, card in request and response with "*"  when true\n    mask pattern /ORD-[0-9]{8}/,\n            pattern /CUSTOMER-[0-9]{8}-[A-Z]{2}/,\n            email,\n            phone,\n            iban,\n            secret in response\n',
    ),
  },
  {
    name: 'a policy of one rule stays on one line',
    given: `language 1\npolicy "p"\n{\n    permit when\n    true\n}\n`,
    formatted: file(`policy "p" { permit when true }\n`),
  },
  {
    name: 'a policy of one rule that is too long does not',
    given: `language 1 policy "a-policy-with-a-rather-long-name" "And with a title" { forbid "x" when tenant.plan is "free" }`,
    formatted: file(`policy "a-policy-with-a-rather-long-name" "And with a title"
{
    forbid "x" when tenant.plan is "free"
}
`),
  },
  {
    name: 'a policy without rules',
    given: 'language 1 policy "p" {\n\n}',
    formatted: file('policy "p" { }\n'),
  },
  {
    name: 'clauses come in their order, two blanks before each',
    given: scrambled('limit 5 requests per 1s max keys 9 when true for each tenant'),
    formatted: ordered('    limit 5 requests per 1s  for each tenant  when true  max keys 9\n'),
  },
  {
    name: 'the condition of a permit or forbid goes on with its sentence',
    given: scrambled('forbid "x"\nbecause "no" when true code "c" status 403'),
    formatted: ordered('    forbid "x" when true  status 403  code "c"  because "no"\n'),
  },
  {
    name: 'a rule that is too long has its answer below, status and code together',
    given: scrambled(
      'forbid "reports" when tenant.plan is "free" status 403 code "plan_too_small" because "Reports are not part of the plan"',
    ),
    formatted: ordered(`    forbid "reports" when tenant.plan is "free"
        status 403  code "plan_too_small"
        because "Reports are not part of the plan"
`),
  },
  {
    name: 'what says when a rule holds goes below as well if it does not fit',
    given: scrambled(
      'quota "enterprise-month" 10_000_000 requests per month for each tenant when tenant.plan is "enterprise" on failure allow',
    ),
    formatted: ordered(`    quota "enterprise-month" 10_000_000 requests per month
        for each tenant
        when tenant.plan is "enterprise"
        on failure allow
`),
  },
  {
    name: 'an answer to an exceeded limit goes on one step deeper',
    given: scrambled(
      'limit 5 requests per 1s in total when exceeded status 429 because "A rather long reason which does not fit on the line" code "too_fast"',
    ),
    formatted: ordered(`    limit 5 requests per 1s  in total
        when exceeded status 429  code "too_fast"
            because "A rather long reason which does not fit on the line"
`),
  },
  {
    name: 'to wait comes before the answer to who has waited in vain',
    given: scrambled(
      'limit 5 requests per 1s in total when exceeded queue up to 120s because "Busy" status 503',
    ),
    formatted: ordered(
      '    limit 5 requests per 1s  in total  when exceeded queue up to 2m  status 503  because "Busy"\n',
    ),
  },
  {
    name: 'answers are kept for a time in its largest unit',
    given: scrambled('cache 120s when tenant.plan is "enterprise"'),
    formatted: ordered('    cache 2m  when tenant.plan is "enterprise"\n'),
  },
  {
    name: 'another model comes before waiting, and what is allowed to it stands with it',
    given: scrambled(
      'budget 20 USD per day when exhausted fall   back to model "mini" , "nano" for at most $5 more queue up to 5s status 403 in total',
    ),
    formatted: ordered(`    budget 20 USD per day  in total
        when exhausted fall back to model "mini", "nano" for at most $5 more
            queue up to 5s
            status 403
`),
  },
  {
    name: 'a limit is for each of something behind another model, too',
    given: scrambled('limit 5 requests per 1s when exceeded fall back to model "mini" for each model'),
    formatted: ordered(
      '    limit 5 requests per 1s  for each model  when exceeded fall back to model "mini"\n',
    ),
  },
  {
    name: 'pools stand behind one another',
    given: scrambled('route to pool "a" then "b" when tenant.plan is "enterprise"'),
    formatted: ordered('    route to pool "a" then "b"  when tenant.plan is "enterprise"\n'),
  },
  {
    name: 'long conditions begin lines with their and or or',
    given: scrambled(
      'permit when tenant.plan is "enterprise" and (request.path starts with "/orders" or consumer has role "administrator")',
    ),
    formatted: ordered(`    permit when tenant.plan is "enterprise"
            and (request.path starts with "/orders" or consumer has role "administrator")
`),
  },
  {
    name: 'lists on one line have no comma at their end',
    given: 'language 1 define eu=["DE" ,"FR",]',
    formatted: 'language 1\ndefine eu = ["DE", "FR"]\n',
  },
  {
    name: 'long lists have one item per line and a comma behind each',
    given: `language 1 define eu = ["Germany", "France", "The Netherlands", "Ireland", "Luxembourg", "Portugal", "Slovenia"]`,
    formatted: `language 1
define eu = [
    "Germany",
    "France",
    "The Netherlands",
    "Ireland",
    "Luxembourg",
    "Portugal",
    "Slovenia",
]
`,
  },
  {
    name: 'numbers are grouped from 10,000 on',
    given: 'language 1 define a = [1000, 1_000, 9_999, 10000, 1234567.25, 0012, 20000B, 12345%]',
    formatted: 'language 1\ndefine a = [1000, 1_000, 9_999, 10_000, 1_234_567.25, 12, 20_000B, 12_345%]\n',
  },
  {
    name: 'lengths of time have their largest whole unit, spelled from a day on',
    given:
      'language 1 define a = [90s, 120s, 60m, 24h, 36h, 1500ms, 2000ms, 1.5h, 30 seconds, 1 minutes, 48 hours, 0s]\n' +
      'define b = [1d, 90d, 2w, 1 days, 2 day, 14 days, 0.5 days, 1.5w, 20000d]',
    formatted: `language 1
define a = [90s, 2m, 1h, 24h, 36h, 1500ms, 2s, 90m, 30s, 1m, 48h, 0s]
define b = [1 day, 90 days, 2 weeks, 1 day, 2 days, 14 days, 12h, 252h, 20_000 days]
`,
  },
  {
    name: 'comments stay with what follows or with what they end',
    given: `# The licence

language 1 # the version
# why eu

define eu = "DE" #apart


# about p
policy "p" # p itself
{ # open

  # about the permit
  permit # everybody
  # about the limit
  limit 5 requests per 1s # not many
    # counted for each
    for each tenant
    # last
}
# the end`,
    formatted: `# The licence

language 1  # the version
# why eu

define eu = "DE"  #apart

# about p
policy "p"  # p itself
{  # open
    # about the permit
    permit  # everybody
    # about the limit
    limit 5 requests per 1s  # not many
        # counted for each
        for each tenant
    # last
}
# the end
`,
  },
  {
    name: 'a comment behind a clause goes where its clause goes',
    given: scrambled('limit 5 requests per 1s max keys 9 # few\n for each tenant # all\n'),
    formatted: ordered(`    limit 5 requests per 1s
        for each tenant  # all
        max keys 9  # few
`),
  },
  {
    name: 'a comment breaks lines that would fit, where its place is',
    given: scrambled(
      'permit when tenant.plan is "free" # now\n and true\n forbid # odd\n when tenant.tier in ["a", # first\n "b"]',
    ),
    formatted: ordered(`    permit when tenant.plan is "free"  # now
            and true
    forbid  # odd
        when tenant.tier in [
            "a",  # first
            "b",
        ]
`),
  },
  {
    name: 'at most one empty line is kept, and none at the ends of a policy',
    given:
      'language 1\n\n\n\ndefine a = 1\ndefine b = 2\n\n\ndefine c = 3\npolicy "p" {\n\npermit\n\n\n\nforbid\nforbid when true\n\n}\n\n',
    formatted: `language 1

define a = 1
define b = 2

define c = 3

policy "p"
{
    permit

    forbid
    forbid when true
}
`,
  },
  {
    name: 'line ends of Windows',
    given: 'language 1 # one\r\n\r\npolicy "p" {\r\n\tpermit\r\n}\r\n',
    formatted: 'language 1  # one\n\npolicy "p" { permit }\n',
  },
  {
    name: 'an alert says when, how often and for whom before what it says',
    given: scrambled(
      'alert   "errors" when response.status>=500 notify "oncall" because "the service fails" for each route for at least 10 requests in any 60s',
    ),
    formatted:
      ordered(`    alert "errors" when response.status >= 500  for at least 10 requests in any 1m  for each route
        because "the service fails"
        notify "oncall"
`),
  },
  {
    name: 'an alert behind a limit is a rule, one at a share a clause',
    given: scrambled('limit at most 5 requests at once in total alert at 80% alert when true'),
    formatted: ordered(`    limit at most 5 requests at once  in total  alert at 80%
    alert when true
`),
  },
  {
    name: 'signs and paths stand close',
    given: scrambled(
      'permit when not ( request.header [ "x" ] otherwise "y" is "z" ) and tenant .plan in [ "a" ]',
    ),
    formatted: ordered(
      '    permit when not (request.header["x"] otherwise "y" is "z") and tenant.plan in ["a"]\n',
    ),
  },
  {
    name: 'an alert about pools',
    given: scrambled('alert   when pool.headroom<15% or pool exhausted  within 10 minutes notify "oncall"\n'),
    formatted: ordered('    alert when pool.headroom < 15% or pool exhausted within 10m  notify "oncall"\n'),
  },
  {
    name: 'a rotation of keys',
    given: scrambled('rotate keys of pool "openai-main" every 60 days notify "oncall" overlap 24h\n'),
    formatted: ordered('    rotate keys of pool "openai-main" every 60 days  overlap 24h  notify "oncall"\n'),
  },
];
