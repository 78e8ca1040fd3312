/** What people write by habit, and the help they get: each is one finding, about the word that does not fit. */
export interface SlipCase {
  /** A rule of a policy for the routes tagged v1, or a whole declaration. */
  readonly written: string;
  readonly code: string;
  readonly help: string;
}

export const RULE_SLIPS: readonly SlipCase[] = [
  // amounts
  slip('limit 60 requests in any 1m  in total', 'Write `at most 60 requests in any …`.'),
  slip(
    'limit at most 60 requests per 1m  in total',
    'Write `at most 60 requests in any …`, or leave out `at most` for a steady pace.',
  ),
  slip(
    'quota "q" at most 60 requests per day  in total',
    'Leave out `at most`: a quota is no more than its amount anyway.',
  ),
  slip('limit at most 60 requests in any 1m per consumer', 'Write `for each consumer`.'),
  slip('limit 60 requests per 1s burst 70  in total', 'Write a comma before `burst`.'),
  slip(
    'limit at most 1,000 requests in any 1m  in total',
    'Write 1_000: thousands are parted by _, if at all.',
  ),
  slip(
    'limit at most 60 requests in any 1m  in total  queue up to 5s',
    'Write `when exceeded queue up to …`: it is what happens where there is no room.',
  ),
  slip(
    'budget $5 per day  in total  fall back to model "m" for any amount',
    'Write `when exhausted fall back to model "…"`: it is what happens where there is no room.',
  ),
  // lengths of time
  slip('limit 60 requests per minute  in total', 'Write 1m, with its number.'),
  slip('limit at most 60 requests in any hour  in total', 'Write 1h, with its number.'),
  slip(
    'quota 60 requests per hour  in total',
    'A quota follows the calendar: write day, week, month, quarter or year. For other lengths, write `limit at most … in any 1h`.',
  ),
  slip(
    'quota 60 requests per 30d  in total',
    'A quota follows the calendar: write day, week, month, quarter or year. For other lengths, write `limit at most … in any 30d`.',
  ),
  slip(
    'forbid when credential.age > 3 months',
    'Months and years have no fixed length: write a number of days, such as 90 days.',
  ),
  slip('timeout 10 s', 'Write 10s, without a blank.'),
  slip('limit at most 5 requests in any 10 secs  in total', 'Write 10s, without a blank.'),
  slip('timeout 2 min', 'Write 2m, without a blank.'),
  slip('forbid when request.time > 8:00', 'Write 08:00.', 'PT0111'),
  slip('forbid when request.time > 6pm', 'Write 18:00.', 'PT0112'),
  slip('forbid when request.time < 12am', 'Write 00:00.', 'PT0112'),
  slip('forbid when request.date > 31/12/2026', 'Write 2026-12-31.', 'PT1203'),
  slip('forbid when request.date > 12/31/2026', 'Write 2026-12-31.', 'PT1203'),
  slip('forbid when request.date > 11/12/2026', 'Write dates like 2027-03-31.', 'PT1203'),
  slip('forbid on 2026-12-24', 'Write `from 2026-12-24 until 2026-12-24`: both days are in it.'),
  slip('forbid 10 percent of requests', 'Write 10%.'),
  slip('forbid when 10% of requests', 'A share stands before `when`: `forbid 10% of requests  when …`.'),
  // comparisons
  slip('forbid when tenant.plan is not in ["free"]', 'Write `not in`, without `is`.'),
  slip('forbid when tenant.level between 3 and 5', 'Say both ends: `… >= 3 and … <= 5`.'),
  slip(
    'forbid when tenant.level > 3 > 2',
    'A test compares two values. Write the next one behind `and`, and name the fact again.',
  ),
  slip('forbid when tenant.name is "a" or "b"', 'Say it with a list: `tenant.name in ["a", "b"]`.'),
  slip(
    'forbid when tenant.name starts with "a" or ends with "b"',
    'Name the fact again: each test behind `or` begins with its own.',
  ),
  slip('forbid when consumer has no role "admin"', 'Write `does not have role "…"`.'),
  slip("forbid when consumer doesn't have role", 'Did you mean `does not have`?'),
  slip('forbid when (tenant.level > 3))', 'Remove it: no `(` is open here.'),
  slip(
    'forbid when tenant.name is null',
    'Whether a value is missing is asked with `is absent` and `is present`.',
    'PT1103',
  ),
  // lists
  slip('forbid when request.ip in "10.0.0.0/8"', '`in` takes a list: write `in ["10.0.0.0/8"]`.'),
  slip(
    'forbid when request.weekday in mon..fri',
    'List the days, as in `in ["sat", "sun"]`; or name a calendar: `during "…"`.',
  ),
  slip('forbid when any of consumer.roles is "admin"', 'Write `has it is …`: `it` is the element.'),
  slip(
    'forbid when consumer.roles in ["admin"]',
    'Write consumer.roles contains "…", or any of consumer.roles has it in […].',
    'PT1201',
  ),
  slip('forbid when tenant.plan in [FREE]', 'Names of the configuration stand in quotes: "FREE".', 'PT0116'),
  slip('forbid when request.method is GET', 'Write "GET", in quotes.', 'PT0116'),
  // names of facts
  slip('forbid when body.total > 5', 'Did you mean request.body.total?', 'PT1102'),
  slip('forbid when plan is "free"', 'Did you mean tenant.plan?', 'PT1102'),
  slip('forbid when request.query.page is present', 'Did you mean request.query["page"]?', 'PT1102'),
  slip(
    'forbid when request.header.x-region is present',
    'Write request.header["x-region"]: names with a hyphen stand in quotes.',
    'PT0120',
  ),
  slip(
    'limit at most 5 requests at once  for each "tenant"',
    'Name a fact, without quotes: `for each tenant`.',
  ),
  slip(
    'forbid when tenant.level > $5',
    'Write a number such as 500 or 500_000, or give the fact its unit: tenant.level as USD.',
    'PT1203',
  ),
  slip('forbid when request.weekday is "monday"', 'Did you mean "mon"?', 'PT1101'),
  // texts
  slip(
    'set header "X-A" to tenant.name in request',
    'Write a text with the fact in braces: `"{tenant.name}"`.',
  ),
  slip('set header "X-A" to "a"', 'Write `in request` or `in response`.', 'PT0119'),
  slip('forbid because “no”', 'Write "no", in straight double quotes.', 'PT0111'),
  slip('forbid because "Ask {tenant.name"', 'Write `}` behind the fact, or \\{ for a plain brace.', 'PT0118'),
  // words of others, as the first rule behind a head with clauses
  slip('deny when tenant.plan is "free"', 'Did you mean `forbid`?'),
  slip('allow when tenant.plan is "free"', 'Did you mean `permit`?'),
];

export const DECLARATION_SLIPS: readonly SlipCase[] = [
  slip('policy "p" applies to all routes { permit }', 'Write `every route`, or leave out `applies to`.'),
  slip('policy "p" applies to everything { permit }', 'Write `every route`, or leave out `applies to`.'),
  slip(
    'policy "p" applies to routes "orders", "search" { permit }',
    'Routes are named one by one behind `route`: `route "orders", "…"`.',
  ),
  slip('define eu = "DE", "FR"', 'A list stands in brackets: `["a", "b"]`.'),
  slip('define EU = ["DE"]', 'Write `eu`.', 'PT0103'),
  slip('zone Berlin', 'Did you mean Europe/Berlin?', 'PT1104'),
  slip('calendar "c" mon-fri 08:00..18:00', 'Write mon..fri.', 'PT0116'),
  slip('calendar "c" mon..fri 8:00..18:00', 'Write 08:00.', 'PT0111'),
  slip(
    'test "t" { given plan "free" when GET /search is sent expect permitted }',
    'Say whose plan: `tenant "…" with plan "free"`.',
  ),
  slip(
    'test "t" { given tenant "acme" time 2026-12-01 10:00 when GET /search is sent expect permitted }',
    'Write a comma before it.',
  ),
  slip(
    'test "t" { when GET "/search" is sent expect permitted }',
    'Write the path behind it, without quotes: `GET /orders`.',
  ),
  slip('test "t" { when GET /search is sent expect denied }', 'Did you mean `refused`?'),
  slip('test "t" { when GET /search is sent expect allowed }', 'Did you mean `permitted`?'),
  slip('test "t" { when GET /search is sent expect 403 }', 'Write `refused 403`.'),
];

function slip(written: string, help: string, code = 'PT0101'): SlipCase {
  return { written, code, help };
}
