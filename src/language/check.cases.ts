/** Programs the language accepts, each with what they mean: canonical texts, or the parts that matter. */
export interface ConditionCase {
  readonly text: string;
  /** The canonical text, which shows the types: durations in ms, sizes in B, names resolved. */
  readonly means: string;
}

/** Conditions of a `permit when …` in a policy for routes that require identity. */
export const CONDITION_CASES: readonly ConditionCase[] = [
  { text: 'true', means: 'true' },
  { text: 'tenant.plan is "free"', means: 'tenant.plan is "free"' },
  { text: 'tenant.plan is not "free"', means: 'tenant.plan is not "free"' },
  { text: 'not tenant.plan is "free"', means: 'not (tenant.plan is "free")' },
  { text: 'tenant.name is consumer.name', means: 'tenant.name is consumer.name' },
  { text: 'credential.age > 90 days', means: 'credential.age > 7776000000ms' },
  { text: 'credential.kind is "certificate"', means: 'credential.kind is "certificate"' },
  { text: 'credential.kind in ["key", "token"]', means: 'credential.kind in ["key", "token"]' },
  { text: 'credential.age <= 24h', means: 'credential.age <= 86400000ms' },
  { text: 'tenant.allowance >= 1.5MiB', means: 'tenant.allowance >= 1572864B' },
  { text: 'tenant.discount < 12.5%', means: 'tenant.discount < 12.5%' },
  { text: 'tenant.contract_end >= 1970-01-02', means: 'tenant.contract_end >= 1 days' },
  { text: 'tenant.opens is 08:30', means: 'tenant.opens is 510 min' },
  { text: 'tenant.level > 1_000', means: 'tenant.level > 1000' },
  { text: 'tenant.trial is true', means: 'tenant.trial is true' },
  { text: 'tenant.tier in ["gold", "silver",]', means: 'tenant.tier in ["gold", "silver"]' },
  { text: 'tenant.tier not in ["gold"]', means: 'tenant.tier not in ["gold"]' },
  { text: 'request.host in tenant.regions', means: 'request.host in tenant.regions' },
  { text: 'tenant.regions contains "eu"', means: '"eu" in tenant.regions' },
  { text: 'route.tags contains "v1"', means: '"v1" in route.tags' },
  { text: 'route in routes tagged "v1"', means: '"v1" in route.tags' },
  { text: 'route not in routes tagged "public"', means: '"public" not in route.tags' },
  { text: 'route in routes in state published', means: 'route.state is "published"' },
  { text: 'route not in routes in state draft', means: 'route.state is not "draft"' },
  { text: 'route in routes requiring identity', means: 'route.requires_identity is true' },
  { text: 'request.host like "*.example.?rg"', means: 'request.host like "*.example.?rg"' },
  { text: 'request.host is "[2001:db8::1]"', means: 'request.host is "[2001:db8::1]"' },
  { text: 'request.path ends with "%C3%A9/"', means: 'request.path ends with "%C3%A9/"' },
  { text: 'request.path contains "//"', means: 'request.path contains "//"' },
  { text: 'request.host matches /(?i)^EU/', means: 'request.host matches /(?i)^EU/' },
  {
    text: 'request.header["x-region"] otherwise " DE" is " DE"',
    means: 'request.header["x-region"] otherwise " DE" is " DE"',
  },
  { text: 'request.host contains "a"', means: 'request.host contains "a"' },
  { text: 'request.path starts with "/v1/"', means: 'request.path starts with "/v1/"' },
  { text: 'request.path ends with ".json"', means: 'request.path ends with ".json"' },
  { text: 'route like "*-order?"', means: 'route like "*-order?"' },
  { text: 'request.path matches /^\\/v[0-9]+\\//', means: 'request.path matches /^\\/v[0-9]+\\//' },
  {
    text: 'request.query["q"] otherwise "" matches /"#{}/',
    means: 'request.query["q"] otherwise "" matches /"#{}/',
  },
  { text: 'route matches /^get/', means: 'route matches /^get/' },
  { text: 'request.ip in ["10.0.0.0/8", "::1"]', means: 'request.ip in ["10.0.0.0/8", "::1"]' },
  { text: 'request.ip not in offices', means: 'request.ip not in ["10.0.0.0/8", "2001:db8::/32"]' },
  { text: 'request.ip is "10.0.0.1"', means: 'request.ip in ["10.0.0.1"]' },
  { text: 'request.ip is not "10.0.0.1"', means: 'request.ip not in ["10.0.0.1"]' },
  { text: 'request.host in regions', means: 'request.host in ["eu", "us"]' },
  { text: 'request.host is home', means: 'request.host is "eu.example"' },
  { text: 'request.header["X-Region"] is present', means: 'request.header["x-region"] is present' },
  { text: 'request.query["q"] is absent', means: 'request.query["q"] is absent' },
  {
    text: 'request.header["x-region"] otherwise "DE" is "DE"',
    means: 'request.header["x-region"] otherwise "DE" is "DE"',
  },
  { text: 'team otherwise "shop" is "shop"', means: 'team otherwise "shop" is "shop"' },
  { text: 'team is present and team is "shop"', means: 'team is present and team is "shop"' },
  {
    text: 'team is present and team.cost_centre is "4711"',
    means: 'team is present and team.cost_centre is "4711"',
  },
  { text: 'team is absent or team.name is "shop"', means: 'team is absent or team.name is "shop"' },
  {
    text: 'not (team is absent) and team is "shop"',
    means: 'not (team is absent) and team is "shop"',
  },
  {
    text: '(team is present and tenant.trial is true) and team is "shop"',
    means: '(team is present and tenant.trial is true) and team is "shop"',
  },
  {
    text: 'consumer.contact is present and consumer.contact like "*@acme.example"',
    means: 'consumer.contact is present and consumer.contact like "*@acme.example"',
  },
  {
    text: 'request.parameter["id"] is present and request.parameter["id"] is "5"',
    means: 'request.parameter["id"] is present and request.parameter["id"] is "5"',
  },
  {
    text: 'route is "get-order" and request.parameter["id"] is "5"',
    means: 'route is "get-order" and request.parameter["id"] is "5"',
  },
  { text: 'consumer has role "buyer"', means: 'consumer has role "buyer"' },
  { text: 'consumer does not have role "on-call"', means: 'consumer does not have role "on-call"' },
  {
    text: 'any of tenant.regions has it is "eu" or it starts with "us-"',
    means: 'any of tenant.regions has (it is "eu" or it starts with "us-")',
  },
  {
    text: 'every of consumer.roles has it is not "buyer"',
    means: 'every of consumer.roles has (it is not "buyer")',
  },
  { text: 'no one of route.tags has it like "p?*"', means: 'no one of route.tags has (it like "p?*")' },
  {
    text: '(any of tenant.regions has not (it in regions)) and tenant.trial is true',
    means: '(any of tenant.regions has (not (it in ["eu", "us"]))) and tenant.trial is true',
  },
  {
    text: 'tenant.trial is true or any of tenant.regions has it is request.host and it matches /^a/',
    means: 'tenant.trial is true or (any of tenant.regions has (it is request.host and it matches /^a/))',
  },
  {
    text: 'any of regions has request.host ends with it',
    means: 'request.host ends with "eu" or request.host ends with "us"',
  },
  {
    text: 'no one of regions has request.host starts with it and request.host is not it',
    means:
      'not ((request.host starts with "eu" and request.host is not "eu") or (request.host starts with "us" and request.host is not "us"))',
  },
  {
    text: 'every of regions has it in tenant.regions',
    means: '"eu" in tenant.regions and "us" in tenant.regions',
  },
  {
    text: 'any of regions has it not in tenant.regions',
    means: 'not ("eu" in tenant.regions) or not ("us" in tenant.regions)',
  },
  {
    text: 'any of offices has request.ip in it',
    means: 'request.ip in ["10.0.0.0/8"] or request.ip in ["2001:db8::/32"]',
  },
  { text: 'any of regions has it is request.host', means: 'request.host is "eu" or request.host is "us"' },
  { text: 'consumer is subscribed to route', means: 'consumer is subscribed to route' },
  { text: 'consumer is not subscribed to route', means: 'consumer is not subscribed to route' },
  { text: 'tenant is "not-in-the-files"', means: 'tenant is "not-in-the-files"' },
  {
    text: '(tenant.plan is "free" or tenant.plan is "team") and (route is "get-order")',
    means: '(tenant.plan is "free" or tenant.plan is "team") and route is "get-order"',
  },
  { text: 'tenant.deposit >= $250', means: 'tenant.deposit >= 250 of money' },
  { text: 'tenant.deposit >= 0.5 USD', means: 'tenant.deposit >= 0.5 of money' },
  { text: 'tenant.deposit < floor', means: 'tenant.deposit < 5 of money' },
  { text: 'tenant.level as USD > $500', means: 'tenant.level as USD > 500 of money' },
  { text: 'tenant.level as days <= 2 weeks', means: 'tenant.level as days <= 1209600000ms' },
  {
    text: 'tenant.level as hours + grace > 3 days',
    means: 'tenant.level as hours + 172800000ms > 259200000ms',
  },
  { text: 'credential.age * 2 > 90 days', means: 'credential.age * 2 > 7776000000ms' },
  {
    text: 'request.size otherwise 0B + 1KiB < tenant.allowance',
    means: 'request.size otherwise 0B + 1024B < tenant.allowance',
  },
  {
    text: 'tenant.level + 2 * tenant.level - 1 is 5',
    means: 'tenant.level + (2 * tenant.level) - 1 is 5',
  },
  {
    text: 'tenant.level - 1 - 2 > (tenant.level - 1) * 2 / 3',
    means: 'tenant.level - 1 - 2 > (tenant.level - 1) * 2 / 3',
  },
  { text: 'tenant.level / 4 >= 1.5', means: 'tenant.level / 4 >= 1.5' },
  { text: 'tenant.level not in [1, 2]', means: 'tenant.level not in [1, 2]' },
  { text: 'during "office"', means: 'during "office"' },
  { text: 'not outside "night" or during "office"', means: 'not (outside "night") or during "office"' },
  { text: 'request.date >= 2027-03-31', means: 'request.date["America/New_York"] >= 20908 days' },
  {
    text: 'request.date["Asia/Tokyo"] is 2027-03-31',
    means: 'request.date["Asia/Tokyo"] is 20908 days',
  },
  {
    text: 'request.date <= tenant.contract_end',
    means: 'request.date["America/New_York"] <= tenant.contract_end',
  },
  { text: 'request.time < 08:30', means: 'request.time["America/New_York"] < 510 min' },
  {
    text: 'request.weekday in ["sat", "sun"]',
    means: 'request.weekday["America/New_York"] in ["sat", "sun"]',
  },
  { text: 'tenant.notes is "a\\"b\\\\c\\u{41}\\{d}"', means: 'tenant.notes is "a\\"b\\\\cA{d}"' },
  { text: 'request.host is # a remark\n "a"', means: 'request.host is "a"' },
];

/** `applies to …`, and the routes of the project for which it is not false. */
export const SCOPE_CASES: readonly ConditionCase[] = [
  { text: 'every route', means: 'admin chat get-order list-orders open-search place-order refund status' },
  { text: 'route "admin", "status"', means: 'admin status' },
  { text: 'service "search"', means: 'open-search status' },
  {
    text: 'service "orders", "search"',
    means: 'admin get-order list-orders open-search place-order refund status',
  },
  { text: 'model "gpt-4o"', means: 'chat' },
  { text: 'models tagged "large"', means: 'chat' },
  { text: 'routes tagged "v1"', means: 'get-order list-orders' },
  { text: 'routes in state draft', means: 'admin' },
  { text: 'routes requiring identity', means: 'admin chat get-order list-orders place-order refund' },
  { text: 'routes tagged "v1" and not route "get-order"', means: 'list-orders' },
  { text: 'routes tagged "public" or routes tagged "admin"', means: 'admin list-orders' },
  {
    text: 'routes requiring identity and tenant.plan is "free"',
    means: 'admin chat get-order list-orders place-order refund',
  },
  { text: 'service "search" and (tenant is present and tenant.plan is "free")', means: 'open-search' },
  { text: 'service "search" and consumer has role "buyer"', means: 'open-search' },
  { text: 'route like "*order*"', means: 'get-order list-orders place-order' },
  { text: 'route.version otherwise "0" is "0" and service "search"', means: 'open-search status' },
];

export interface RuleCase {
  readonly text: string;
  /** Key and the fields that the text decides, without spans. */
  readonly rule: Readonly<Record<string, unknown>>;
}

const NO_REPLY = { status: null, code: null, because: null };
const DATE = 'request.date["America/New_York"]';

/** Rules in a policy "p" for routes that require identity. Facts are shown by their paths. */
export const RULE_CASES: readonly RuleCase[] = [
  { text: 'permit', rule: { kind: 'permit', name: null, key: 'permit', when: null } },
  { text: 'permit "all"', rule: { kind: 'permit', name: 'all', key: 'all', when: null } },
  {
    text: 'permit "some" 10% of consumers',
    rule: {
      key: 'some',
      when: { kind: 'share', percent: 10, of: 'consumers', seed: '["p","some"]' },
    },
  },
  {
    text: 'forbid from 1970-01-02 12.5% of requests when tenant.trial is true',
    rule: {
      key: 'forbid  12.5% of requests  when request.date["America/New_York"] >= 1 days and tenant.trial is true',
      when: {
        kind: 'and',
        operands: [
          { kind: 'compare', operator: 'ge' },
          { kind: 'compare', operator: 'is' },
          {
            kind: 'share',
            percent: 12.5,
            of: 'requests',
            seed: '["p","forbid  when request.date[\\"America/New_York\\"] >= 1 days and tenant.trial is true"]',
          },
        ],
      },
    },
  },
  {
    text: 'require tenant.trial is false  50% of tenants',
    rule: {
      key: 'require tenant.trial is false  50% of tenants',
      when: { kind: 'share', percent: 50, of: 'tenants', seed: '["p","require tenant.trial is false"]' },
    },
  },
  { text: 'warn 0.5% of requests', rule: { kind: 'warn', when: { kind: 'share', percent: 0.5 } } },
  {
    text: 'permit when during "office"',
    rule: {
      when: {
        kind: 'in-calendar',
        negated: false,
        calendar: {
          name: 'office',
          zone: 'Europe/Berlin',
          ranges: [0, 1, 2, 3, 4].map((weekday) => ({ weekday, startMinute: 480, endMinute: 1_080 })),
          holidays: [20_812, 20_813],
        },
      },
    },
  },
  {
    text: 'permit when outside "night"',
    rule: {
      when: {
        kind: 'in-calendar',
        negated: true,
        calendar: {
          name: 'night',
          zone: 'America/New_York',
          ranges: [
            { weekday: 2, startMinute: 720, endMinute: 1_440 },
            { weekday: 5, startMinute: 1_320, endMinute: 1_800 },
            { weekday: 6, startMinute: 1_320, endMinute: 1_800 },
          ],
          holidays: [],
        },
      },
    },
  },
  {
    text: 'forbid when outside "office" because "{calendar.name} opens {calendar.opens}, closes {calendar.closes}"',
    rule: {
      key: 'forbid  when outside "office"  because "{calendar.name} opens {calendar.opens}, closes {calendar.closes}"',
    },
  },
  { text: 'permit from 2027-03-25', rule: { key: `permit  when ${DATE} >= 20902 days` } },
  { text: 'permit until 2027-03-31', rule: { key: `permit  when ${DATE} <= 20908 days` } },
  { text: 'permit after 2027-03-31', rule: { key: `permit  when ${DATE} >= 20909 days` } },
  {
    text: 'forbid from 2027-03-25 until 2027-03-31 when tenant.plan is "free"',
    rule: { key: `forbid  when ${DATE} >= 20902 days and ${DATE} <= 20908 days and tenant.plan is "free"` },
  },
  {
    text: 'forbid because "no" code "gone" status 410',
    rule: {
      kind: 'forbid',
      key: 'forbid  status 410  code "gone"  because "no"',
      reply: { status: 410, code: 'gone', because: { parts: ['no'] } },
    },
  },
  {
    text: 'require "eu" request.host is "eu" when tenant.trial is true',
    rule: { kind: 'require', key: 'eu', reply: NO_REPLY },
  },
  {
    text: 'warn "old" when credential.age > 90 days code "key_old" because "Rotate it: {credential.age}"',
    rule: {
      kind: 'warn',
      key: 'old',
      reply: { code: 'key_old', because: { parts: ['Rotate it: ', 'credential.age'] } },
    },
  },
  {
    text: 'deprecate from 2026-11-01 sunset 2027-03-31',
    rule: {
      kind: 'deprecate',
      name: null,
      key: 'deprecate from 2026-11-01 sunset 2027-03-31',
      fromDay: 20_758,
      sunsetDay: 20_908,
      zone: 'America/New_York',
      successor: null,
    },
  },
  {
    text: 'deprecate from 2026-11-01 sunset 2027-03-31 successor route "admin"',
    rule: {
      key: 'deprecate from 2026-11-01 sunset 2027-03-31 successor route "admin"',
      successor: { route: 'admin', url: { parts: ['/admin'] } },
    },
  },
  {
    text: 'warn because "soon"',
    rule: {
      kind: 'warn',
      name: null,
      key: 'warn  because "soon"',
      reply: { code: null, because: { parts: ['soon'] } },
    },
  },
  {
    text: 'limit at most 60 requests in any 1m  for each consumer',
    rule: {
      kind: 'limit',
      key: 'limit at most 60 requests in any 60000ms  for each consumer',
      measure: { kind: 'requests' },
      window: { kind: 'window', amount: 60, windowMs: 60_000 },
      per: { kind: 'each', keys: ['consumer'], otherwise: null },
      reply: NO_REPLY,
      queueMs: null,
      onFailure: 'refuse',
      maxKeys: null,
      counterIdentity: '["p",null,"requests","window",60000,["consumer"],null]',
    },
  },
  {
    text: 'limit "one" at most 1 request in any 90 seconds  in total  on failure allow  max keys 5',
    rule: {
      key: 'one',
      window: { kind: 'window', amount: 1, windowMs: 90_000 },
      per: { kind: 'total' },
      onFailure: 'allow',
      maxKeys: 5,
      counterIdentity: '["p","one","requests","window",90000,[],null]',
    },
  },
  {
    text: 'limit at most 4 requests at once  in total  when exceeded queue up to 5s  status 503',
    rule: {
      key: 'limit at most 4 requests at once  in total  when exceeded queue up to 5000ms  status 503',
      queueMs: 5_000,
    },
  },
  {
    text: 'limit 1 request per 1s  in total  when exceeded queue up to 2m',
    rule: { queueMs: 120_000 },
  },
  {
    text: 'quota "new" 5 requests per day in UTC  in total  was "old"',
    rule: {
      key: 'new',
      counterIdentity: '["p","new","requests","calendar","day","UTC",[],null]',
      formerIdentity: '["p","old","requests","calendar","day","UTC",[],null]',
    },
  },
  {
    text: 'limit 90_000 requests per 1m, burst 20_000  for each tenant and route',
    rule: {
      window: { kind: 'pace', amount: 90_000, periodMs: 60_000, burst: 20_000 },
      per: { kind: 'each', keys: ['tenant', 'route'], otherwise: null },
      counterIdentity: '["p",null,"requests","pace",60000,["tenant","route"],null]',
    },
  },
  {
    text: 'limit 5 requests per 1s  in total',
    rule: { window: { kind: 'pace', amount: 5, periodMs: 1_000, burst: 5 } },
  },
  {
    text: 'limit at most 4 requests at once  for each team otherwise tenant',
    rule: {
      window: { kind: 'concurrency', amount: 4 },
      per: { kind: 'each', keys: ['team'], otherwise: 'tenant' },
      counterIdentity: '["p",null,"requests","concurrency",["team"],"tenant"]',
    },
  },
  {
    text: 'limit at most 4 requests at once  for each team  when team is present',
    rule: { per: { kind: 'each', keys: ['team'], otherwise: null } },
  },
  {
    text: 'quota 9 requests per month  for each tenant',
    rule: {
      kind: 'quota',
      key: 'quota 9 requests per month in America/New_York  for each tenant',
      window: { kind: 'calendar', amount: 9, period: 'month', zone: 'America/New_York' },
      counterIdentity: '["p",null,"requests","calendar","month","America/New_York",["tenant"],null]',
    },
  },
  {
    text: 'quota "q" 9 requests per quarter in UTC  in total',
    rule: { window: { kind: 'calendar', amount: 9, period: 'quarter', zone: 'UTC' } },
  },
  {
    text: 'limit at most 9 requests in any 1s for each tenant when exceeded because "{limit.name} {limit.used}/{limit.amount} {tenant.name} \\{x} {request.header[\\"x-a\\"]} {limit.resets}" status 403 code "slow"',
    rule: {
      reply: {
        status: 403,
        code: 'slow',
        because: {
          parts: [
            { limit: 'name' },
            ' ',
            { limit: 'used' },
            '/',
            { limit: 'amount' },
            ' ',
            'tenant.name',
            ' {x} ',
            'request.header["x-a"]',
            ' ',
            { limit: 'resets' },
          ],
        },
      },
    },
  },
  {
    text: 'set header "X-Plan" to "plan: {tenant.plan}, {tenant.notes}" in request',
    rule: {
      kind: 'set-header',
      header: 'x-plan',
      side: 'request',
      value: { parts: ['plan: ', 'tenant.plan', ', ', 'tenant.notes'] },
    },
  },
  {
    text: 'remove header "Server" in response when tenant.trial is true',
    rule: { kind: 'remove-header', header: 'server', side: 'response', value: { parts: [] } },
  },
  { text: 'cache 10m', rule: { kind: 'cache', forMs: 600_000, key: 'cache 600000ms' } },
  { text: 'timeout 1.5s', rule: { kind: 'timeout', totalMs: 1_500 } },
  { text: 'timeout 2 minutes', rule: { kind: 'timeout', totalMs: 120_000, key: 'timeout 120000ms' } },
  {
    text: 'alert "errors" when response.status >= 500 for at least 10 requests in any 1m for each consumer and route max keys 50 notify "oncall"',
    rule: {
      kind: 'alert',
      key: 'errors',
      atLeast: { requests: 10, windowMs: 60_000 },
      maxKeys: 50,
      notify: 'oncall',
    },
  },
  {
    text: 'alert when response.duration > 2s and tenant.plan is "free" because "slow: {response.duration}"',
    rule: {
      kind: 'alert',
      key: 'alert when response.duration > 2000ms and tenant.plan is "free"  because "slow: {response.duration}"',
      atLeast: null,
      per: { kind: 'total' },
      because: { parts: ['slow: ', 'response.duration'] },
      notify: null,
    },
  },
];
