import type { IncomingMessage } from 'node:http';
import { recogniseAdminToken } from '../governance/admin-token.ts';
import type { AdminScope } from '../model/admin-scope.ts';
import type { AuditActor } from '../pipeline/audit.ts';
import { findRoute } from './find-route.ts';
import { namesThisGateway } from './host-check.ts';
import { readPathParameters, readQuery } from './parameters.ts';
import { hasBody } from './request-body.ts';
import type { AdminRefusal, AdminRoute, ParameterValues } from './route.ts';

/** What a token is known by. */
export interface KnownAdminToken {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly AdminScope[];
  readonly tokenHash: string;
  readonly expiresMs: number | null;
}

export interface Admission {
  readonly routes: readonly AdminRoute[];
  readonly findToken: (id: string) => KnownAdminToken | null;
  readonly nowMs: () => number;
  /** Names of the certificate that is served; none without TLS. */
  readonly hostNames: () => readonly string[];
}

/** A request that may be answered. */
export interface Admitted {
  readonly route: AdminRoute;
  readonly actor: AuditActor;
  /** '' where the route is open to anyone. */
  readonly token: string;
  readonly parameters: ParameterValues;
  readonly query: ParameterValues;
}

export interface Refused {
  readonly refusal: AdminRefusal;
  /** Methods of the path, where it has others. */
  readonly allow: readonly string[];
}

/** Whether a request may be answered. Without a token nobody learns which paths exist; with one that may not, not more. */
export function admit(request: IncomingMessage, admission: Admission): Admitted | Refused {
  const hosts = request.headersDistinct.host ?? [];
  if (hosts.length !== 1 || !namesThisGateway(hosts[0]!, admission.hostNames()))
    return refused({ problem: 'host_not_allowed' });
  const [path = '', ...rest] = (request.url ?? '').split('?');
  const { found, methods } = findRoute(admission.routes, request.method ?? '', path);
  const token = bearerToken(request);
  const actor = actorOf(found?.route.scope ?? null, token, admission);
  if ('problem' in actor) return refused(actor);
  if (found === null) {
    return methods.length === 0
      ? refused({ problem: 'not_found' })
      : refused({ problem: 'method_not_allowed' }, methods);
  }
  const { route } = found;
  if (hasBody(request) && route.body === undefined) return refused({ problem: 'body_not_expected' });
  const parameters = readPathParameters(route, found.parameters);
  const query = readQuery(route, rest.join('?'));
  const faults = [...(parameters.ok ? [] : parameters.error), ...(query.ok ? [] : query.error)];
  if (!parameters.ok || !query.ok) return refused({ problem: 'parameter_invalid', errors: faults });
  return { route, actor, token, parameters: parameters.value, query: query.value };
}

/** Who asks, if they may. Paths that there are not need any token. */
export function actorOf(
  scope: AdminRoute['scope'] | null,
  presented: string,
  { findToken, nowMs }: Pick<Admission, 'findToken' | 'nowMs'>,
): AuditActor | AdminRefusal {
  if (scope === 'anyone') return ANYONE;
  const token = recogniseAdminToken(presented, findToken, nowMs());
  if (token === null) return { problem: 'unauthenticated' };
  if (scope !== null && !token.scopes.includes(scope)) {
    const detail = `The operation asks for the scope "${scope}"; the token ${token.name} has ${token.scopes.join(', ')}.`;
    return { problem: 'scope_missing', detail };
  }
  return { kind: 'token', id: token.id, name: token.name };
}

const ANYONE: AuditActor = { kind: 'gateway', cause: 'anyone' };

function refused(refusal: AdminRefusal, allow: readonly string[] = []): Refused {
  return { refusal, allow };
}

/** RFC 6750, 2.1; '' when there is none or there are several. */
function bearerToken(request: IncomingMessage): string {
  const fields = request.headersDistinct.authorization ?? [];
  const [scheme, token, ...rest] = fields.length === 1 ? fields[0]!.split(' ') : [];
  return scheme?.toLowerCase() === 'bearer' && token !== undefined && rest.length === 0 ? token : '';
}
