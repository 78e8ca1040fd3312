/**
 * In whose words a request is answered that no route has taken. Where the project has routes to models, whoever asks for one of their
 * endpoints does so by an SDK, which reads errors of its dialect alone: a base URL with one `/v1` too many or too few is a usual mistake.
 */
import { type Dialect, dialectOf, OPERATION_TARGETS, type OperationName } from '../model/pools.ts';
import { writtenName } from '../model/route-lines.ts';
import type { Route } from '../model/world.ts';

/** What is known of the routes to models. */
export interface ModelApis {
  /** Where they are; none: at every host. Null: there are none. */
  readonly hosts: readonly string[] | null;
  /** One for each line of `routes/*.yaml` that stands for all operations of a dialect: all that is below is asked for in that. */
  readonly lines: readonly ModelLine[];
}

export interface ModelLine {
  readonly dialect: Dialect;
  readonly hosts: readonly string[];
  /** Segments of the path that operations are below; what stands in braces is any one. */
  readonly base: readonly string[];
}

export const NO_MODEL_APIS: ModelApis = { hosts: null, lines: [] };

export function modelApis(routes: readonly Route[]): ModelApis {
  const lines = new Map<string, ModelLine>();
  const hosts = new Set<string>();
  let isAnywhere = false;
  for (const { name, ai, match } of routes) {
    if (ai === null) continue;
    isAnywhere ||= match.hosts.length === 0;
    for (const host of match.hosts) hosts.add(host);
    const line = writtenName(name);
    if (line === name || lines.has(line)) continue;
    const base = match.path.slice(0, -OPERATION_TARGETS[ai].path.length).split('/');
    lines.set(line, { dialect: dialectOf(ai), hosts: match.hosts, base });
  }
  if (!isAnywhere && hosts.size === 0) return NO_MODEL_APIS;
  return { hosts: isAnywhere ? [] : [...hosts], lines: [...lines.values()] };
}

export interface UntakenRequest {
  /** '' where it could not be read. */
  readonly host: string;
  /** As far as it is normalised by then. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: readonly string[];
}

/** Null: in those of nobody, which is a problem of RFC 9457. */
export function dialectAt(apis: ModelApis, request: UntakenRequest): Dialect | null {
  if (apis.hosts === null) return null;
  return dialectOfEndpoint(apis.hosts, request) ?? dialectBelow(apis.lines, request);
}

function dialectOfEndpoint(
  hosts: readonly string[],
  { host, path, headers }: UntakenRequest,
): Dialect | null {
  const found = ENDPOINTS.find(({ end, isOpen }) => (isOpen ? isBelowEnd(path, end) : path.endsWith(end)));
  if (found === undefined || (host !== '' && !isAt(hosts, host))) return null;
  return found.dialect ?? namedDialect(headers);
}

/** Something follows. */
function isBelowEnd(path: string, end: string): boolean {
  const at = path.lastIndexOf(end);
  return at !== -1 && at + end.length < path.length;
}

function dialectBelow(lines: readonly ModelLine[], { host, path, headers }: UntakenRequest): Dialect | null {
  if (lines.length === 0) return null;
  const segments = path.split('/');
  const dialects = lines
    .filter(({ hosts, base }) => isAt(hosts, host) && isBelow(base, segments))
    .map(({ dialect }) => dialect);
  const [first = null, ...others] = new Set(dialects);
  return others.length === 0 ? first : namedDialect(headers);
}

function isAt(hosts: readonly string[], host: string): boolean {
  if (hosts.length === 0) return true;
  return hosts.some((each) => (each.startsWith('*.') ? host.endsWith(each.slice(1)) : each === host));
}

function isBelow(base: readonly string[], segments: readonly string[]): boolean {
  if (segments.length <= base.length) return false;
  return base.every((segment, at) => segment.startsWith('{') || segment === segments[at]);
}

/** All SDKs of Anthropic's dialect say which version of it they mean, and none of OpenAI's does. */
function namedDialect(headers: readonly string[]): Dialect {
  for (let index = 0; index < headers.length; index += 2)
    if (headers[index] === 'anthropic-version') return 'anthropic';
  return 'openai';
}

/** How paths end that are endpoints of models. */
interface Endpoint {
  readonly end: string;
  /** A model follows. */
  readonly isOpen: boolean;
  /** Null: both have it. */
  readonly dialect: Dialect | null;
}

/** Of one word, it may be anybody's: `/messages` is, and `/v1/messages` is not. */
function endpointOf(operation: OperationName): Endpoint {
  const { path } = OPERATION_TARGETS[operation];
  const isOpen = path.endsWith('}');
  const end = isOpen ? path.slice(0, path.indexOf('{')) : path;
  const isOneWord = isOpen || path.lastIndexOf('/') === 0;
  const isShared = OPERATION_NAMES.some(
    (other) => other !== operation && OPERATION_TARGETS[other].path === path,
  );
  return { end: isOneWord ? `/v1${end}` : end, isOpen, dialect: isShared ? null : dialectOf(operation) };
}

const OPERATION_NAMES = Object.keys(OPERATION_TARGETS) as readonly OperationName[];
const ENDPOINTS: readonly Endpoint[] = OPERATION_NAMES.map(endpointOf);
