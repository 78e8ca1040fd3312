/** The phases before any rule is asked: what was received is checked, its route found, its caller identified. */
import type { RequestContext } from '../pipeline/context.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import type { FrontFacts } from './front-checks.ts';
import { checkFront } from './front-checks.ts';
import type { IdentityCache } from './identity-cache.ts';
import type { Problem } from './problem.ts';
import { badUpstream, methodNotAllowed, overloaded, problem, unauthenticated } from './problem.ts';
import { repeatsField, repeatsQueryParameter } from './repeated.ts';
import { NO_ROUTE } from './route-matcher.ts';
import type { RoutePlan, RuleVersion } from './rule-version.ts';
import { checkQuery, decodeSegment, normalisePath } from './target.ts';
import { looksLikeToken, type TokenIdentities, type WaitForToken } from './token-identities.ts';

/** Phase receive: fills the thread's facts, and what of them the rules read; normalises the target. */
export function receive(context: RequestContext, thread: ExchangeThread): Problem | null {
  const { facts } = thread;
  // uWebSockets.js bounds only a head that comes in pieces: one that is read at once may be larger.
  facts.requestLineBytes =
    context.method.length + context.path.length + context.query.length + REQUEST_LINE_FRAME_BYTES;
  const code = checkFront(context.method, context.headers, thread.limits, facts);
  if (code !== null) return problem(code);
  context.host = facts.host;
  context.bodyBytes = facts.bodyBytes;
  if (facts.bodyBytes < 0 && thread.chunkedRequests === 'refuse') return problem('length_required');
  const path = normalisePath(context.path, thread.slashes);
  if (typeof path !== 'string') return problem('malformed_target', path.fault);
  context.path = path;
  const queryFault = context.query === '' ? null : checkQuery(context.query);
  return queryFault === null ? null : problem('malformed_target', queryFault.fault);
}

/** Phase match: the route, or 404, or 405. Leaves the decoded path parameters on the context. */
export function findRoute(context: RequestContext, version: RuleVersion): RoutePlan | Problem {
  const { matcher } = version;
  const route = matcher.match(context.method, context.host, context.path, context.headers);
  if (route === NO_ROUTE) {
    const { allowed } = matcher.result;
    return allowed.length === 0 ? problem('route_not_found') : methodNotAllowed(allowed);
  }
  const plan = version.plan(route);
  const count = matcher.result.parameterCount;
  if (count > 0) {
    const decoded: string[] = [];
    for (let index = 0; index < count; index++) {
      const value = decodeSegment(matcher.result.parameters[index]!);
      if (value === null) return problem('malformed_target', 'A path parameter is not UTF-8.');
      decoded.push(value);
    }
    context.parameters = decoded;
  }
  return checkAgainstRoute(context, plan) ?? plan;
}

function checkAgainstRoute(context: RequestContext, plan: RoutePlan): Problem | null {
  const { program } = plan;
  if (program.route.state === 'retired') return problem('route_retired');
  if (context.bodyBytes > plan.maxBodyBytes) return problem('body_too_large');
  if (program.headersRead.length > 0 && repeatsField(context.headers, program.headersRead))
    return problem('repeated_field');
  if (program.queryRead.length > 0 && repeatsQueryParameter(context.query, program.queryRead))
    return problem('repeated_query_parameter');
  return null;
}

/** Whom a thread knows. */
export interface Callers {
  readonly identities: IdentityCache;
  readonly tokens: TokenIdentities;
}

/**
 * Phase identify (language-rules #15): `none` doesn't look at keys, `optional` takes none or a valid one. Why a key is not
 * valid is not told: it would help who guesses.
 */
export function identify(
  context: RequestContext,
  plan: RoutePlan,
  facts: FrontFacts,
  callers: Callers,
): Problem | WaitForToken | null {
  const { identities } = callers;
  const { auth } = plan.program.route;
  if (auth === 'none') return null;
  if (facts.conflictingKeys) return problem('conflicting_credentials');
  if (facts.presentedKey === '')
    return auth === 'optional' ? null : unauthenticated('This route needs a key.', '');
  const { issuers, keys } = plan.program.route.identify;
  if (issuers.length > 0 && looksLikeToken(facts.presentedKey))
    return identifyByToken(context, facts.presentedKey, issuers, callers);
  const found = keys ? identities.identify(facts.presentedKey, context.nowWallMs) : 'unknown';
  if (typeof found === 'string') return unauthenticated('The presented key is not valid.', 'invalid_token');
  context.identity = found;
  return null;
}

function identifyByToken(
  context: RequestContext,
  token: string,
  issuers: readonly string[],
  { identities, tokens }: Callers,
): Problem | WaitForToken | null {
  const { source } = identities;
  if (source === null) return problem('not_ready');
  const found = tokens.identify(token, issuers, context.tokenOutcome, source, context.nowWallMs);
  if (found === 'unavailable')
    return badUpstream(
      503,
      'The keys of the issuer of this token can not be had now.',
      'token_keys_unavailable',
    );
  if (found === 'overloaded') return overloaded();
  if (typeof found === 'string') return unauthenticated('The presented token is not valid.', 'invalid_token');
  if ('kind' in found) return found;
  context.identity = found;
  return null;
}

/**
 * For a request that waited behind this phase: its key may have been revoked or have expired meanwhile. Its caller stays as the
 * directory said when it was asked.
 */
export function identifyAgain(
  context: RequestContext,
  plan: RoutePlan,
  facts: FrontFacts,
  callers: Callers,
): Problem | WaitForToken | null {
  const { identity } = context;
  if (identity === null) return null;
  const refused = identify(context, plan, facts, callers);
  context.identity = identity;
  return refused;
}

/** Two blanks, "?", "HTTP/1.1" and CRLF. */
const REQUEST_LINE_FRAME_BYTES = 13;
