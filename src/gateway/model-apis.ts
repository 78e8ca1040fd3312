/** Where all operations of a dialect are served: what is asked for there and is none of them is answered in its words. */
import { type Dialect, dialectOf, OPERATION_TARGETS } from '../model/pools.ts';
import { writtenName } from '../model/route-lines.ts';
import type { Route } from '../model/world.ts';

export interface ModelApi {
  readonly dialect: Dialect;
  readonly hosts: readonly string[];
  /** Segments of the path that operations are below; what stands in braces is any one. */
  readonly base: readonly string[];
}

/** One for each line of `routes/*.yaml` that stands for all operations of a dialect. */
export function modelApis(routes: readonly Route[]): readonly ModelApi[] {
  const apis = new Map<string, ModelApi>();
  for (const { name, ai, match } of routes) {
    if (ai === null) continue;
    const line = writtenName(name);
    if (line === name || apis.has(line)) continue;
    const base = match.path.slice(0, -OPERATION_TARGETS[ai].path.length).split('/');
    apis.set(line, { dialect: dialectOf(ai), hosts: match.hosts, base });
  }
  return [...apis.values()];
}

/** Whose words a request speaks that no route takes; null: it is below none of them. `path`: normalised; `fields`: names in lower case. */
export function dialectBelow(
  apis: readonly ModelApi[],
  {
    host,
    path,
    headers,
  }: { readonly host: string; readonly path: string; readonly headers: readonly string[] },
): Dialect | null {
  if (apis.length === 0) return null;
  const segments = path.split('/');
  const dialects = apis
    .filter(({ hosts, base }) => isAt(hosts, host) && isBelow(base, segments))
    .map(({ dialect }) => dialect);
  const [first = null, ...others] = new Set(dialects);
  return others.length === 0 ? first : namesAnthropic(headers) ? 'anthropic' : 'openai';
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
function namesAnthropic(headers: readonly string[]): boolean {
  for (let index = 0; index < headers.length; index += 2)
    if (headers[index] === 'anthropic-version') return true;
  return false;
}
