import type { PlainRequest } from '../../compiler/interpret/facts.ts';
import type { FactExpression } from '../../language/typed.ts';
import { DAY_MS, localClock } from '../../model/local-time.ts';
import { memberNames } from '../../model/member-path.ts';
import type { Value } from '../../model/types.ts';
import type { Route } from '../../model/world.ts';
import type { Identity } from '../../pipeline/identity.ts';
import { changedBody, jsonOf } from './changed-body.ts';

/**
 * The same request with one fact other than it was; undefined removes it. Null: the fact can't be that, or changing it
 * would make it a request for another route.
 */
export function changedRequest(
  request: PlainRequest,
  route: Route,
  { definition, parameter, type }: FactExpression,
  value: Value | undefined,
): PlainRequest | null {
  if (definition.phase === 'body')
    return changedBody(request, memberNames(definition.path).slice(2), jsonOf(type, value));
  const [root = '', member = 'name'] = definition.path.split('.');
  if (root === 'request') return changedFact(request, route, { member, parameter: parameter ?? '' }, value);
  const { identity } = request;
  if (identity === null) return null;
  const changed = changedIdentity(identity, root, member, value, request.arrivedWallMs);
  return changed === null ? null : { ...request, identity: changed };
}

interface RequestFact {
  readonly member: string;
  readonly parameter: string;
}

function changedFact(
  request: PlainRequest,
  route: Route,
  { member, parameter }: RequestFact,
  value: Value | undefined,
): PlainRequest | null {
  switch (member) {
    case 'method':
      return fits(route.match.methods, value) ? { ...request, method: String(value) } : null;
    case 'ip':
      return value === undefined ? null : { ...request, ip: String(value) };
    case 'size':
      return { ...request, bodyBytes: value === undefined ? -1 : Math.max(0, Number(value)) };
    case 'header':
      return isRouting(route, parameter)
        ? null
        : { ...request, headers: withHeader(request.headers, parameter, value) };
    case 'query':
      return { ...request, query: withQuery(request.query, parameter, value) };
    case 'parameter':
      return withParameter(request, route, parameter, value);
    case 'date':
    case 'time':
    case 'weekday':
      return withMoment(request, member, parameter, value);
    default:
      return null;
  }
}

function fits(methods: readonly string[], value: Value | undefined): boolean {
  return value !== undefined && (methods.length === 0 || methods.includes(String(value)));
}

function isRouting({ match }: Route, header: string): boolean {
  return match.headers.some(({ name }) => name === header);
}

function withHeader(headers: readonly string[], name: string, value: Value | undefined): string[] {
  const others = headers.filter((_, at) => headers[at - (at % 2)] !== name);
  return value === undefined ? others : [...others, name, String(value)];
}

function withQuery(query: string, name: string, value: Value | undefined): string {
  const others = query.split('&').filter((part) => part !== '' && decoded(part.split('=')[0]!) !== name);
  if (value === undefined) return others.join('&');
  return [...others, `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`].join('&');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

function withParameter(
  request: PlainRequest,
  route: Route,
  name: string,
  value: Value | undefined,
): PlainRequest | null {
  const names = [...route.match.path.matchAll(/\{([^}]*?)(?:\.\.\.)?\}/g)].map((match) => match[1]);
  const at = names.indexOf(name);
  if (at === -1 || value === undefined || value === '') return null;
  return {
    ...request,
    parameters: request.parameters.map((each, index) => (index === at ? String(value) : each)),
  };
}

/** Another date keeps the time of day, another time keeps the date. */
function withMoment(
  request: PlainRequest,
  member: 'date' | 'time' | 'weekday',
  zone: string,
  value: Value | undefined,
): PlainRequest | null {
  if (value === undefined) return null;
  const clock = localClock(zone);
  const now = request.arrivedWallMs;
  const at = (day: number, minute: number): PlainRequest => {
    const start = clock.startOfDayMs(day);
    return { ...request, arrivedWallMs: start + minute * 60_000 };
  };
  if (member === 'date') return at(Number(value), clock.minute(now));
  if (member === 'time') return at(clock.day(now), Number(value));
  for (let days = 1; days < 7; days++) {
    const later = at(clock.day(now) + days, clock.minute(now));
    if (clock.weekday(later.arrivedWallMs) === value) return later;
  }
  return at(Math.floor(now / DAY_MS), clock.minute(now));
}

function changedIdentity(
  identity: Identity,
  root: string,
  member: string,
  value: Value | undefined,
  wallMs: number,
): Identity | null {
  switch (root) {
    case 'tenant':
      if (value === undefined && member !== 'name' && member !== 'plan')
        return { ...identity, tenant: withAttribute(identity.tenant, member, undefined) };
      if (value === undefined) return null;
      if (member === 'plan') return { ...identity, tenant: { ...identity.tenant, plan: String(value) } };
      return { ...identity, tenant: withAttribute(identity.tenant, member, value) };
    case 'team':
      return changedTeam(identity, member, value);
    case 'consumer':
      if (member === 'roles')
        return Array.isArray(value)
          ? { ...identity, consumer: { ...identity.consumer, roles: value.map(String) } }
          : null;
      if (member === 'name' && value === undefined) return null;
      return { ...identity, consumer: withAttribute(identity.consumer, member, value) };
    default:
      return changedCredential(identity, member, value, wallMs);
  }
}

type Entity = { readonly name: string; readonly attributes: Readonly<Record<string, Value>> };

function withAttribute<E extends Entity>(entity: E, member: string, value: Value | undefined): E {
  if (member === 'name') return { ...entity, name: String(value) };
  const { [member]: _old, ...others } = entity.attributes;
  return { ...entity, attributes: value === undefined ? others : { ...others, [member]: value } };
}

/** Whoever is in no team can be put into one; its other attributes then stay missing, so only the name is changed. */
function changedTeam(identity: Identity, member: string, value: Value | undefined): Identity | null {
  if (value === undefined) return member === 'name' ? { ...identity, team: null } : null;
  if (identity.team === null) {
    if (member !== 'name') return null;
    return { ...identity, team: { name: String(value), attributes: {}, keyHash: NO_HASH } };
  }
  return { ...identity, team: withAttribute(identity.team, member, value) };
}
const NO_HASH = { high: 0, low: 0 };

function changedCredential(
  identity: Identity,
  member: string,
  value: Value | undefined,
  wallMs: number,
): Identity | null {
  const { credential } = identity;
  if (member === 'expires_in') {
    const expiresMs = value === undefined ? null : wallMs + Number(value);
    return { ...identity, credential: { ...credential, expiresMs } };
  }
  if (value === undefined) return null;
  if (member === 'age')
    return { ...identity, credential: { ...credential, createdMs: wallMs - Number(value) } };
  if (member === 'kind')
    return { ...identity, credential: { ...credential, kind: value as typeof credential.kind } };
  return member === 'name' ? { ...identity, credential: { ...credential, name: String(value) } } : null;
}
