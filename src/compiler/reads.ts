import { testsOf } from './conditions.ts';
import type { Condition, FactReference } from './ir.ts';
import type { ResidualProgram } from './residual.ts';
import { factsOfKey, factsOfTemplate, factsOfTerm, factsWritten, membersOf, termsOf } from './rule-facts.ts';

export interface FieldsRead {
  readonly headers: readonly string[];
  readonly query: readonly string[];
  /** Paths, by code points. */
  readonly body: readonly string[];
}

/** Members of the body that rules of any kind and mode read or write out. */
export function bodyRead(program: ResidualProgram): readonly string[] {
  const { match, authorise, body } = program.decisions;
  const residuals = [
    ...[match, authorise, body].flatMap(({ enforced, observed }) => [...enforced, ...observed]),
    ...program.warns,
    ...program.permits.authorise,
    ...program.permits.body,
    ...program.limits,
    ...program.observedLimits.flatMap((group) => group.limits),
    ...program.members,
    ...program.timeouts,
  ];
  const actions = [...program.headers.request, ...program.headers.response];
  const facts = [
    ...factsTested([...residuals, ...actions]),
    ...residuals.flatMap(({ ir }) => factsWritten(ir)),
    ...actions.flatMap((action) => factsOfTemplate(action.value)),
  ];
  const described = facts.filter((fact) => fact.phase === 'body' && fact.path in program.route.body);
  return [...new Set(described.map(({ path }) => path))].sort();
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
    ...program.decisions.body.enforced,
    ...program.permits.authorise,
    ...program.permits.body,
    { condition: program.mayBePermitted },
    ...program.limits,
    ...program.members,
    ...program.timeouts,
    ...program.headers.request,
    ...program.headers.response,
  ];
  const tested = factsTested(deciding);
  const written = [...program.headers.request, ...program.headers.response].flatMap((action) =>
    factsOfTemplate(action.value),
  );
  const keys = program.limits.flatMap((limit) => factsOfKey(limit.rule));
  const changed = program.members.flatMap(({ rule }) => membersOf(rule));
  const facts = [...tested, ...written, ...keys, ...changed];
  const body = facts.filter((fact) => fact.phase === 'body').map(({ path }) => path);
  return {
    headers: namesOf(facts, 'request.header'),
    query: namesOf(facts, 'request.query'),
    body: [...new Set(body)].sort(),
  };
}

function factsTested(rules: readonly { readonly condition: Condition }[]): FactReference[] {
  return rules.flatMap(({ condition }) => factsOfCondition(condition));
}

/** Conditions stay the same objects from one compilation to the next, and many routes ask the same ones. */
const FACTS = new WeakMap<Condition, readonly FactReference[]>();

function factsOfCondition(condition: Condition): readonly FactReference[] {
  let facts = FACTS.get(condition);
  if (facts === undefined) {
    facts = testsOf(condition).flatMap(termsOf).flatMap(factsOfTerm);
    FACTS.set(condition, facts);
  }
  return facts;
}

function namesOf(facts: readonly FactReference[], path: string): string[] {
  const names = facts.flatMap((fact) =>
    fact.path === path && fact.parameter !== null ? [fact.parameter] : [],
  );
  return [...new Set(names)].sort();
}
