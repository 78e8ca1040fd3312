import { assert } from '../../base/assert.ts';
import { type Problem, problem } from '../../gateway/problem.ts';
import { createMatcher, NO_ROUTE, packMatcher } from '../../gateway/route-matcher.ts';
import { checkQuery, decodeSegment, normalisePath } from '../../gateway/target.ts';
import type { World } from '../../model/world.ts';
import { callReader } from '../../pools/call-reader.ts';
import { createCounterRegistry } from '../../state/counter-registry.ts';
import { createSharedCounters } from '../../state/shared-counters.ts';
import type {
  FoundRoute,
  FrontProblem,
  RouteFinder,
  SentRequest,
  TestPorts,
} from '../../tools/policy-tests/ports.ts';
import { PromptTables } from './prompt-tables.ts';

/** The parts of the gateway that tests of policies run on: its matcher, and its counters in memory of their own. `tables` count prompts. */
export function testPorts(tables: PromptTables = new PromptTables()): TestPorts {
  return {
    finder: routeFinder,
    calls: ({ models, limits }, clock) =>
      callReader(models, { limits, clock, countPrompt: (prompt) => tables.count(prompt) }),
    counters: (specs) => createSharedCounters(createCounterRegistry().prepare(specs), null).bind(specs),
  };
}

function routeFinder(world: World): RouteFinder {
  const routes = [...world.routes.values()];
  const served = routes.map((route) => (route.state === 'draft' ? null : route));
  const packed = packMatcher(served);
  assert(!('fault' in packed), 'the routes of a checked project have paths that can be matched');
  const matcher = createMatcher(packed);
  const slashes = world.server.mergeSlashes ? 'merge' : 'keep';
  return {
    find({ method, path: asked, query, host, headers, bodyBytes }: SentRequest): FoundRoute | FrontProblem {
      const path = normalisePath(asked, slashes);
      if (typeof path !== 'string') return refused(problem('malformed_target', path.fault));
      const queryFault = checkQuery(query);
      if (queryFault !== null) return refused(problem('malformed_target', queryFault.fault));
      const index = matcher.match(method, host, path, headers);
      if (index === NO_ROUTE) {
        return refused(
          problem(matcher.result.allowed.length === 0 ? 'route_not_found' : 'method_not_allowed'),
        );
      }
      const route = routes[index]!;
      const { parameters, parameterCount } = matcher.result;
      const decoded = parameters.slice(0, parameterCount).map(decodeSegment);
      if (decoded.includes(null))
        return refused(problem('malformed_target', 'A path parameter is not UTF-8.'));
      if (route.state === 'retired') return refused(problem('route_retired'));
      if (bodyBytes > route.maxBodyBytes) return refused(problem('body_too_large'));
      return { kind: 'found', route: route.name, path, parameters: decoded.map(String) };
    },
  };
}

function refused({ status, code, detail }: Problem): FrontProblem {
  return { kind: 'problem', status, code, detail };
}
