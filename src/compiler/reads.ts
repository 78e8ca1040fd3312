import { testsOf } from './conditions.ts';
import type { Condition, FactReference } from './ir.ts';
import type { ResidualDecisions, ResidualProgram, ResidualShaping } from './residual.ts';
import type { RouteFacts } from './route-facts.ts';
import { factsOfKey, factsOfTemplate, factsOfTerm, factsWritten, membersOf, termsOf } from './rule-facts.ts';

export interface FieldsRead {
  readonly headers: readonly string[];
  readonly query: readonly string[];
  /** Paths, by code points. */
  readonly body: readonly string[];
}

/** What one part of a program reads. */
export interface PartReads {
  /** Members of the body that rules of any kind and mode read or write out. */
  readonly inBody: readonly string[];
  readonly deciding: FieldsRead;
}

/** Members of the body that the whole program reads, in the order of their places. */
export function bodyRead(program: ResidualProgram): readonly string[] {
  return bodyOf(readsOfDecisions(program), readsOfShaping(program));
}

export function bodyOf(...parts: readonly PartReads[]): readonly string[] {
  return sorted(parts.flatMap(({ inBody }) => inBody));
}

/**
 * Header fields and query parameters that enforced rules depend on: a request that repeats one is refused
 * (language-rules #4). Rules in warn and shadow don't count, because they may not change what a request gets; nor
 * do the texts of replies, because a message never changes a decision.
 */
export function fieldsOf(...parts: readonly PartReads[]): FieldsRead {
  const all = (name: keyof FieldsRead) => sorted(parts.flatMap(({ deciding }) => deciding[name]));
  return { headers: all('headers'), query: all('query'), body: all('body') };
}

export function readsOfDecisions(program: ResidualDecisions & Pick<ResidualProgram, 'route'>): PartReads {
  const { match, authorise, body } = program.decisions;
  const permits = [...program.permits.authorise, ...program.permits.body];
  const residuals = [
    ...[match, authorise, body].flatMap(({ enforced, observed }) => [...enforced, ...observed]),
    ...program.warns,
    ...permits,
    ...program.limits,
    ...program.targetLimits,
    ...[...program.observedLimits, ...program.observedTargetLimits].flatMap((group) => group.limits),
  ];
  const deciding = [
    ...[match, authorise, body].flatMap(({ enforced }) => enforced),
    ...permits,
    { condition: program.mayBePermitted },
    ...program.limits,
    ...program.targetLimits,
  ];
  const keys = [...program.limits, ...program.targetLimits].flatMap((limit) => factsOfKey(limit.rule));
  return {
    inBody: described(
      [...factsTested(residuals), ...residuals.flatMap(({ ir }) => factsWritten(ir))],
      program.route,
    ),
    deciding: fieldsAmong([...factsTested(deciding), ...keys]),
  };
}

export function readsOfShaping(program: ResidualShaping & Pick<ResidualProgram, 'route'>): PartReads {
  const actions = [...program.headers.request, ...program.headers.response];
  const residuals = [
    ...program.members,
    ...program.outputCaps,
    ...program.timeouts,
    ...program.caches,
    ...program.routings,
    ...program.filters,
    ...program.masks.request,
    ...program.masks.response,
  ];
  const tested = factsTested([...residuals, ...actions]);
  const told = factsOfAlerts(program);
  const written = actions.flatMap((action) => factsOfTemplate(action.value));
  const changed = program.members.flatMap(({ rule }) => membersOf(rule));
  return {
    inBody: described(
      [...tested, ...residuals.flatMap(({ ir }) => factsWritten(ir)), ...written, ...told],
      program.route,
    ),
    deciding: fieldsAmong([...tested, ...written, ...changed]),
  };
}

/**
 * Nothing depends on alerts, so nothing is refused for what they read: a repeated field, a member that some read otherwise, a value
 * that is none of the language, which is missing in them. Bodies are read and checked where a route declares a schema, whatever its
 * rules ask.
 */
export function factsOfAlerts({ alerts }: Pick<ResidualShaping, 'alerts'>): FactReference[] {
  const all = [...alerts.match, ...alerts.authorise, ...alerts.body];
  return [...factsTested(all), ...all.flatMap(({ ir }) => factsWritten(ir))];
}

/** What decides what is masked in the bodies of requests. */
export function factsOfMasks({ masks }: Pick<ResidualShaping, 'masks'>): FactReference[] {
  return factsTested(masks.request);
}

function described(facts: readonly FactReference[], { body }: RouteFacts): string[] {
  return sorted(facts.filter(({ phase, path }) => phase === 'body' && path in body).map(({ path }) => path));
}

function fieldsAmong(facts: readonly FactReference[]): FieldsRead {
  return {
    headers: namesOf(facts, 'request.header'),
    query: namesOf(facts, 'request.query'),
    body: sorted(facts.filter((fact) => fact.phase === 'body').map(({ path }) => path)),
  };
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
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
