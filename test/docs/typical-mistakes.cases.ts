/** A mistake that people make, in our language and as near to it as Cedar can come. */
export interface Mistake {
  readonly what: string;
  /** Rules of a policy for the routes tagged v1, or a whole file when it begins with `language`. */
  readonly policy: string;
  /** Code of the finding that names the mistake. */
  readonly code: string;
  /** Null where Cedar has nothing of the kind, with the reason. */
  readonly cedar: string | { readonly none: string };
}

const NO_LIMITS = 'Cedar decides single requests; it has no limits or quotas.';

export const MISTAKES: readonly Mistake[] = [
  {
    what: 'A swapped unit: a size compared with a duration',
    policy: 'forbid when tenant.allowance > 5m',
    code: 'PT1203',
    cedar: 'forbid (principal, action, resource) when { context.size > duration("5m") };',
  },
  {
    what: 'A misspelt name of the configuration',
    policy: 'permit when tenant.plan is "fre"',
    code: 'PT1101',
    cedar: 'permit (principal == Plan::"fre", action, resource);',
  },
  {
    what: 'A misspelt attribute',
    policy: 'permit when tenant.plann is "free"',
    code: 'PT1102',
    cedar: 'permit (principal, action, resource) when { principal.plann == "free" };',
  },
  {
    what: 'A limit that says not for whom it counts',
    policy: 'limit at most 60 requests in any 1m',
    code: 'PT2101',
    cedar: { none: NO_LIMITS },
  },
  {
    what: '`and` and `or` mixed',
    policy: 'permit when tenant.plan is "free" and route is "get-order" or tenant.level > 3',
    code: 'PT0107',
    cedar:
      'permit (principal, action, resource) when { principal.plan == "free" && context.size > 1 || principal.level > 3 };',
  },
  {
    what: 'An optional value used bare',
    policy: 'forbid when request.header["x-region"] is "DE"',
    code: 'PT1301',
    cedar: 'forbid (principal, action, resource) when { context.region == "DE" };',
  },
  {
    what: 'Sunset before deprecation',
    policy: 'deprecate from 2027-03-31 sunset 2026-11-01',
    code: 'PT2120',
    cedar: { none: 'Cedar has no life cycle of routes.' },
  },
  {
    what: 'Money compared with a number',
    policy: 'forbid when tenant.deposit > 5',
    code: 'PT1204',
    cedar: 'forbid (principal, action, resource) when { principal.deposit > 5 };',
  },
  {
    what: 'Single quotes',
    policy: "forbid when tenant.plan is 'free'",
    code: 'PT0111',
    cedar: "forbid (principal, action, resource) when { principal.plan == 'free' };",
  },
  {
    what: '`=` instead of the word for equality',
    policy: 'forbid when tenant.plan = "free"',
    code: 'PT0111',
    cedar: 'forbid (principal, action, resource) when { principal.plan = "free" };',
  },
  {
    what: 'Five million as 5M',
    policy: 'limit at most 5M requests in any 1m  in total',
    code: 'PT0112',
    cedar: 'forbid (principal, action, resource) when { context.size > 5M };',
  },
  {
    what: 'A keyword in capitals',
    policy: 'Forbid when tenant.plan is "free"',
    code: 'PT0103',
    cedar: 'Forbid (principal, action, resource) when { principal.plan == "free" };',
  },
  {
    what: 'The value before the fact',
    policy: 'forbid when "v1" in route.tags',
    code: 'PT0108',
    cedar: 'forbid (principal, action, resource) when { "v1" in resource.tags };',
  },
  {
    what: 'A quota without its period',
    policy: 'quota 5 requests  for each tenant',
    code: 'PT0119',
    cedar: { none: NO_LIMITS },
  },
  {
    what: 'A share without its unit',
    policy: 'forbid when tenant.discount > 15',
    code: 'PT1204',
    cedar: 'forbid (principal, action, resource) when { principal.discount > 15 };',
  },
  {
    what: 'A tag that no route has',
    policy: 'language 1\npolicy "p" applies to routes tagged "internal" {\n  permit\n}\n',
    code: 'PT1101',
    cedar: 'permit (principal, action, resource in Tag::"internal");',
  },
  {
    what: 'A text that is not closed',
    policy: 'forbid because "no',
    code: 'PT0104',
    cedar: 'forbid (principal, action, resource) when { principal.plan == "free };',
  },
  {
    what: 'A brace that is not closed',
    policy: 'language 1\npolicy "p" {\n  permit\n',
    code: 'PT0119',
    cedar: 'permit (principal, action, resource) when { principal.level > 3',
  },
  {
    what: 'A regular expression where a pattern with stars belongs',
    policy: 'forbid when request.path like /^.admin.*$/',
    code: 'PT0111',
    cedar: 'forbid (principal, action, resource) when { context.path like /^.admin.*$/ };',
  },
  {
    what: 'A date written as 31.12.2026',
    policy: 'forbid when tenant.contract_end < 31.12.2026',
    code: 'PT0111',
    cedar: 'forbid (principal, action, resource) when { principal.contract_end < datetime("31.12.2026") };',
  },
  {
    what: 'A header name with its colon',
    policy: 'set header "X-Tier:" to "gold" in request',
    code: 'PT2105',
    cedar: { none: 'Cedar changes no requests.' },
  },
];

/** The world of the examples as a schema of Cedar. */
export const CEDAR_SCHEMA = `entity Tag;
entity Tenant { plan: String, level: Long, deposit: decimal, discount: decimal, contract_end: datetime };
entity Route in [Tag] { tags: Set<String> };
action "call" appliesTo {
  principal: Tenant,
  resource: Route,
  context: { size: Long, path: String, region?: String }
};`;
