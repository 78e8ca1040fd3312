import type { Span } from '../../diagnostics/source.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import type { Value } from '../../model/types.ts';
import type { Consumer, Tenant } from '../../model/world.ts';
import type { ListNode, LiteralNode, TextNode } from '../ast.ts';
import { unknownFact } from '../problems/names.ts';
import { saidTwice } from '../problems/reading.ts';
import { severalTenants, unknownThing, whoCalls } from '../problems/tests.ts';
import type { AttributeNode, GivenNode } from '../test-ast.ts';
import type { Attributes, TestCaller, TestIdentity } from '../typed-tests.ts';
import type { CheckContext } from './context.ts';
import { typeLiteral } from './literals.ts';

/** Who calls in a test: what is given, on top of what the project says of the tenant, team and consumer. */
export interface GivenCaller {
  readonly tenant: EntityGiven | null;
  readonly team: EntityGiven | null;
  readonly consumer: EntityGiven | null;
  readonly credential: Extract<GivenNode, { kind: 'credential' }> | null;
  readonly roles: Extract<GivenNode, { kind: 'roles' }> | null;
  readonly noIdentity: Span | null;
}
type EntityGiven = Extract<GivenNode, { kind: 'tenant' | 'team' | 'consumer' }>;

export function givenCaller(context: CheckContext, given: readonly GivenNode[]): GivenCaller {
  const one = <Kind extends GivenNode['kind']>(kind: Kind): Extract<GivenNode, { kind: Kind }> | null => {
    const [first, ...others] = given.filter((item) => item.kind === kind);
    for (const other of others) context.report(saidTwice(other.span, WORD[kind] ?? kind, first!.span));
    return (first ?? null) as Extract<GivenNode, { kind: Kind }> | null;
  };
  const caller = {
    tenant: one('tenant') as EntityGiven | null,
    team: one('team') as EntityGiven | null,
    consumer: one('consumer') as EntityGiven | null,
    credential: one('credential'),
    roles: one('roles'),
    noIdentity: one('no-identity')?.span ?? null,
  };
  const said = caller.tenant ?? caller.team ?? caller.consumer ?? caller.credential ?? caller.roles;
  if (caller.noIdentity !== null && said !== null) context.report(whoCalls(said.span, 'nobody-and-somebody'));
  return caller;
}

const WORD: Readonly<Record<string, string>> = { 'no-identity': 'no identity', roles: 'role' };

/** Null: a problem was reported. */
export function checkCaller(context: CheckContext, given: GivenCaller, wallMs: number): TestCaller | null {
  if (given.noIdentity !== null) return { kind: 'nobody' };
  const identity = checkIdentity(context, given, wallMs);
  if (identity === 'no-tenant') return { kind: 'nobody' };
  if (identity === null) return null;
  const said = given.tenant ?? given.team ?? given.consumer ?? given.credential ?? given.roles;
  return { kind: said === null ? 'unsaid' : 'said', identity };
}

/** The caller of one step: `… are sent by consumer "erp"`. What is given about its tenant holds for it too. */
export function checkOtherCaller(
  context: CheckContext,
  given: GivenCaller,
  consumer: TextNode,
  wallMs: number,
): TestCaller | null {
  const named: EntityGiven = { kind: 'consumer', name: consumer, attributes: [], span: consumer.span };
  const places = placesOf(context, { ...NOBODY, consumer: named });
  const sameTenant = places.some(({ tenant }) => tenant.name === given.tenant?.name.value);
  const tenant = sameTenant ? given.tenant : null;
  const identity = checkIdentity(context, { ...NOBODY, tenant, consumer: named }, wallMs);
  return identity === null || identity === 'no-tenant' ? null : { kind: 'said', identity };
}

const NOBODY: GivenCaller = {
  tenant: null,
  team: null,
  consumer: null,
  credential: null,
  roles: null,
  noIdentity: null,
};

interface Placed {
  readonly tenant: Tenant;
  /** Null: nobody of the project, but one made for the test. */
  readonly consumer: Consumer | null;
}

function checkIdentity(
  context: CheckContext,
  given: GivenCaller,
  wallMs: number,
): TestIdentity | null | 'no-tenant' {
  const placed = place(context, given);
  if (placed === null || placed === 'no-tenant') return placed;
  const { tenant, consumer } = placed;
  const teamName = given.team?.name.value ?? consumer?.team ?? null;
  const team = teamName === null ? null : (tenant.teams.get(teamName) ?? null);
  const tenantGiven = attributesOf(context, given.tenant);
  const teamGiven = attributesOf(context, given.team);
  const consumerGiven = attributesOf(context, given.consumer);
  if (tenantGiven === null || teamGiven === null || consumerGiven === null) return null;
  const { plan, ...tenantAttributes } = tenantGiven;
  const { roles, ...consumerAttributes } = consumerGiven;
  return {
    tenant: {
      name: tenant.name,
      plan: typeof plan === 'string' ? plan : tenant.plan,
      attributes: { ...tenant.attributes, ...tenantAttributes },
    },
    team: team === null ? null : { name: team.name, attributes: { ...team.attributes, ...teamGiven } },
    consumer: {
      name: consumer?.name ?? STAND_IN,
      roles: rolesOf(context, given, roles, consumer),
      subscriptions: consumer === null ? null : consumer.subscriptions,
      attributes: { ...consumer?.attributes, ...consumerAttributes },
    },
    credential: credentialOf(given, consumer, wallMs),
  };
}

/** The consumer made for a test that names none; subscribed to every route. */
const STAND_IN = 'test';

function place(context: CheckContext, given: GivenCaller): Placed | null | 'no-tenant' {
  const { tenants } = context.project.world.directory;
  const wanted = given.consumer ?? given.team ?? given.tenant;
  if (!exists(context, given)) return null;
  const places = placesOf(context, given);
  const [first, ...others] = places;
  if (first === undefined) {
    if (tenants.size === 0 && wanted === null) return 'no-tenant';
    const span = (given.consumer ?? given.team ?? given.credential)!.span;
    context.report(whoCalls(span, 'not-together'));
    return null;
  }
  if (others.length === 0 || wanted === null || wanted.kind === 'tenant') return first;
  context.report(
    severalTenants(
      wanted.name.span,
      wanted.kind,
      wanted.name.value,
      places.map(({ tenant }) => tenant.name),
    ),
  );
  return null;
}

/** Each name is looked for on its own first, so that the message is about the one that is wrong. */
function exists(context: CheckContext, given: GivenCaller): boolean {
  const tenants = [...context.project.world.directory.tenants.values()];
  const known: readonly (readonly [EntityGiven | null, ReadonlyMap<string, string>])[] = [
    [given.tenant, new Map(tenants.map(({ name, place: at }) => [name, at]))],
    [
      given.team,
      new Map(tenants.flatMap(({ teams, place: at }) => [...teams.keys()].map((name) => [name, at]))),
    ],
    [
      given.consumer,
      new Map(
        tenants.flatMap(({ consumers }) => [...consumers.values()].map((one) => [one.name, one.place])),
      ),
    ],
  ];
  const missing = known.filter(([node, names]) => node !== null && !names.has(node.name.value));
  for (const [node, names] of missing) context.report(unknownThing(node!.name, node!.kind, names));
  return missing.length === 0;
}

/** Everybody who fits; without a consumer, one stand-in for each tenant that fits. */
function placesOf(context: CheckContext, given: GivenCaller): Placed[] {
  const tenants = [...context.project.world.directory.tenants.values()]
    .filter(({ name }) => given.tenant === null || name === given.tenant.name.value)
    .filter(({ teams }) => given.team === null || teams.has(given.team.name.value))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const owners = tenants.flatMap((tenant) =>
    [...tenant.consumers.values()]
      .filter(({ credentials }) => credentials.some(({ name }) => name === given.credential?.name?.value))
      .map((consumer) => ({ tenant, consumer })),
  );
  if (given.consumer === null) return owners.length === 1 ? owners : standIns(tenants, given);
  return tenants.flatMap((tenant) => {
    const consumer = tenant.consumers.get(given.consumer!.name.value);
    return consumer === undefined ? [] : [{ tenant, consumer }];
  });
}

/** Nobody and nothing that tells tenants apart was given: the first one stands for all. */
function standIns(tenants: readonly Tenant[], given: GivenCaller): Placed[] {
  const all = tenants.map((tenant) => ({ tenant, consumer: null }));
  return given.team === null ? all.slice(0, 1) : all;
}

function rolesOf(
  context: CheckContext,
  given: GivenCaller,
  attribute: Value | undefined,
  consumer: Consumer | null,
): readonly string[] {
  if (given.roles !== null) {
    const known = new Map([...context.project.world.directory.roles].map((role) => [role, '']));
    for (const role of given.roles.names)
      if (!known.has(role.value)) context.report(unknownThing(role, 'role', known));
    return given.roles.names.map(({ value }) => value);
  }
  return Array.isArray(attribute) ? attribute.map(String) : (consumer?.roles ?? []);
}

/** How credentials of tokens are called: by the name of the issuer behind it. */
const OF_TOKENS = 'jwt:';

function credentialOf(
  { credential }: GivenCaller,
  consumer: Consumer | null,
  wallMs: number,
): TestIdentity['credential'] {
  const name = credential?.name?.value ?? null;
  const known = consumer?.credentials.find((one) => name === null || one.name === name);
  const createdMs = credential?.age != null ? wallMs - credential.age.value : (known?.createdMs ?? wallMs);
  return {
    name: name ?? known?.name ?? `${consumer?.name ?? STAND_IN}-1`,
    kind: known?.kind ?? (name?.startsWith(OF_TOKENS) ? 'token' : 'key'),
    // a key made after the moment of the test is new in it
    createdMs: Math.min(createdMs, wallMs),
    expiresMs: known?.expiresMs ?? null,
  };
}

/** Attributes given for a tenant, team or consumer, by their declared types. Null: reported. */
function attributesOf(context: CheckContext, given: EntityGiven | null): Attributes | null {
  if (given === null) return {};
  const values = given.attributes.map((attribute) => attributeOf(context, given.kind, attribute));
  return values.includes(null) ? null : Object.fromEntries(values.filter((value) => value !== null));
}

function attributeOf(
  context: CheckContext,
  owner: string,
  { name, value }: AttributeNode,
): readonly [string, Value] | null {
  const path = `${owner}.${name.value}`;
  const definition = name.value === 'name' ? undefined : context.project.facts.get(path);
  if (definition === undefined) {
    const known = [...context.project.facts.keys()].filter((each) => each.startsWith(`${owner}.`));
    const near = nearest(
      name.value,
      known.map((each) => each.slice(owner.length + 1)),
    );
    context.report(unknownFact(name.span, path, near === null ? null : `${near}`, known.sort()));
    return null;
  }
  const { type } = definition;
  if (type.kind !== 'list') return value.kind === 'list' ? listed(context, value, path) : typed(value, type);
  const items = (value.kind === 'list' ? value.items : [value]).map((item) =>
    typeLiteral(context, item, type.of, path),
  );
  return items.some((item) => item === null) ? null : [name.value, items.map((item) => item!.value)];

  function typed(literal: LiteralNode, scalar: typeof type): readonly [string, Value] | null {
    const checked = typeLiteral(context, literal, scalar, path);
    return checked === null ? null : [name.value, checked.value];
  }
}

function listed(context: CheckContext, list: ListNode, path: string): null {
  context.report(whoCalls(list.span, 'not-a-list', path));
  return null;
}
