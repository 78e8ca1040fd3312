import { assert } from '../../base/assert.ts';
import type { FactExpression } from '../../language/typed.ts';
import { isElementPath, isWholeElement, OUTPUT_CAP, writtenPath } from '../../model/facts.ts';
import { DAY_MS } from '../../model/local-time.ts';
import type { TextMask } from '../../model/masks/json.ts';
import { memberNames } from '../../model/member-path.ts';
import { queryValue } from '../../model/query.ts';
import { serviceFact } from '../../model/route-service.ts';
import type { Value, ValueType } from '../../model/types.ts';
import type { Route } from '../../model/world.ts';
import type { Answer } from '../../pipeline/alerts.ts';
import type { EntityFacts, Identity, KeyHash } from '../../pipeline/identity.ts';
import type { ModelRequest } from '../../pipeline/model-request.ts';
import type { BoundRuntime } from '../../pipeline/program.ts';
import { localMoment } from '../reference-calendar.ts';

/** A request as the interpreter sees it. */
export interface PlainRequest {
  /** 64 bits that the gateway made. */
  readonly id: KeyHash;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly ip: string;
  /** -1 for a body in chunks. */
  readonly bodyBytes: number;
  /** Lower-case name, value, … */
  readonly headers: readonly string[];
  /** Values of the path parameters, in the order of the route's pattern. */
  readonly parameters: readonly string[];
  readonly identity: Identity | null;
  /** The JSON value; null where the route describes none, undefined where it could not be read. */
  readonly body: unknown;
  /** The call to a model that the body is; null where it is none. */
  readonly call: ModelRequest | null;
  /** Tokens that the prompt of a `countable` call turns out to have where it is counted; null: nobody counts it. */
  readonly countedTokens: number | null;
  /** An answer that was kept is at hand, where rules let answers be kept. */
  readonly isKept: boolean;
  readonly arrivedMonotonicMs: number;
  readonly arrivedWallMs: number;
}

/** How a request ended. */
export type PlainAnswer = Omit<Answer, 'known'>;

/** What the rules of one phase look at: in `match` nobody has been identified, and only later is the body read. */
export interface Situation extends FactSituation {
  /** What lots are drawn with. */
  readonly keys: HashKeys;
}
/** What texts are written from. */
export interface ToldSituation extends Situation {
  /** Removes from values of the body what enforced rules mask in it; null where they mask nothing, and before it was read. */
  readonly mask: TextMask | null;
}
export type HashKeys = Pick<BoundRuntime, 'hashKey' | 'combineKey'>;
export interface FactSituation {
  readonly route: Route;
  readonly request: PlainRequest;
  readonly identity: Identity | null;
  readonly body: unknown;
  readonly call: ModelRequest | null;
  /** Of a request that has ended. */
  readonly answer?: PlainAnswer;
  /** What `it` stands for, in the condition of a quantifier. */
  readonly element?: unknown;
}

/** The value of a fact; undefined when it is missing. */
export function factValue(
  { definition, parameter }: FactExpression,
  situation: FactSituation,
): Value | undefined {
  const { request, route, identity } = situation;
  const { path, type } = definition;
  if (isWholeElement(path)) return situation.element as Value;
  if (isElementPath(path)) return bodyValue(situation.element, memberNames(writtenPath(path)).slice(1), type);
  if (definition.phase === 'body') return bodyValue(situation.body, memberNames(path).slice(2), type);
  if (definition.phase === 'call')
    return situation.call === null ? undefined : callValue(path, situation.call);
  const [root, member] = divide(definition.path);
  switch (root) {
    case 'request':
      return requestValue(member, parameter ?? '', request, route);
    case 'route':
      return routeValue(member, route);
    case 'response':
      return situation.answer === undefined ? undefined : answerValue(member, situation.answer);
    case 'usage':
      return situation.answer === undefined ? undefined : usageValue(member, situation.answer);
    case 'tenant':
      return member === 'plan' ? identity?.tenant.plan : entityValue(identity?.tenant, member);
    case 'team':
      return entityValue(identity?.team ?? undefined, member);
    case 'consumer':
      return member === 'roles' ? identity?.consumer.roles : entityValue(identity?.consumer, member);
    default:
      assert(root === 'credential', `a fact of ${root}`);
      return identity === null ? undefined : credentialValue(member, identity.credential, request);
  }
}

/** Null counts as missing; a date is the number of its day. */
function bodyValue(from: unknown, names: readonly string[], type: ValueType): Value | undefined {
  let value = from;
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  if (value === null || value === undefined) return undefined;
  const dayOf = (date: unknown) => Date.parse(`${String(date)}T00:00:00Z`) / DAY_MS;
  if (type.kind === 'date') return dayOf(value);
  return type.kind === 'list' && type.of.kind === 'date' ? (value as unknown[]).map(dayOf) : (value as Value);
}

function divide(path: string): [string, string] {
  const dot = path.indexOf('.');
  return dot === -1 ? [path, 'name'] : [path.slice(0, dot), path.slice(dot + 1)];
}

function requestValue(
  member: string,
  parameter: string,
  request: PlainRequest,
  route: Route,
): Value | undefined {
  switch (member) {
    case 'method':
      return request.method;
    case 'path':
      return request.path;
    case 'host':
      return request.host;
    case 'ip':
      return request.ip;
    case 'size':
      return request.bodyBytes === -1 ? undefined : request.bodyBytes;
    case 'header': {
      const names = request.headers.filter((_, at) => at % 2 === 0);
      const at = names.indexOf(parameter);
      return at === -1 ? undefined : request.headers[at * 2 + 1];
    }
    case 'date':
      return localMoment(parameter, request.arrivedWallMs).day;
    case 'time':
      return localMoment(parameter, request.arrivedWallMs).minute;
    case 'weekday':
      return localMoment(parameter, request.arrivedWallMs).weekday;
    case 'query':
      return queryValue(request.query, parameter);
    default: {
      assert(member === 'parameter', `a fact of the request: ${member}`);
      const segments = route.match.path.split('/').filter((segment) => segment.startsWith('{'));
      const names = segments.map((segment) => segment.slice(1, -1).replace('...', ''));
      const at = names.indexOf(parameter);
      return at === -1 ? undefined : request.parameters[at];
    }
  }
}

function callValue(path: string, { model, facts, bounds }: ModelRequest): Value | undefined {
  switch (path) {
    case 'model':
      return model.name;
    case 'request.model':
      return facts.model ?? undefined;
    case 'request.tokens':
      return Number.isFinite(bounds['input-tokens']) ? bounds['input-tokens'] : undefined;
    default:
      assert(path === OUTPUT_CAP, `a fact of calls: ${path}`);
      return facts.outputCap ?? undefined;
  }
}

function routeValue(member: string, route: Route): Value | undefined {
  switch (member) {
    case 'name':
      return route.name;
    case 'service':
      return serviceFact(route);
    case 'tags':
      return [...route.tags].sort();
    case 'state':
      return route.state;
    case 'requires_identity':
      return route.auth === 'required';
    case 'cost':
      return route.cost?.atMost;
    default:
      assert(member === 'version', `a fact of the route: ${member}`);
      return route.version ?? undefined;
  }
}

function answerValue(member: string, { status, durationMs, code }: PlainAnswer): Value | undefined {
  switch (member) {
    case 'status':
      return status;
    case 'duration':
      return durationMs;
    default:
      assert(member === 'code', `a fact of the response: ${member}`);
      return code;
  }
}

function usageValue(member: string, answer: PlainAnswer): Value | undefined {
  switch (member) {
    case 'input_tokens':
      return answer.inputTokens;
    case 'output_tokens':
      return answer.outputTokens;
    case 'tokens':
      return [answer.inputTokens, answer.outputTokens].reduce((sum, part) =>
        sum === undefined || part === undefined ? undefined : sum + part,
      );
    case 'cached_tokens':
      return answer.cachedTokens;
    case 'reasoning_tokens':
      return answer.reasoningTokens;
    default:
      assert(member === 'cost', `a fact of what was used: ${member}`);
      return answer.costNano;
  }
}

function entityValue(entity: EntityFacts | undefined, member: string): Value | undefined {
  if (entity === undefined) return undefined;
  if (member === 'name') return entity.name;
  return Object.entries(entity.attributes).find(([name]) => name === member)?.[1];
}

function credentialValue(
  member: string,
  credential: Identity['credential'],
  request: PlainRequest,
): Value | undefined {
  switch (member) {
    case 'name':
      return credential.name;
    case 'kind':
      return credential.kind;
    case 'age':
      return request.arrivedWallMs - credential.createdMs;
    default:
      assert(member === 'expires_in', `a fact of the credential: ${member}`);
      return credential.expiresMs === null ? undefined : credential.expiresMs - request.arrivedWallMs;
  }
}
