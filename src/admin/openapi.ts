/** The OpenAPI 3.1 document of the admin API, made of the table that the server answers from. */
import { ADMIN_SCOPES } from '../model/admin-scope.ts';
import { ADMIN_PROBLEMS, type AdminProblemCode, COMMON_PROBLEMS } from './problems.ts';
import type { AdminRoute, AnswerDescription, ParameterSchema } from './route.ts';
import { list, object, objectOf, TEXT } from './schemas.ts';

export function openApiDocument(routes: readonly AdminRoute[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Portunus admin API',
      version,
      description:
        'What is not described here is refused. Each operation asks for one scope of the token; every refusal is a problem (RFC 9457) with a stable code.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: `Scopes: ${Object.entries(ADMIN_SCOPES)
            .map(([scope, what]) => `${scope} (${what})`)
            .join('; ')}.`,
        },
      },
      schemas: { Problem: PROBLEM_SCHEMA },
    },
  };
}

export const PROBLEM_SCHEMA = objectOf(
  {
    type: { const: 'about:blank' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    title: TEXT,
    detail: TEXT,
    code: { enum: Object.keys(ADMIN_PROBLEMS) },
  },
  { errors: list(object({ place: TEXT, why: TEXT })) },
);

function operation(route: AdminRoute): object {
  const { scope, body } = route;
  return {
    operationId: route.operation,
    summary: route.summary,
    tags: [tagOf(route)],
    // Scopes of other schemes than OAuth are allowed since 3.1: they name the roles that are needed.
    security: scope === 'anyone' ? [] : [{ token: [scope] }],
    parameters: parametersOf(route),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: responsesOf(route),
  };
}

/** The first segment behind the version. */
function tagOf({ path }: AdminRoute): string {
  return path.split('/').find((part) => part !== '' && part !== 'v1') ?? '';
}

function parametersOf(route: AdminRoute): readonly object[] {
  const { parameters = {}, query = {}, method, changes } = route;
  return [
    ...Object.entries(parameters).map(([name, schema]) => parameter('path', name, schema)),
    ...Object.entries(query).map(([name, schema]) => parameter('query', name, schema)),
    ...(method === 'POST' ? [IDEMPOTENCY_KEY] : []),
    ...(changes === undefined ? [] : [IF_MATCH]),
    ...(method === 'GET' ? [IF_NONE_MATCH] : []),
  ];
}

function parameter(where: 'path' | 'query', name: string, written: ParameterSchema): object {
  const { description, many, required, ...schema } = { many: false, required: false, ...written };
  return {
    name,
    in: where,
    required: where === 'path' || required,
    description,
    schema: many ? { type: 'array', items: schema } : schema,
  };
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Whoever repeats a request with the same key gets the answer of the first one, and nothing is done again.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
};
const IF_MATCH = {
  name: 'If-Match',
  in: 'header',
  required: false,
  description: 'ETag of what is to be changed: it is changed only if that is still so.',
  schema: TEXT,
};
const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'ETag of an answer that is known: 304 where it is still the same.',
  schema: TEXT,
};

interface Response {
  readonly description: string;
  readonly content?: Readonly<Record<string, object>>;
}

function described(
  { method }: AdminRoute,
  status: number,
  { description, content }: AnswerDescription,
): Response {
  const headers =
    method === 'GET' && status === 200 && content !== 'none' && 'schema' in content
      ? { headers: { ETag: { description: 'Of this answer.', schema: TEXT } } }
      : {};
  if (content === 'none') return { description };
  const body =
    'schema' in content
      ? { 'application/json': { schema: content.schema } }
      : { [content.text]: { schema: TEXT } };
  return { description, ...headers, content: body };
}

/** All codes that a route may be refused with. */
export function problemsOf({
  method,
  body,
  scope,
  problems = [],
  changes,
}: AdminRoute): readonly AdminProblemCode[] {
  const codes: AdminProblemCode[] = [...COMMON_PROBLEMS, ...problems];
  if (body === undefined) codes.push('body_not_expected');
  else codes.push('body_too_large', 'body_not_json', 'body_malformed', 'body_invalid');
  if (method === 'POST') codes.push(...IDEMPOTENCY_PROBLEMS);
  if (method !== 'GET') codes.push(changes === undefined ? 'precondition_unknown' : 'precondition_failed');
  const isOpen = scope === 'anyone';
  return [...new Set(codes)].filter(
    (code) => !isOpen || (code !== 'unauthenticated' && code !== 'scope_missing'),
  );
}

const IDEMPOTENCY_PROBLEMS: readonly AdminProblemCode[] = [
  'idempotency_key_malformed',
  'idempotency_key_reused',
  'idempotency_outcome_unknown',
  'idempotency_keys_full',
  'not_durable',
];

/** One status may have an answer of its own and problems: the media type tells them apart. */
function responsesOf(route: AdminRoute): Record<string, object> {
  const responses: Record<string, Response> = {};
  for (const [status, answer] of Object.entries(route.answers)) {
    responses[status] = described(route, Number(status), answer);
  }
  for (const code of problemsOf(route)) {
    const { status, title } = ADMIN_PROBLEMS[code];
    const known = responses[status];
    const description = `${known === undefined ? '' : `${known.description} `}${code}: ${title}.`;
    responses[status] = { ...known, description, content: { ...known?.content, ...PROBLEM_CONTENT } };
  }
  return responses;
}

const PROBLEM_CONTENT = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
};
