import { parsePathPattern } from '../../config/build/path-patterns.ts';
import { Notes } from './notes.ts';
import { isObject, type Json, type JsonObject, reasonsUnread, resolved, whyUnread } from './references.ts';
import { schemaFile } from './schemas.ts';

/** A route as `routes/*.yaml` has it. */
export interface ImportedRoute {
  readonly service: string;
  readonly match: { readonly methods: readonly string[]; readonly path: string };
  readonly upstreamPath?: string;
  readonly state?: 'deprecated';
  readonly version?: string;
  readonly tags?: readonly string[];
  readonly auth?: 'optional' | 'none';
  readonly request?: { readonly schema: string };
  readonly docs?: { readonly summary: string };
}

export interface ImportedRoutes {
  readonly routes: Readonly<Record<string, ImportedRoute>>;
  /** JSON Schemas by file name. */
  readonly schemas: Readonly<Record<string, JsonObject>>;
  readonly notes: Notes;
}

export interface RouteOptions {
  readonly service: string;
  /** Put before every path: the path of the server's URL. */
  readonly basePath: string;
}

/** Fields of a path item that are operations of methods that a route can match (OpenAPI 3.1, 4.8.9). */
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const;

/** The operations of a document as routes; what they say beyond that goes to the notes. */
export function routesOf(document: JsonObject, options: RouteOptions): ImportedRoutes {
  const importer = new Importer(document, options);
  const paths = isObject(document.paths) ? document.paths : {};
  for (const [path, value] of Object.entries(paths)) {
    if (path.startsWith('/')) importer.addPath(path, resolved(document, value) ?? {});
  }
  importer.noteDocument();
  return importer;
}

class Importer implements ImportedRoutes {
  readonly routes: Record<string, ImportedRoute> = {};
  readonly schemas: Record<string, JsonObject> = {};
  readonly notes = new Notes();
  readonly #document: JsonObject;
  readonly #options: RouteOptions;
  /** Which operation has a method and a shape of path already. */
  readonly #taken = new Map<string, string>();

  constructor(document: JsonObject, options: RouteOptions) {
    this.#document = document;
    this.#options = options;
  }

  addPath(path: string, item: JsonObject): void {
    if (this.#notImported(item, path)) return;
    if (item.trace !== undefined) this.notes.add('The method TRACE is never passed on.', path);
    if (item.servers !== undefined)
      this.notes.add('Servers of single paths: a service has one address.', path);
    for (const method of METHODS) {
      const operation = resolved(this.#document, item[method]);
      if (operation === null || this.#notImported(operation, `${method.toUpperCase()} ${path}`)) continue;
      this.#addOperation(path, method, operation, parametersOf(item));
    }
  }

  /** Notes what was not read; false when there is nothing to note. */
  #notImported(part: JsonObject, where: string): boolean {
    const why = whyUnread(part);
    if (why !== null) this.notes.add(`NOT IMPORTED: ${why}`, where);
    return why !== null;
  }

  #addOperation(path: string, method: string, operation: JsonObject, shared: readonly Json[]): void {
    const where = `${method.toUpperCase()} ${path}`;
    const match = this.#matchOf(path, method, where);
    if (match === null) return;
    const name = this.#freeName(operation, method, path);
    this.#noteOperation(operation, where);
    this.#noteParameters([...shared, ...parametersOf(operation)], where);
    const { version } = isObject(this.#document.info) ? this.#document.info : {};
    const auth = this.#authOf(operation, where);
    const schema = this.#schemaOf(operation, name, where);
    const tags = this.#tagsOf(operation, where);
    const summary = oneLine(operation.summary ?? operation.description);
    this.routes[name] = {
      service: this.#options.service,
      match,
      ...(operation.deprecated === true ? { state: 'deprecated' } : {}),
      ...(oneLine(version) === null ? {} : { version: oneLine(version)! }),
      ...(tags.length === 0 ? {} : { tags }),
      ...(auth === 'required' ? {} : { auth }),
      ...(schema === null ? {} : { request: { schema } }),
      ...(summary === null ? {} : { docs: { summary } }),
    };
  }

  /** Null when no route can have this path. */
  #matchOf(path: string, method: string, where: string): ImportedRoute['match'] | null {
    const pattern = `${this.#options.basePath}${path}`.split('/').map(segmentOf).join('/');
    const parsed = parsePathPattern(pattern);
    if ('fault' in parsed) {
      this.notes.add(
        'NOT IMPORTED: a parameter has to be a whole segment of the path, and other segments ordinary text.',
        where,
      );
      return null;
    }
    const key = `${method} ${parsed.shape}`;
    const first = this.#taken.get(key);
    if (first !== undefined) {
      this.notes.add(`NOT IMPORTED: fits the same requests as ${first}.`, where);
      return null;
    }
    this.#taken.set(key, where);
    return { methods: [method.toUpperCase()], path: pattern };
  }

  #freeName(operation: JsonObject, method: string, path: string): string {
    const id = typeof operation.operationId === 'string' ? nameFrom(operation.operationId) : '';
    const base = id === '' ? nameFrom(`${method} ${path}`) : id;
    let name = base;
    for (let number = 2; Object.hasOwn(this.routes, name); number++) name = `${base}-${number}`;
    return name;
  }

  #tagsOf(operation: JsonObject, where: string): readonly string[] {
    const written = Array.isArray(operation.tags) ? operation.tags : [];
    const tags = written.flatMap((tag) => (typeof tag === 'string' ? [[tag, nameFrom(tag)]] : []));
    for (const [tag, name] of tags) {
      if (name === '') this.notes.add('A tag has no letters or digits that a tag can have here.', where);
      else if (tag !== name) this.notes.add(`The tag "${tag}" is written "${name}".`);
    }
    return [...new Set(tags.map(([, name = '']) => name))].filter((name) => name !== '');
  }

  /** OpenAPI 3.1, 4.8.10: no requirement at all, or an empty one among them, makes security optional. */
  #authOf(operation: JsonObject, where: string): 'required' | 'optional' | 'none' {
    const security = operation.security ?? this.#document.security;
    if (security === undefined) {
      this.notes.add(
        'The document says nothing about who may call: these routes require a consumer key.',
        where,
      );
      return 'required';
    }
    if (!Array.isArray(security) || security.length === 0) return 'none';
    const schemes = security.flatMap((requirement) =>
      isObject(requirement) ? Object.keys(requirement) : [],
    );
    if (schemes.length === 0) return 'none';
    for (const scheme of schemes) this.notes.add(schemeNote(scheme));
    return security.some((requirement) => isObject(requirement) && Object.keys(requirement).length === 0)
      ? 'optional'
      : 'required';
  }

  #schemaOf(operation: JsonObject, name: string, where: string): string | null {
    const body = resolved(this.#document, operation.requestBody);
    if (body === null || this.#noteUnreadBody(body, where)) return null;
    const content = isObject(body.content) ? body.content : {};
    const types = Object.keys(content);
    const json = types.find((type) => /^application\/(?:[\w.+-]+\+)?json(?:;|$)/i.test(type));
    for (const type of types.filter((other) => other !== json)) {
      this.notes.add(`Bodies of type ${type} pass without a schema.`, where);
    }
    if (json === undefined) return null;
    if (types.length > 1) {
      this.notes.add(
        'The body may be of several types, so the schema of the JSON one is not written.',
        where,
      );
      return null;
    }
    if (body.required !== true) {
      this.notes.add('The body may be left out (required is not true), so its schema is not written.', where);
      return null;
    }
    const media = resolved(this.#document, content[json]) ?? {};
    if (this.#noteUnreadBody(media, where) || media.schema === undefined) return null;
    const written = schemaFile(this.#document, media.schema);
    const reasons = reasonsUnread(written);
    for (const why of reasons) this.#noteBody(why, where);
    if (reasons.length > 0) return null;
    const file = `${name}.schema.json`;
    this.schemas[file] = written;
    return `./${file}`;
  }

  #noteUnreadBody(part: JsonObject, where: string): boolean {
    const why = whyUnread(part);
    if (why !== null) this.#noteBody(why, where);
    return why !== null;
  }

  #noteBody(why: string, where: string): void {
    this.notes.add(`Bodies pass without a schema, because ${why}`, where);
  }

  #noteOperation(operation: JsonObject, where: string): void {
    if (isObject(operation.callbacks))
      this.notes.add('Callbacks: requests of the service to its callers do not pass here.', where);
    if (operation.servers !== undefined)
      this.notes.add('Servers of single operations: a service has one address.', where);
    if (operation.summary !== undefined && operation.description !== undefined) {
      this.notes.add('Descriptions: a route has one line, its summary.');
    }
  }

  #noteParameters(parameters: readonly Json[], where: string): void {
    for (const parameter of parameters.map((one) => resolved(this.#document, one))) {
      if (parameter === null) continue;
      const why = whyUnread(parameter);
      if (why !== null) this.notes.add(`A parameter is not known, because ${why}`, where);
      const note = PARAMETER_NOTES[String(parameter.in)];
      if (note !== undefined) this.notes.add(note, where);
      if (parameter.in === 'path' && ![undefined, 'simple'].includes(parameter.style as string | undefined)) {
        this.notes.add('Path parameters of style matrix or label: the segment is taken as it stands.', where);
      }
    }
  }

  noteDocument(): void {
    const { webhooks, servers } = this.#document;
    if (isObject(webhooks) && Object.keys(webhooks).length > 0) {
      this.notes.add(
        'Webhooks: requests of the service to others do not pass here.',
        Object.keys(webhooks).join(', '),
      );
    }
    if (Array.isArray(servers)) {
      for (const server of servers.slice(1)) {
        if (isObject(server) && typeof server.url === 'string')
          this.notes.add(
            'Servers beyond the first: add them as endpoints if they are interchangeable.',
            server.url,
          );
      }
    }
    if (Object.keys(this.routes).length > 0)
      this.notes.add('Responses: what a service answers is not described in routes.');
  }
}

const PARAMETER_NOTES: Readonly<Record<string, string>> = {
  query: 'Query parameters: routes do not declare them; rules read request.query["…"].',
  header: 'Header parameters: routes do not declare them; rules read request.header["…"].',
  cookie: 'Cookie parameters: they pass as part of the header "cookie".',
};

function schemeNote(scheme: string): string {
  return `The security scheme "${scheme}": callers show a consumer key of Portunus instead (Authorization: Bearer …).`;
}

function parametersOf(holder: JsonObject): readonly Json[] {
  return Array.isArray(holder.parameters) ? holder.parameters : [];
}

/** A parameter under a name that path patterns can have; other text with the escapes that a path needs. */
function segmentOf(segment: string): string {
  const [, parameter] = /^\{([^{}]*)\}$/.exec(segment) ?? [];
  if (parameter !== undefined) {
    const name = parameter
      .replaceAll(/[^A-Za-z0-9_]+/g, '_')
      .replace(/^[^A-Za-z]+/, '')
      .slice(0, 60);
    return `{${name}}`;
  }
  return /[{}]/.test(segment)
    ? segment
    : segment.replaceAll(/[^A-Za-z0-9._~!$&'()*+,;=:@%-]+/gu, (text) =>
        encodeURIComponent(text.toWellFormed()),
      );
}

const NAME_CHARACTERS_MAX = 80;

/** A name of the configuration: `listPets` is `list-pets`. */
export function nameFrom(text: string): string {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, NAME_CHARACTERS_MAX)
    .replaceAll(/^-+|-+$/g, '');
}

const SUMMARY_CHARACTERS_MAX = 200;

function oneLine(text: Json | undefined): string | null {
  if (typeof text !== 'string') return null;
  const [line = ''] = text.trim().split(/[\r\n]/);
  const shown = line.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, ' ').trim();
  if (shown === '') return null;
  return shown.length > SUMMARY_CHARACTERS_MAX
    ? `${[...shown].slice(0, SUMMARY_CHARACTERS_MAX - 1).join('')}…`
    : shown;
}
