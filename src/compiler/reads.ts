import { testsOf } from './conditions.ts';
import type { FactReference } from './ir.ts';
import type { ResidualProgram } from './residual.ts';
import { factsOfKey, factsOfTemplate, factsOfTerm, termsOf } from './rule-facts.ts';

export interface FieldsRead {
  readonly headers: readonly string[];
  readonly query: readonly string[];
}

/**
 * Header fields and query parameters that enforced rules depend on: a request that repeats one is refused
 * (language-rules #4). Rules in warn and shadow don't count, because they may not change what a request gets; nor
 * do the texts of replies, because a message never changes a decision.
 */
export function fieldsRead(program: ResidualProgram): FieldsRead {
  const deciding = [
    ...program.decisions.match.enforced,
    ...program.decisions.authorise.enforced,
    ...program.permits,
    ...program.limits,
    ...program.timeouts,
    ...program.headers.request,
    ...program.headers.response,
  ];
  const tested = deciding
    .flatMap((each) => testsOf(each.condition))
    .flatMap(termsOf)
    .flatMap(factsOfTerm);
  const written = [...program.headers.request, ...program.headers.response].flatMap((action) =>
    factsOfTemplate(action.value),
  );
  const keys = program.limits.flatMap((limit) => factsOfKey(limit.rule));
  const facts = [...tested, ...written, ...keys];
  return { headers: namesOf(facts, 'request.header'), query: namesOf(facts, 'request.query') };
}

function namesOf(facts: readonly FactReference[], path: string): string[] {
  const names = facts.flatMap((fact) =>
    fact.path === path && fact.parameter !== null ? [fact.parameter] : [],
  );
  return [...new Set(names)].sort();
}
