/** The phases before any rule is asked: what was received is checked, its route found, its caller identified. */
import type { Dialect } from '../model/pools.ts';
import type { Identification } from '../model/world.ts';
import type { RequestContext } from '../pipeline/context.ts';
import type { SignatureVerifier } from '../pipeline/identity.ts';
import type { CertificateIdentities } from './certificate-identities.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import type { FrontFacts } from './front-checks.ts';
import { checkFront } from './front-checks.ts';
import type { IdentityCache } from './identity-cache.ts';
import { dialectAt } from './model-apis.ts';
import type { Problem } from './problem.ts';
import {
  badUpstream,
  methodNotAllowed,
  overloaded,
  presentInstead,
  problem,
  unauthenticated,
} from './problem.ts';
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
/** To be followed by {@link checkAgainstRoute}. */
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
  return plan;
}

/** In whose words a request is answered that no route has taken; null: in those of nobody, which is a problem of RFC 9457. */
export function dialectOfUntaken(
  context: RequestContext,
  version: RuleVersion,
  refused: Problem,
): Dialect | null {
  // there is a route, for other methods
  if (refused.status === 405) return version.plan(version.matcher.result.refused).dialect;
  return dialectAt(version.rules.apis, context);
}

/** Whether the route takes such a request. */
export function checkAgainstRoute(context: RequestContext, plan: RoutePlan): Problem | null {
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
  readonly certificates: CertificateIdentities;
  readonly signatures: SignatureVerifier;
  readonly scheme: 'http' | 'https';
}

/**
 * Phase identify (language-rules #15): `none` doesn't look at credentials, `optional` takes none or a valid one. Why a key is not
 * valid is not told: it would help who guesses. A certificate counts where nothing else is presented: a proxy hands it on with
 * whatever its client sends.
 */
export function identify(
  context: RequestContext,
  plan: RoutePlan,
  facts: FrontFacts,
  callers: Callers,
): Problem | WaitForToken | null {
  const { identities } = callers;
  const { auth, identify: ways } = plan.program.route;
  if (auth === 'none') return null;
  const { issuers, keys } = ways;
  const key = keys || issuers.length > 0 ? facts.presentedKey : '';
  if (ways.signatures && facts.signatureInput !== '') {
    if (key !== '') return problem('conflicting_credentials');
    return identifyBySignature(context, ways, facts, callers);
  }
  if (facts.conflictingKeys && key !== '') return problem('conflicting_credentials');
  if (key === '') {
    if (ways.certificates && shown(facts.clientCertificate) !== '' && callers.certificates.trusts(context.ip))
      return identifyByCertificate(context, ways, facts, callers);
    return auth === 'optional' ? null : nothingPresented(ways, callers);
  }
  if (issuers.length > 0 && looksLikeToken(key)) return identifyByToken(context, key, issuers, callers);
  const found = keys ? identities.identify(key, context.nowWallMs) : 'unknown';
  if (typeof found === 'string') return unauthenticated('The presented key is not valid.', 'invalid_token');
  context.identity = found;
  return null;
}

/** Proxies that write the field for each client write no bytes for one that has shown nothing. */
function shown(field: string): string {
  return field === NO_BYTES ? '' : field;
}

const NO_BYTES = '::';

function identifyByCertificate(
  context: RequestContext,
  ways: Identification,
  { clientCertificate, clientCertificateChain }: FrontFacts,
  callers: Callers,
): Problem | null {
  const { source } = callers.identities;
  if (source === null) return problem('not_ready');
  const { certificates } = callers;
  const chain = shown(clientCertificateChain);
  const found = certificates.identify(clientCertificate, chain, source, context.nowWallMs);
  switch (found) {
    case 'malformed':
      return problem('malformed_client_cert');
    case 'outdated':
      return instead(problem('certificate_outdated'), ways, callers);
    case 'unknown':
      return instead(problem('certificate_unknown'), ways, callers);
    default:
      context.identity = found;
      return null;
  }
}

/** A signature is good once: for a request that waited, only whether its credential still counts is asked again. */
function identifyBySignature(
  context: RequestContext,
  ways: Identification,
  facts: FrontFacts,
  callers: Callers,
): Problem | null {
  const { source } = callers.identities;
  if (source === null) return problem('not_ready');
  if (context.signed === null) {
    const outcome = callers.signatures.verify(
      {
        method: context.method,
        scheme: callers.scheme,
        authority: facts.authority,
        path: context.receivedPath,
        query: context.query,
        fields: context.headers,
        connectionFields: facts.connectionFields ?? [],
        body: context.bodyBytes === 0 ? 'none' : 'some',
        input: facts.signatureInput,
        signature: facts.signature,
      },
      source,
      context.nowWallMs,
    );
    if ('fault' in outcome) return signatureProblem(problem(outcome.fault, outcome.detail), ways, callers);
    context.signed = outcome;
    context.identity = outcome.known.identity;
    return null;
  }
  const found = source.identifyByName(context.signed.nameHash, context.nowWallMs);
  if (typeof found === 'string') return signatureProblem(problem('signature_invalid'), ways, callers);
  context.identity = found.identity;
  return null;
}

function signatureProblem(refused: Problem, ways: Identification, callers: Callers): Problem {
  if (refused.status === 401) return instead(refused, ways, callers);
  return refused.status === 503 ? { ...refused, retryAfterS: 1 } : refused;
}

function nothingPresented(ways: Identification, callers: Callers): Problem {
  if (!ways.certificates && !ways.signatures) return unauthenticated('This route needs a key.', '');
  const wanted = [
    ...(ways.keys || ways.issuers.length > 0 ? ['a key'] : []),
    ...(ways.certificates ? ['a client certificate from a trusted proxy'] : []),
    ...(ways.signatures ? ['a signature (RFC 9421)'] : []),
  ];
  return instead(problem('unauthenticated', `This route needs ${wanted.join(' or ')}.`), ways, callers);
}

function instead(refused: Problem, ways: Identification, { signatures }: Callers): Problem {
  const keys = ways.keys || ways.issuers.length > 0 ? 'accepted' : 'not-accepted';
  return presentInstead(refused, keys, ways.signatures ? signatures.accepted : '');
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
