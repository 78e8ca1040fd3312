import { elementsOf, holds } from '../../compiler/interpret/expressions.ts';
import { factValue, type Situation } from '../../compiler/interpret/facts.ts';
import { factsIn } from '../../compiler/interpret/trace.ts';
import { factText } from '../../language/check/known.ts';
import type { FactExpression, QuantifiedExpression, TypedExpression } from '../../language/typed.ts';
import { elementPath, isElementPath } from '../../model/facts.ts';
import { isBelow, memberNames, pathBelow } from '../../model/member-path.ts';
import type { Value } from '../../model/types.ts';
import type { World } from '../../model/world.ts';
import { valueInWords } from '../values.ts';
import type { Candidate } from './candidates.ts';
import { type BodySteps, changedBody, jsonOf } from './changed-body.ts';
import { enoughValues } from './enough-values.ts';
import { valuesFor } from './values-to-try.ts';

/** Changes of the objects in a list of the body: one member of each that decides a question about them, or the list without these. */
export function elementCandidates(
  clauses: readonly TypedExpression[],
  situation: Situation,
  world: World,
): Candidate[] {
  const questions = clauses.filter((clause) => clause.kind === 'quantified');
  return questions.filter(isOfObjects).flatMap((question) => {
    const elements = elementsIn(question.list, situation);
    const numbers = decisive(question, elements, situation);
    if (numbers.length === 0) return [];
    const chosen = { question, elements, numbers };
    return [...memberCandidates(chosen, questions, situation, world), without(chosen)];
  });
}

function elementsIn(list: FactExpression, situation: Situation): readonly unknown[] {
  return factValue(list, situation) === undefined ? [] : elementsOf(list, situation);
}

/** The elements that have to change for the question to turn out otherwise: all that made it so, or any one of the others. */
function decisive(
  { quantifier, condition }: QuantifiedExpression,
  elements: readonly unknown[],
  situation: Situation,
): readonly number[] {
  const fits = elements.map((element) => holds(condition, { ...situation, element }));
  const which = (wanted: boolean) => elements.flatMap((_, at) => (fits[at] === wanted ? [at] : []));
  const deciding = which(quantifier !== 'every');
  return deciding.length > 0 ? deciding : which(quantifier === 'every').slice(0, 1);
}

interface Chosen {
  readonly question: QuantifiedExpression;
  readonly elements: readonly unknown[];
  /** From 0. */
  readonly numbers: readonly number[];
}

function isOfObjects({ list }: QuantifiedExpression): boolean {
  const { type, definition } = list;
  return (
    type.kind === 'list' &&
    type.of.kind === 'object' &&
    definition.phase === 'body' &&
    !isElementPath(definition.path)
  );
}

function memberCandidates(
  chosen: Chosen,
  questions: readonly QuantifiedExpression[],
  situation: Situation,
  world: World,
): Candidate[] {
  const { question } = chosen;
  return partsOf(question.condition).flatMap((clause) =>
    factsIn(clause)
      .filter((fact) => fact.type.kind !== 'list' && isMemberOf(fact, question.list))
      .flatMap((fact) =>
        valuesFor(clause, fact, situation, world).map((value) =>
          memberCandidate(chosen, { fact, value }, questions, situation),
        ),
      ),
  );
}

function isMemberOf(fact: FactExpression, list: FactExpression): boolean {
  const element = elementPath(list.definition.path);
  const { path } = fact.definition;
  return isBelow(path, element) && !isElementPath(path.slice(element.length));
}

function memberCandidate(
  { question, elements, numbers }: Chosen,
  { fact, value }: { readonly fact: FactExpression; readonly value: Value | undefined },
  questions: readonly QuantifiedExpression[],
  situation: Situation,
): Candidate {
  const { list } = question;
  const name = `${elementsInWords(list, numbers)}: ${factText(fact)}`;
  const before = numbers.map((at) =>
    valueInWords(fact.type, factValue(fact, { ...situation, element: elements[at] })),
  );
  const member = memberNames(pathBelow(fact.definition.path, elementPath(list.definition.path)));
  const json = jsonOf(fact.type, value);
  return {
    key: name,
    fact: name,
    from: [...new Set(before)].slice(0, SHOWN_MAX).join(' and '),
    to: valueInWords(fact.type, value),
    apply: (request) =>
      numbers.reduce<typeof request | null>(
        (changed, at) => changed && changedBody(changed, [...stepsOf(list), at, ...member], json),
        request,
      ),
    isAskedBy: (clause) => clause.kind === 'quantified' && factText(clause.list) === factText(list),
    // what its parts say is the same for each of the elements, which have this one member in common
    enough: (after) => {
      if (value === undefined) return null;
      const changed = { ...situation, request: after, body: after.body };
      const element = elementsIn(list, changed)[numbers[0]!];
      if (element === undefined) return null;
      const parts = questions
        .filter((each) => factText(each.list) === factText(list))
        .flatMap(({ condition }) => partsOf(condition))
        .filter((part) => factsIn(part).some((each) => factText(each) === factText(fact)));
      return enoughValues(
        fact,
        parts.map((clause) => ({ clause, held: holds(clause, { ...changed, element }) })),
      );
    },
  };
}

function without({ question: { list }, elements, numbers }: Chosen): Candidate {
  const left = elements.filter((_, at) => !numbers.includes(at));
  return {
    key: factText(list),
    fact: factText(list),
    from: '',
    to: `without ${elementsInWords(null, numbers)}`,
    apply: (request) => changedBody(request, stepsOf(list), left),
    isAskedBy: (clause) => clause.kind === 'quantified' && factText(clause.list) === factText(list),
    enough: () => null,
  };
}

function stepsOf({ definition }: FactExpression): BodySteps {
  return memberNames(definition.path).slice(2);
}

/** `elements 2 and 5 of request.body.items`. */
function elementsInWords(list: FactExpression | null, numbers: readonly number[]): string {
  const shown = numbers.slice(0, SHOWN_MAX).map((at) => String(at + 1));
  const rest = numbers.length - shown.length;
  if (rest > 0) shown.push(`${rest} others`);
  const last = shown.pop();
  const named = shown.length === 0 ? `element ${last}` : `elements ${shown.join(', ')} and ${last}`;
  return list === null ? named : `${named} of ${factText(list)}`;
}
const SHOWN_MAX = 8;

/** The tests of a condition, each asked of one element. */
function partsOf(condition: TypedExpression): TypedExpression[] {
  if (condition.kind === 'not') return partsOf(condition.operand);
  if (condition.kind === 'and' || condition.kind === 'or') return condition.operands.flatMap(partsOf);
  return [condition];
}
