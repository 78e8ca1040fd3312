/** What the policies of one area speak about. */
export interface PolicyWorld {
  readonly area: number;
  /** Behind the names of policies, so that several editions of them can stand side by side. */
  readonly edition: string;
  readonly tenants: number;
  /** Whether what is created in the area has a schema, so that rules may read it. */
  readonly hasSchema: boolean;
}

export const POLICIES_PER_AREA = 10;

/** Ten policies of ten kinds. Those from the sixth on use the names of {@link areaDefines}. */
export function areaPolicies(world: PolicyWorld): readonly string[] {
  return [
    access(world),
    plans(world),
    contracts(world),
    keys(world),
    residency(world),
    writes(world),
    administration(world),
    headers(world),
    world.hasSchema ? amounts(world) : heavy(world),
    sunset(world),
  ];
}

/** Names that policies of {@link areaPolicies} use. */
export function areaDefines(area: number): string {
  const third = area % 250;
  return `define writing_${area} = ["POST", "PUT", "PATCH", "DELETE"]
define offices_${area} = ["10.${third}.0.0/16", "192.168.${third}.0/24", "127.0.0.0/8"]
`;
}

function policy(
  kind: string,
  title: string,
  { area, edition }: PolicyWorld,
  applies: string,
  rules: string,
): string {
  return `policy "${kind}-${area}${edition}" "${title}"
    owner "area-${area}@acme.example"
    applies to ${applies}
{
${rules}}
`;
}

function access(world: PolicyWorld): string {
  const { area, tenants } = world;
  const barred = Array.from({ length: 12 }, (_, at) => `"tenant-${(area * 7 + at * 3) % tenants}"`).join(
    ', ',
  );
  return policy(
    'access',
    `Who calls the routes of area ${area}`,
    world,
    `routes tagged "area-${area}"`,
    `    permit "subscribed" when consumer is present and consumer is subscribed to route
    permit "support" when consumer is present and consumer has role "support" and request.method is "GET"
    # ended in the spring; the list is kept by sales
    forbid "barred" when tenant is present and tenant.name in [${barred}]
        code "tenant_barred"
        because "{tenant.name} has no contract with area ${area}"
`,
  );
}

function plans(world: PolicyWorld): string {
  const { area } = world;
  return policy(
    'plans',
    `What a plan includes in area ${area}`,
    world,
    `routes tagged "area-${area}" and routes requiring identity`,
    `    limit "free-pace" at most ${10 + (area % 20)} requests in any 10s  for each tenant  when tenant.plan is "free"
        when exceeded because "The free plan allows {limit.amount} requests in any 10 seconds"
    limit "team-pace" ${50 + area} requests per 1s, burst ${100 + area}
        for each tenant
        when tenant.plan is "team"
    quota "free-month" ${10_000 + area * 10} requests per month  for each tenant  when tenant.plan is "free"
        when exceeded code "monthly_quota"
            because "{limit.name}: {limit.used} of {limit.amount} used; it resets {limit.resets}"
`,
  );
}

function contracts(world: PolicyWorld): string {
  const { area, tenants } = world;
  const rules = [0, 1, 2].map((at) => {
    const name = `tenant-${(area * 2 + at) % tenants}`;
    return `    limit "contract-${at}" at most ${(at + 2) * 100} requests in any 1m  for each consumer  when tenant.name is "${name}"
`;
  });
  return policy(
    'contracts',
    `What partners of area ${area} have agreed`,
    world,
    `routes tagged "area-${area}" and routes requiring identity`,
    rules.join(''),
  );
}

function keys(world: PolicyWorld): string {
  const { area } = world;
  const days = 90 + (area % 5) * 10;
  return policy(
    'keys',
    `Keys of area ${area} are changed in time`,
    world,
    `routes tagged "area-${area}" and routes requiring identity`,
    `    warn "old" when credential.age > ${days} days  because "Change your key soon: it is {credential.age} old"
    forbid "too-old" when credential.age > ${days + 30} days
        code "key_too_old"
        because "Change your key: it is {credential.age} old"
`,
  );
}

function residency(world: PolicyWorld): string {
  const { area } = world;
  return policy(
    'residency',
    `Personal data of area ${area} stays where it belongs`,
    world,
    `routes tagged "area-${area}" and routes tagged "personal" and routes requiring identity`,
    `    require "region" tenant.region in ["eu"${area % 3 === 0 ? ', "apac"' : ''}]
        status 451  code "region"
        because "{tenant.name} is registered in {tenant.region}"
    forbid "trial" when tenant.trial_ends is present and tenant.trial_ends < request.date
        status 402  code "trial_over"
`,
  );
}

function writes(world: PolicyWorld): string {
  const { area } = world;
  return policy(
    'writes',
    `What is written to area ${area} comes as JSON`,
    world,
    `routes tagged "area-${area}" and routes tagged "write"`,
    `    require "json" request.header["content-type"] otherwise "" starts with "application/json"
        status 415  code "json_expected"
        because "Send application/json"
    require "small" request.size otherwise 0B <= ${64 + area}KiB
        status 413  code "body_too_large"
    limit "writes" at most ${200 + area} requests in any 1m  for each tenant and request.method
        when request.method in writing_${area}
`,
  );
}

function administration(world: PolicyWorld): string {
  const { area } = world;
  return policy(
    'administration',
    `Users of area ${area} are managed from inside`,
    world,
    `routes tagged "area-${area}" and routes tagged "users" and routes requiring identity`,
    `    forbid "outside" when request.ip not in offices_${area}
        code "network_not_allowed"
        because "This is reached from the office network"
    require "role" consumer has role "admin" or consumer has role "support"
    forbid "programs" when consumer.kind is "service" and request.method in writing_${area}
`,
  );
}

function headers(world: PolicyWorld): string {
  const { area } = world;
  return policy(
    'headers',
    `What services and callers of area ${area} are told`,
    world,
    `routes tagged "area-${area}"`,
    `    set header "X-Area" to "area-${area}" in request
    set header "X-Tenant" to "{tenant.name}" in request  when tenant is present
    set header "Cache-Control" to "private, max-age=${area}" in response  when request.method is "GET"
    remove header "Server" in response
    timeout ${10 + (area % 30)}s
`,
  );
}

function amounts(world: PolicyWorld): string {
  const { area } = world;
  return policy(
    'amounts',
    `Large amounts of area ${area} are looked at`,
    world,
    `route "area-${area}-create-orders", "area-${area}-create-customers"`,
    `    require "finance" consumer has role "finance"  when request.body.amount > ${500 + area}
        code "finance_needed"
        because "Amounts above ${500 + area} are entered by finance"
    require "reason" request.body.reason is present  when request.body.amount > ${100 + area}
        status 422  code "reason_missing"
    quota "per-person" ${50 + area} requests per day  for each consumer
`,
  );
}

function heavy(world: PolicyWorld): string {
  const { area } = world;
  return policy(
    'heavy',
    `What is expensive in area ${area} is not done by all at once`,
    world,
    `routes tagged "area-${area}" and routes tagged "heavy"`,
    `    limit "per-consumer" at most 2 requests at once  for each consumer
    limit "in-all" at most ${8 + (area % 8)} requests at once  in total
    quota "per-day" ${50 + area} requests per day  for each consumer
`,
  );
}

function sunset(world: PolicyWorld): string {
  const { area } = world;
  return policy(
    'sunset',
    `Version 1 of area ${area} ends`,
    world,
    `routes tagged "area-${area}" and routes tagged "v1"`,
    `    deprecate from 2026-11-01 sunset 2027-03-31
    forbid "gone" after 2027-03-31
        status 410  code "gone"
    forbid "copying" when request.header["user-agent"] otherwise "" matches /(?i)(scrapy|httrack|area-${area})/
        code "use_a_key"
`,
  );
}
