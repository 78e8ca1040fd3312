import { posix } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { writeYaml } from '../../config/text/write.ts';
import type { Note } from './notes.ts';
import { type DocumentProblem, type ReadText, readOpenApi } from './read-document.ts';
import { isObject, type JsonObject } from './references.ts';
import { type ImportedRoute, nameFrom, routesOf } from './routes.ts';

export interface ImportOptions {
  /** Name of the service; made from the title of the document when null. */
  readonly service: string | null;
  /** Address of the service; the first server of the document when null. */
  readonly upstream: string | null;
}

export interface OpenApiImport {
  readonly service: string;
  readonly routeCount: number;
  /** Texts of the files to write, by path in the project. */
  readonly files: Readonly<Record<string, string>>;
  readonly notes: readonly Note[];
}

/** An OpenAPI document as files of a project: a service with its routes, and a policy that says who may call them. */
export async function importOpenApi(
  path: string,
  readText: ReadText,
  options: ImportOptions,
): Promise<Result<OpenApiImport, DocumentProblem>> {
  const document = await readOpenApi(path, readText);
  if (!document.ok) return document;
  const address = addressOf(document.value, options.upstream);
  if (!address.ok) return err({ kind: 'document', sentences: [address.error] });
  const info = isObject(document.value.info) ? document.value.info : {};
  const title = typeof info.title === 'string' ? info.title : '';
  const service = options.service ?? (nameFrom(title) || 'imported');
  const { routes, schemas, notes } = routesOf(document.value, {
    service,
    basePath: address.value.basePath,
  });
  const routeCount = Object.keys(routes).length;
  if (routeCount === 0) {
    return err({
      kind: 'document',
      sentences: [
        'The document has no operation that can be a route.',
        ...notes.list().map(({ what, where }) => `${what} ${where.join(', ')}`),
      ],
    });
  }
  const services = { [service]: { endpoints: [{ url: address.value.origin }] } };
  const files = {
    [`routes/${service}.yaml`]: `# From ${posix.basename(path).replaceAll(/\p{C}/gu, '')}, by portunus import openapi.\n${writeYaml({ services, routes })}`,
    [`policies/${service}.policy`]: policyFor(service, routes),
    ...Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [
        `routes/${name}`,
        `${JSON.stringify(schema, null, 2)}\n`,
      ]),
    ),
  };
  return ok({ service, routeCount, files, notes: notes.list() });
}

interface Address {
  readonly origin: string;
  /** Without the slash at its end. */
  readonly basePath: string;
}

/** The first server, its variables at their defaults (OpenAPI 3.1, 4.8.5), or what the person says. */
function addressOf(document: JsonObject, upstream: string | null): Result<Address, string> {
  const server = Array.isArray(document.servers) ? document.servers[0] : undefined;
  const written =
    isObject(server) && typeof server.url === 'string' ? withDefaults(server.url, server.variables) : '/';
  const base = upstream === null ? 'no:' : upstream;
  const url = parseUrl(written);
  if (url === null && upstream === null) {
    return err(
      'The document names no server with a full address. Say where the service is: --upstream http://127.0.0.1:9001',
    );
  }
  const origin = upstream === null ? url!.origin : parseUrl(base)?.origin;
  if (origin === undefined)
    return err(`"${base}" is no http or https address. Write it like http://127.0.0.1:9001`);
  const path = url?.pathname ?? (written.startsWith('/') ? written : '/');
  return ok({ origin, basePath: path.replace(/\/+$/, '') });
}

function parseUrl(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  return ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.hostname !== ''
    ? url
    : null;
}

function withDefaults(url: string, variables: unknown): string {
  return url.replaceAll(/\{([^{}]+)\}/g, (whole, name: string) => {
    const variable = isObject(variables) ? variables[name] : undefined;
    return isObject(variable) && typeof variable.default === 'string' ? variable.default : whole;
  });
}

/** Without a permit no route answers, so the import would not pass the check. */
function policyFor(service: string, routes: Readonly<Record<string, ImportedRoute>>): string {
  const names = Object.keys(routes);
  const open = names.filter((name) => routes[name]!.auth !== undefined);
  const lines = ['language 1', ''];
  if (open.length < names.length) {
    lines.push(
      `policy "${service}" "Who may call ${service}"`,
      `    applies to service "${service}" and routes requiring identity`,
      '{',
      '    permit when consumer is subscribed to route',
      '}',
    );
  }
  if (open.length > 0) {
    if (lines.length > 2) lines.push('');
    lines.push(
      `policy "${service}-open" "What everyone may call of ${service}"`,
      `    applies to route ${open.map((name) => `"${name}"`).join(', ')}`,
      '{',
      '    permit',
      '}',
    );
  }
  return `${lines.join('\n')}\n`;
}
