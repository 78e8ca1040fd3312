import { generateShaping } from './generate/generate.ts';
import type { RuleIr } from './ir.ts';
import { ProgramPart } from './program-part.ts';
import type { ResidualProgram } from './residual.ts';
import { factsWritten } from './rule-facts.ts';

/**
 * What rules that shape have become, for the routes of one compilation: of those that differ only in what is decided about
 * them, most are shaped alike, and share the part and all that is made of it.
 */
export class ShapingParts {
  readonly #known = new Map<string, ProgramPart>();
  readonly #numbers = new Map<RuleIr, number>();

  of(program: ResidualProgram, inBody: readonly string[]): ProgramPart {
    const key = this.#keyOf(program, inBody);
    const known = key === null ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const part = new ProgramPart(generateShaping(program, inBody));
    if (key !== null) this.#known.set(key, part);
    return part;
  }

  /** All that the code can depend on. Null: it writes what differs from route to route. */
  #keyOf(program: ResidualProgram, inBody: readonly string[]): string | null {
    const { headers, members, outputCaps, timeouts, caches, routings, filters } = program;
    const masks = Object.values(program.masks);
    const alerts = Object.values(program.alerts);
    const { auth, parameterNames, body, calls } = program.route;
    const actions = [...headers.request, ...headers.response];
    const rules = [
      ...actions.flatMap((action) => action.rules),
      ...[
        ...members,
        ...outputCaps,
        ...timeouts,
        ...caches,
        ...routings,
        ...filters,
        ...masks.flat(),
        ...alerts.flat(),
      ].map(({ ir }) => ir),
    ];
    if (rules.flatMap(factsWritten).some(({ phase, path }) => phase === 'compile' && path !== 'route'))
      return null;
    const conditions = [
      ...actions,
      ...members,
      ...outputCaps,
      ...timeouts,
      ...caches,
      ...routings,
      ...filters,
      ...masks.flat(),
      ...alerts.flat(),
    ].map(({ condition }) => condition.id);
    const counts = [
      headers.request,
      headers.response,
      members,
      outputCaps,
      timeouts,
      caches,
      routings,
      filters,
      ...masks,
      ...alerts,
    ].map(({ length }) => length);
    const numbers = [actions.map((action) => action.rules.length), rules.map((rule) => this.#numberOf(rule))];
    // of one rule, other pools may be left out on other routes, under equal conditions
    const pools = filters.map((filter) => filter.pools);
    return JSON.stringify([auth, parameterNames, body, calls, inBody, counts, conditions, numbers, pools]);
  }

  #numberOf(rule: RuleIr): number {
    const known = this.#numbers.get(rule);
    if (known !== undefined) return known;
    this.#numbers.set(rule, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}
