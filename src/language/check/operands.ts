import type { Span } from '../../diagnostics/source.ts';
import { meant, nearest } from '../../diagnostics/suggest.ts';
import type { FactDefinition } from '../../model/facts.ts';
import { SPELLED_DURATION_UNITS } from '../../model/literals.ts';
import { isTimeZone } from '../../model/local-time.ts';
import { BODY, isBodyPath } from '../../model/member-path.ts';
import { isListOfObjects } from '../../model/types.ts';
import type { LiteralNode, OperandNode, PathNode, TextNode } from '../ast.ts';
import { LATER_PARTS } from '../later-words.ts';
import {
  badParameter,
  headerLooksMisspelt,
  unknownFact,
  unknownName,
  unknownZone,
} from '../problems/names.ts';
import { poolFact, requestFact } from '../problems/pools.ts';
import { listOfObjects } from '../problems/quantifiers.ts';
import { notInThisVersion } from '../problems/reading.ts';
import { responseFact, targetFact } from '../problems/rules.ts';
import { alreadyTyped, mayBeMissing, neverMissing } from '../problems/types.ts';
import { nearestTimeZone } from '../time-zones.ts';
import { LATER_WORDS } from '../tokens.ts';
import type { ConvertedExpression, FactExpression, OtherwiseExpression } from '../typed.ts';
import { noteName } from './asked.ts';
import { hasMember, resolveBodyFact } from './body-facts.ts';
import type { CheckContext } from './context.ts';
import { isElement, resolveElement } from './elements.ts';
import { commonHeaderMeant, isHeaderName } from './header-names.ts';
import { factText, type Known } from './known.ts';
import { isAccountingCurrency, typeLiteral } from './literals.ts';
import { knownNames } from './names.ts';
import { inWords } from './type-names.ts';

/** Facts: names resolved, parameters checked, presence proven. Null means that a problem was reported. */

/** A fact whose value is used: it must be present here, or have an `otherwise`. */
export function checkOperand(
  context: CheckContext,
  known: Known,
  node: OperandNode,
): FactExpression | OtherwiseExpression | ConvertedExpression | null {
  const plain = checkPlain(context, known, node);
  return plain === null || node.unit === null ? plain : checkUnit(context, plain, node.unit);
}

function checkPlain(
  context: CheckContext,
  known: Known,
  node: OperandNode,
): FactExpression | OtherwiseExpression | null {
  const fact = resolveFact(context, known, node.path);
  if (fact === null) return null;
  if (node.otherwise !== null) return checkOtherwise(context, fact, node.otherwise, node.span);
  return provePresent(context, known, fact) ? fact : null;
}

const NANO = 1_000_000_000;

/** `as USD`, `as seconds`: a number becomes money or a duration. */
function checkUnit(
  context: CheckContext,
  number: FactExpression | OtherwiseExpression,
  { value: unit, span }: TextNode,
): ConvertedExpression | null {
  const text = factText(number.kind === 'fact' ? number : number.fact);
  if (number.type.kind !== 'number') {
    context.report(alreadyTyped(span, text, inWords(number.type)));
    return null;
  }
  const whole = { source: span.source, start: number.span.start, end: span.end };
  const duration = SPELLED_DURATION_UNITS[unit];
  if (duration !== undefined)
    return { kind: 'converted', number, unit, factor: duration, type: { kind: 'duration' }, span: whole };
  if (!isAccountingCurrency(context, unit, span)) return null;
  return { kind: 'converted', number, unit, factor: NANO, type: { kind: 'money' }, span: whole };
}

/** The fact a path stands for, present or not: one that has a value. */
export function resolveFact(context: CheckContext, known: Known, node: PathNode): FactExpression | null {
  const fact = resolvePath(context, known, node);
  if (fact === null || !isListOfObjects(fact.type)) return fact;
  context.report(listOfObjects(fact.span, factText(fact)));
  return null;
}

/** The same for those who only ask whether it is there, or for its elements. */
export function resolvePath(context: CheckContext, known: Known, node: PathNode): FactExpression | null {
  if (asksAboutOthers(context, node)) return null;
  if (isElement(node)) return resolveElement(context, known, node);
  if (isBodyPath(node.path)) return resolveBodyFact(context, known, node);
  if (isTooEarly(context, node) || asksAboutNoTarget(context, node)) return null;
  const definition = context.project.facts.get(node.path);
  if (definition === undefined) {
    reportUnknown(context, known, node);
    return null;
  }
  const parameter = checkParameter(context, node, definition);
  if (parameter === undefined) return null;
  return { kind: 'fact', definition, parameter, type: definition.type, span: node.span };
}

/** Whether a fact of the response is asked before there is one; reported. */
function isTooEarly({ response, report }: CheckContext, { path, span }: PathNode): boolean {
  if (response === 'known' || !OF_REPLIES.has(path.split('.', 1)[0]!)) return false;
  report(responseFact(span, response.tooEarlyFor, path));
  return true;
}

const OF_REPLIES: ReadonlySet<string> = new Set(['response', 'usage']);

/** Whether something asks about targets that can't leave any out; reported. */
function asksAboutNoTarget({ target, report }: CheckContext, { path, span }: PathNode): boolean {
  if (target === 'known' || path.split('.', 1)[0] !== 'target') return false;
  report(targetFact(span, target.tooEarlyFor, path));
  return true;
}

/** Whether something asks about pools among requests, or about requests among pools; reported. */
function asksAboutOthers({ pools, report, project }: CheckContext, { path, span }: PathNode): boolean {
  const isOfPools = POOL_ROOTS.has(path.split('.', 1)[0]!);
  if (isOfPools === (pools === 'known')) return false;
  if (pools !== 'known') report(poolFact(span, pools.tooEarlyFor, path));
  else if (project.facts.has(path) || isBodyPath(path)) report(requestFact(span, path));
  else return false;
  return true;
}

/** What facts begin with that are of no request. */
export const POOL_ROOTS: ReadonlySet<string> = new Set(['pool', 'key']);

/** Why a fact can be missing, in words that follow a colon. */
export function whyMissing(fact: FactExpression, route: string | null): string {
  if (route !== null) return `route "${route}" allows calls without identity`;
  if (fact.definition.phase === 'call') return WHY_NO_CALL[fact.definition.path] ?? NOT_A_CALL;
  if (fact.definition.phase === 'body') return `the schema of a route here does not require it`;
  return WHY_MISSING[fact.definition.path] ?? `not every request has it`;
}

const NOT_A_CALL = 'a request to a route here may be no call to a model';
const WHY_NO_CALL: Readonly<Record<string, string>> = {
  'request.tokens': 'a prompt may hold what nothing bounds, such as an image by its URL',
  'request.output_cap': 'a caller need not say how long an answer may be',
};

const WHY_MISSING: Readonly<Record<string, string>> = {
  team: 'a consumer need not be in a team',
  'team.name': 'a consumer need not be in a team',
  'request.header': 'a request need not have this header',
  'request.query': 'a request need not have this query parameter',
  'request.size': 'a body that comes in chunks has no declared length',
  'request.parameter': 'not every route here has this path parameter',
  'credential.expires_in': 'a credential need not expire',
  'route.version': 'a route need not have a version',
  'route.cost': 'a route need not say what it costs',
  'response.code': 'where the service answers in full there is none',
  'usage.input_tokens': NOT_A_CALL,
  'usage.output_tokens': NOT_A_CALL,
  'usage.tokens': NOT_A_CALL,
  'usage.cached_tokens': 'a provider need not tell it',
  'usage.reasoning_tokens': 'a provider need not tell it',
  'usage.cost': 'what a request cost need not be known',
  'pool.exhausted_in': 'nothing need be foreseen',
  'key.exhausted_in': 'nothing need be foreseen',
};

export function provePresent(context: CheckContext, known: Known, fact: FactExpression): boolean {
  const missing = known.whereMissing(fact);
  if (missing === null) return true;
  const text = factText(fact);
  const anonymous = missing.route !== null;
  const guard = anonymous ? text.split('.')[0]! : text;
  const other = anonymous
    ? ', or narrow "applies to" (… and routes requiring identity)'
    : fact.type.kind === 'list'
      ? ''
      : `, or give it a value: ${text} otherwise …`;
  context.report(
    mayBeMissing(
      fact.span,
      text,
      whyMissing(fact, missing.route?.name ?? null),
      `Add "${guard} is present and …"${other}.`,
    ),
  );
  return false;
}

function checkOtherwise(
  context: CheckContext,
  fact: FactExpression,
  fallbackNode: LiteralNode,
  span: Span,
): OtherwiseExpression | null {
  if (fact.definition.absence === 'never') {
    context.report(neverMissing(span, factText(fact)));
    return null;
  }
  const fallback = typeLiteral(context, fallbackNode, fact.type, factText(fact));
  return fallback === null ? null : { kind: 'otherwise', fact, fallback, type: fact.type, span };
}

function reportUnknown(context: CheckContext, { list, routes }: Known, { path, span }: PathNode): void {
  if (list !== null && routes.some((route) => hasMember(route, list, path))) {
    context.report(unknownFact(span, path, `it.${path}`, []));
    return;
  }
  const [root = '', ...members] = path.split('.');
  const later = [root, path].find((name) => LATER_WORDS.has(name) || LATER_PARTS.has(name));
  if (later !== undefined) {
    context.report(notInThisVersion(span, later));
    return;
  }
  const known = [...context.project.facts.keys(), BODY];
  const whole = namedInBrackets(context, path) ?? withItsRoot(path, known);
  if (whole !== null) {
    context.report(unknownFact(span, path, whole, []));
    return;
  }
  const siblings = known.filter((other) => other.startsWith(`${root}.`)).sort();
  const near =
    siblings.length === 0
      ? meant(path, known)
      : meantMember(
          members,
          siblings.map((other) => other.slice(root.length + 1)),
        );
  const suggestion = near === null || siblings.length === 0 ? near : `${root}.${near}`;
  context.report(unknownFact(span, path, suggestion, siblings));
}

/** `request.query.page`: what names a parameter stands in brackets, and nothing follows them. */
function namedInBrackets({ project }: CheckContext, path: string): string | null {
  const bracket = path.indexOf('["');
  if (bracket !== -1 && project.facts.has(path.slice(0, bracket)))
    return path.slice(0, path.indexOf('"]') + '"]'.length);
  const dot = path.lastIndexOf('.');
  const named = project.facts.get(path.slice(0, Math.max(0, dot)));
  return named === undefined || named.parameter === 'none' || named.parameter === 'zone'
    ? null
    : `${named.path}["${path.slice(dot + 1)}"]`;
}

/** `plan` and `body.total`: the only fact that goes on so behind its root. */
function withItsRoot(path: string, known: readonly string[]): string | null {
  const [first = ''] = path.split('.');
  if (first === BODY.slice(BODY.indexOf('.') + 1)) return `${BODY.split('.')[0]}.${path}`;
  const whole = known.filter((fact) => fact.slice(fact.indexOf('.') + 1) === path && fact !== path);
  return whole.length === 1 ? whole[0]! : null;
}

/** The whole path below the root, or its first member: what lies below a body is said by schemas. */
function meantMember(members: readonly string[], known: readonly string[]): string | null {
  return meant(members.join('.'), known) ?? meant(members[0] ?? '', known);
}

type Parameter = FactDefinition['parameter'];

const PARAMETER_WORDS: Readonly<Record<Parameter, string>> = {
  none: '',
  'header-name': 'the name of a header',
  'query-name': 'the name of a query parameter',
  'path-parameter-name': 'the name of a path parameter',
  zone: 'a time zone',
};

/** The parameter in its run-time form; null where there is none; undefined when a problem was reported. */
function checkParameter(
  context: CheckContext,
  { path, parameter, span }: PathNode,
  definition: FactDefinition,
): string | null | undefined {
  const report = (message: string, help: string): undefined => {
    context.report(badParameter(parameter?.span ?? span, message, help));
  };
  if (definition.parameter === 'none') {
    return parameter === null ? null : report(`${path} takes nothing in brackets.`, `Write ${path}.`);
  }
  if (definition.parameter === 'zone') {
    return parameter === null ? context.zone : zoneOf(context, parameter);
  }
  const what = PARAMETER_WORDS[definition.parameter];
  if (parameter === null) return report(`${path} needs ${what} in brackets.`, `Write ${path}["…"].`);
  const { value } = parameter;
  if (definition.parameter === 'header-name') {
    if (!isHeaderName(value))
      return report(`"${value}" is not ${what}.`, 'Header names are letters, digits and hyphens.');
    const name = value.toLowerCase();
    const common = commonHeaderMeant(name);
    if (common !== null) context.report(headerLooksMisspelt(parameter.span, value, common));
    return name;
  }
  if (value === '') return report(`There is no name in the brackets of ${path}.`, `Write ${what}.`);
  if (definition.parameter === 'query-name') return value;
  return isPathParameter(context, value, parameter.span) ? value : undefined;
}

function zoneOf(context: CheckContext, { value, span }: TextNode): string | undefined {
  if (isTimeZone(value)) return value;
  context.report(unknownZone(span, value, nearestTimeZone(value)));
  return undefined;
}

function isPathParameter(context: CheckContext, name: string, span: Span): boolean {
  const known = knownNames(context.project, 'path parameter');
  noteName(context.asked, 'path parameter', name, known.has(name));
  if (known.has(name)) return true;
  const near = nearest(name, known.keys());
  const suggestion = near === null ? null : { name: near, place: known.get(near) ?? null };
  context.report(unknownName(span, 'path parameter', name, suggestion, [...known.keys()].sort()));
  return false;
}
