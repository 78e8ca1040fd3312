import { sameValue } from '../../base/same-value.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import type { Accounting } from '../../model/money.ts';
import { isDialect } from '../../model/pools.ts';
import { writtenName } from '../../model/route-lines.ts';
import type { Identification, Route, RouteMatch, WebSocketSettings } from '../../model/world.ts';
import type { FileMemory } from '../check-files.ts';
import type { RouteDocument, RoutesDocument } from '../documents.ts';
import { below, type Here, type Report, valueAt } from '../finding.ts';
import { clip, didYouMean } from '../show.ts';
import { checkAiRoute, checkOperationPath, routesOfLine, toldApart } from './ai-routes.ts';
import { buildCost } from './costs.ts';
import { buildFields } from './fields.ts';
import { durationMs, sizeBytes } from './literals.ts';
import { checkReference, definitionsOf, type KnownNames, type NameTable } from './names.ts';
import { ApartRoutes, checkOverlap, overlapKeys, type PlacedRoute } from './overlaps.ts';
import { type PathPattern, parsePathPattern } from './path-patterns.ts';
import { buildRequestSchema, type SchemaFiles } from './request-schemas.ts';
import type { Checked, Files } from './sources.ts';

export interface RouteContext {
  readonly services: NameTable;
  /** Token issuers of portunus.yaml. */
  readonly issuers: KnownNames;
  /** Whether portunus.yaml names proxies that are believed what certificates clients have; `unknown` where it can't be read. */
  readonly trustedProxies: 'named' | 'none' | 'unknown';
  /** Null: it could not be read. */
  readonly accounting: Accounting | null;
  readonly requestBodyBytes: number;
  readonly schemas: SchemaFiles;
  readonly report: Report;
  readonly memory: FileMemory;
}

export function buildRoutes(
  files: Files<RoutesDocument>,
  names: NameTable,
  context: RouteContext,
): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  const placed: (readonly PlacedRoute[])[] = [];
  for (const file of files.checked) {
    const built = stillTrue(file, names, context) ?? buildFile(file, names, context);
    for (const route of built.routes) routes.set(route.name, route);
    placed.push(built.placed);
  }
  reportOverlaps(placed, context);
  return routes;
}

function reportOverlaps(files: readonly (readonly PlacedRoute[])[], { report, memory }: RouteContext): void {
  memory.apart ??= new ApartRoutes();
  if (memory.apart.are(files)) return;
  memory.apart = null;
  checkOverlap(files, report);
}

/** What was made of files in which nothing was found, by their readings. */
export type RouteFileMemory = WeakMap<Checked<RoutesDocument>, BuiltFile>;

interface BuiltFile {
  readonly routes: readonly Route[];
  readonly placed: readonly PlacedRoute[];
  readonly accounting: Accounting | null;
  readonly requestBodyBytes: number;
  readonly services: ReadonlySet<string>;
  readonly issuers: ReadonlySet<string>;
  /** Whether a route asks for certificates. */
  readonly certificates: boolean;
  /** Texts of schema files, by path. */
  readonly schemas: ReadonlyMap<string, string>;
}

function stillTrue(
  file: Checked<RoutesDocument>,
  names: NameTable,
  { services, issuers, trustedProxies, accounting, requestBodyBytes, schemas, memory }: RouteContext,
): BuiltFile | null {
  const built = memory.routeFiles.get(file);
  if (built === undefined || built.requestBodyBytes !== requestBodyBytes) return null;
  if (!sameValue(built.accounting, accounting)) return null;
  // a route that another file defines first is not this one's
  if (!built.routes.every(({ name }) => names.names.get(writtenName(name))?.file === file.file)) return null;
  for (const name of built.services) if (!services.names.has(name)) return null;
  for (const name of built.issuers) if (!issuers.names.has(name)) return null;
  if (built.certificates && trustedProxies !== 'named') return null;
  for (const [path, text] of built.schemas) if (schemas.textOf(path) !== text) return null;
  return built;
}

function buildFile(file: Checked<RoutesDocument>, names: NameTable, context: RouteContext): BuiltFile {
  const { accounting, requestBodyBytes, schemas, memory } = context;
  let findings = 0;
  const report: Report = (finding) => {
    findings++;
    context.report(finding);
  };
  const routes: Route[] = [];
  const placed: PlacedRoute[] = [];
  const one = { checked: [file], complete: true };
  let written = 0;
  for (const { name, here, definition, sound } of definitionsOf(one, 'routes', names)) {
    written++;
    const line = buildRoute(name, definition, here, { ...context, report });
    const pattern = checkPaths(definition, here, report);
    // A match that lost a wrong part would fit more than its author meant.
    const isPlaced = pattern !== null && sound(below(here, 'match').path);
    for (const built of routesOf(line, definition)) {
      const route = asBefore(built, memory.routes);
      routes.push(route);
      const shape = isPlaced ? shapeOf(route, here, report) : null;
      if (shape !== null)
        placed.push({ name: route.name, match: route.match, keys: overlapKeys(route.match, shape), here });
    }
  }
  const texts = routes.flatMap(({ requestBody }): [string, string][] =>
    requestBody === null ? [] : [[requestBody.file, schemas.textOf(requestBody.file) ?? '']],
  );
  const built = {
    routes,
    placed,
    accounting,
    requestBodyBytes,
    services: new Set(routes.flatMap(({ service }) => service ?? [])),
    issuers: new Set(routes.flatMap(({ identify }) => identify.issuers)),
    certificates: routes.some(({ identify }) => identify.certificates),
    schemas: new Map(texts),
  };
  const isWhole = written === Object.keys(file.document.routes).length;
  if (findings === 0 && isWhole) memory.routeFiles.set(file, built);
  return built;
}

/** One for each operation, where the line is for all of a dialect. */
function routesOf(line: Route, { ai }: RouteDocument): readonly Route[] {
  return ai !== undefined && isDialect(ai) ? routesOfLine(line, ai) : [line];
}

/** Null: the path of a line has a parameter that one of its operations has, too. */
function shapeOf({ match }: Route, here: Here, report: Report): string | null {
  const pattern = parsePathPattern(match.path);
  if ('shape' in pattern) return pattern.shape;
  report({
    code: 'PT3302',
    message: `The path "${clip(match.path)}" ${pattern.fault}`,
    target: valueAt(below(here, 'match', 'path')),
    help: pattern.help,
  });
  return null;
}

/** The same object as long as the route is the same: what was found out about it stays with it. */
function asBefore(route: Route, before: ReadonlyMap<string, Route>): Route {
  const known = before.get(route.name);
  return known !== undefined && sameValue(known, route) ? known : route;
}

function buildRoute(name: string, document: RouteDocument, here: Here, context: RouteContext): Route {
  const { services, requestBodyBytes, report } = context;
  if (document.service !== undefined)
    checkReference(document.service, services, valueAt(below(here, 'service')), report);
  if (document.ai !== undefined) checkAiRoute(document, here, report);
  if (document.ai !== undefined) checkOperationPath(document.ai, document, here, report);
  const { maxBody } = document.request;
  const ai = document.ai === undefined || isDialect(document.ai) ? null : document.ai;
  const match = buildMatch(document.match, below(here, 'match'), report);
  return {
    name,
    service: document.service ?? null,
    ai,
    match: ai === null ? match : toldApart(match, ai),
    upstreamPath: document.upstreamPath ?? null,
    state: document.state,
    version: document.version ?? null,
    tags: document.tags,
    auth: document.auth,
    identify: buildIdentification(document.identify, here, context),
    maxBodyBytes: maxBody === undefined ? requestBodyBytes : sizeBytes(maxBody),
    requestBody: buildRequestSchema(document, here, context),
    repeatUnsafeMethods: document.repeatUnsafeMethods,
    websocket: websocketOf(document, here, report),
    priority: document.priority ?? null,
    cost: buildCost(document, here, context),
    summary: document.docs.summary ?? null,
    place: here.file.placeOf(here.path),
  };
}

const BY_KEY = 'api-key';
const BY_CERTIFICATE = 'mtls';
const BY_SIGNATURE = 'hmac';
const BY_TOKEN = 'jwt:';

function buildIdentification(
  ways: readonly string[],
  here: Here,
  { issuers, trustedProxies, report }: RouteContext,
): Identification {
  const named: string[] = [];
  for (const [index, way] of ways.entries()) {
    const target = valueAt(below(here, 'identify', index));
    if (way === BY_CERTIFICATE && trustedProxies === 'none') {
      report({
        code: 'PT3209',
        message: 'No proxy is trusted, so no certificate of a client is ever believed.',
        target,
        help: 'Name the addresses of your proxies in portunus.yaml: clientCertificates: { trustedProxies: [10.0.0.7] }.',
      });
    }
    if (!way.startsWith(BY_TOKEN)) continue;
    const name = way.slice(BY_TOKEN.length);
    checkReference(name, issuers, target, report);
    named.push(name);
  }
  return {
    keys: ways.includes(BY_KEY),
    issuers: named,
    certificates: ways.includes(BY_CERTIFICATE),
    signatures: ways.includes(BY_SIGNATURE),
  };
}

function websocketOf(
  { websocket, match }: RouteDocument,
  here: Here,
  report: Report,
): WebSocketSettings | null {
  if (websocket === undefined) return null;
  const { methods } = match;
  if (methods !== undefined && methods.join() !== 'GET') {
    const takesGet = methods.includes('GET');
    report({
      code: 'PT3308',
      message: `A WebSocket begins with GET, ${takesGet ? 'and nothing else' : 'which this route does not take'}.`,
      target: valueAt(below(here, 'match', 'methods')),
      help: 'Write methods: [GET], or leave them out.',
    });
  }
  return { idleMs: durationMs(websocket.idle), totalMs: durationMs(websocket.total) };
}

function buildMatch(document: RouteDocument['match'], here: Here, report: Report): RouteMatch {
  return {
    methods: document.methods ?? [],
    path: document.path,
    hosts: distinctHosts(document.hosts ?? [], below(here, 'hosts'), report),
    headers: buildFields(document.headers ?? {}, below(here, 'headers'), report),
  };
}

function distinctHosts(written: readonly string[], here: Here, report: Report): readonly string[] {
  const hosts = written.map((host) => host.toLowerCase());
  for (const [index, host] of hosts.entries()) {
    const first = hosts.indexOf(host);
    if (first === index) continue;
    report({
      code: 'PT3108',
      message: `Items ${first + 1} and ${index + 1} of "hosts" are the same.`,
      target: valueAt(below(here, index)),
      help: 'Remove one of them.',
    });
  }
  return hosts;
}

/** The pattern of a route whose paths are right. */
function checkPaths(document: RouteDocument, here: Here, report: Report): PathPattern | null {
  const { path } = document.match;
  const pattern = parsePathPattern(path);
  if ('fault' in pattern) {
    const message = `The path "${clip(path)}" ${pattern.fault}`;
    report({ code: 'PT3302', message, target: valueAt(below(here, 'match', 'path')), help: pattern.help });
    return null;
  }
  if (document.upstreamPath !== undefined) checkUpstreamPath(document.upstreamPath, pattern, here, report);
  return pattern;
}

function checkUpstreamPath(path: string, pattern: PathPattern, here: Here, report: Report): void {
  const target = valueAt(below(here, 'upstreamPath'));
  const upstream = parsePathPattern(path);
  if ('fault' in upstream) {
    report({
      code: 'PT3302',
      message: `The path "${clip(path)}" ${upstream.fault}`,
      target,
      help: upstream.help,
    });
    return;
  }
  const written = pattern.parameters.map(({ name, spans }) => (spans === 'rest' ? `${name}...` : name));
  for (const { name, spans } of upstream.parameters) {
    const wanted = spans === 'rest' ? `${name}...` : name;
    if (written.includes(wanted)) continue;
    const otherwise =
      written.length === 0
        ? 'The path of this route has no parameters.'
        : `It has {${written.join('}, {')}}.`;
    report({
      code: 'PT3303',
      message: `The path of this route has no parameter {${wanted}}.`,
      target,
      help: didYouMean(nearest(wanted, written), otherwise),
    });
  }
}
