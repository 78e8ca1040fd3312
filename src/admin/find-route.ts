import type { AdminRoute } from './route.ts';

export interface FoundRoute {
  readonly route: AdminRoute;
  /** Decoded texts of the path's parameters. */
  readonly parameters: ReadonlyMap<string, string>;
}

export interface RouteSearch {
  /** Null where none of the routes with this path has the method. */
  readonly found: FoundRoute | null;
  /** Methods that the path has. */
  readonly methods: readonly string[];
}

/** Paths are compared as they are written: no dot segments, no trailing slash, no second spelling. */
export function findRoute(routes: readonly AdminRoute[], method: string, path: string): RouteSearch {
  const segments = path.split('/');
  const fitting = routes.flatMap((route) => {
    const parameters = parametersIn(route.path.split('/'), segments);
    return parameters === null ? [] : [{ route, parameters }];
  });
  // A written segment is meant before a parameter: /v1/audit/head is not a record named head.
  const fewest = Math.min(...fitting.map(({ parameters }) => parameters.size));
  const nearest = fitting.filter(({ parameters }) => parameters.size === fewest);
  return {
    found: nearest.find(({ route }) => route.method === method) ?? null,
    methods: nearest.map(({ route }) => route.method),
  };
}

function parametersIn(pattern: readonly string[], segments: readonly string[]): Map<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const parameters = new Map<string, string>();
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index]!;
    if (!part.startsWith('{')) {
      if (part !== segment) return null;
      continue;
    }
    const value = decoded(segment);
    if (value === null || value === '') return null;
    parameters.set(part.slice(1, -1), value);
  }
  return parameters;
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
