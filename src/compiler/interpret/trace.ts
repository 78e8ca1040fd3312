import type { Span } from '../../diagnostics/source.ts';
import { factText } from '../../language/check/known.ts';
import type {
  CheckedRule,
  FactExpression,
  QuantifiedExpression,
  TypedExpression,
} from '../../language/typed.ts';
import { writtenName } from '../../model/route-lines.ts';
import type { Value, ValueType } from '../../model/types.ts';
import type { Route } from '../../model/world.ts';
import { KNOWN } from '../../pipeline/alerts.ts';
import { type EndedRequest, neededBy } from '../interpret.ts';
import { elementsOf, holds, possibly, standingOf } from './expressions.ts';
import { factValue, type HashKeys, type PlainRequest, type Situation } from './facts.ts';
import { phaseOf } from './phases.ts';
import type { PlacedRule } from './placed-rules.ts';

/** `unseen`: an earlier clause or phase had decided. */
export type Held = boolean | 'unseen';

/** One condition that has no parts of its own, as one request met it. */
export interface ClauseSight {
  /** The condition itself: which clause of the rule this is. */
  readonly clause: TypedExpression;
  readonly part: ClausePart;
  readonly span: Span;
  readonly held: Held;
  /** The facts it reads; undefined is missing. */
  readonly saw: readonly {
    readonly fact: string;
    readonly type: ValueType;
    readonly value: Value | undefined;
  }[];
  /** Of a quantifier: its conditions, as each element met them that was asked. */
  readonly elements: readonly ClauseSight[];
}
export type ClausePart = 'scope' | 'when' | 'condition';

/** What one rule saw of a request and what it made of it. Counters are not asked: limits `apply` or not. */
export interface RuleSight {
  readonly placed: PlacedRule;
  readonly clauses: readonly ClauseSight[];
  readonly effect: 'permits' | 'refuses' | 'warns' | 'applies' | 'alerts' | 'nothing' | 'unseen';
}

export interface Trace {
  readonly sights: readonly RuleSight[];
  /** Where the request got to; in `admit` the limits decide. */
  readonly stage: 'match' | 'identify' | 'authorise' | 'body' | 'admit';
}

/**
 * What every rule sees of a request, by the reference interpreter: each condition is asked with `holds`, left to right,
 * and what an earlier part decides is not asked. Alert rules are asked where it is said how the request ended.
 */
export function traceRequest(
  rules: readonly PlacedRule[],
  route: Route,
  request: PlainRequest,
  keys: HashKeys,
  ended: EndedRequest | null = null,
): Trace {
  const trace = traceDecision(
    rules.filter(({ rule }) => rule.kind !== 'alert'),
    route,
    request,
    keys,
  );
  const bySight = new Map(trace.sights.map((sight) => [sight.placed, sight]));
  const sights = rules.map(
    (placed) => bySight.get(placed) ?? sightOfAlert(placed, { route, request, keys }, ended),
  );
  return { ...trace, sights };
}

/** An alert rule, at the end of a request. */
function sightOfAlert(
  placed: PlacedRule,
  { route, request, keys }: Pick<Situation, 'route' | 'request' | 'keys'>,
  ended: EndedRequest | null,
): RuleSight {
  if (ended === null || ended.known < neededBy(placed)) return unseen(placed);
  const identity = ended.known >= KNOWN.caller && route.auth !== 'none' ? request.identity : null;
  const [body, call] = ended.known >= KNOWN.body ? [request.body, request.call] : [null, null];
  return sightOf(placed, { route, request, keys, identity, body, call, answer: ended });
}

function unseen(placed: PlacedRule): RuleSight {
  return { placed, clauses: clausesOf(placed), effect: 'unseen' };
}

function traceDecision(
  rules: readonly PlacedRule[],
  route: Route,
  request: PlainRequest,
  keys: HashKeys,
): Trace {
  const identity = route.auth === 'none' ? null : request.identity;
  const unidentified = { route, request, identity: null, body: null, call: null, keys };
  const early = rules.map((placed) => (rulePhase(placed) === 'match' ? sightOf(placed, unidentified) : null));
  if (refuses(early)) return { sights: filled(rules, early), stage: 'match' };
  if (route.auth === 'required' && identity === null)
    return { sights: filled(rules, early), stage: 'identify' };
  const unread = { ...unidentified, identity };
  const judged = seenIn('authorise', rules, early, unread);
  const waits = rules.some(
    (placed) => isPermitOfBody(placed) && possibly([placed.scope, placed.rule.when], unread),
  );
  if (refuses(judged) || !(permits(judged) || waits))
    return { sights: filled(rules, judged), stage: 'authorise' };
  if (request.body === undefined) return { sights: filled(rules, judged), stage: 'body' };
  const situation = { ...unread, body: request.body, call: request.call };
  const read = seenIn('body', rules, judged, situation);
  if (refuses(read) || !permits(read)) return { sights: filled(rules, read), stage: 'body' };
  return { sights: rules.map((placed, at) => read[at] ?? sightOf(placed, situation)), stage: 'admit' };
}

type Seen = readonly (RuleSight | null)[];

function seenIn(
  phase: 'authorise' | 'body',
  rules: readonly PlacedRule[],
  before: Seen,
  situation: Situation,
): Seen {
  return rules.map(
    (placed, at) => before[at] ?? (rulePhase(placed) === phase ? sightOf(placed, situation) : null),
  );
}

function permits(sights: Seen): boolean {
  return sights.some((sight) => sight?.effect === 'permits' && sight.placed.mode === 'enforce');
}

function isPermitOfBody(placed: PlacedRule): boolean {
  return placed.rule.kind === 'permit' && placed.mode === 'enforce' && rulePhase(placed) === 'body';
}

/** The clauses of a rule, whether or not any request meets them. */
export function clausesOf(placed: PlacedRule): readonly ClauseSight[] {
  const clauses: ClauseSight[] = [];
  for (const [part, expression] of partsOf(placed)) skip(expression, part, clauses);
  return clauses;
}

/** Asked in `authorise` at the earliest. */
const JUDGED: ReadonlySet<CheckedRule['kind']> = new Set(['permit', 'warn']);

function filled(rules: readonly PlacedRule[], sights: Seen): RuleSight[] {
  return rules.map((placed, at) => sights[at] ?? unseen(placed));
}

function refuses(sights: Seen): boolean {
  return sights.some((sight) => sight?.effect === 'refuses' && sight.placed.mode === 'enforce');
}

/** The phase that asks a rule; null for those that neither permit, refuse nor warn. */
export function rulePhase({ scope, rule }: PlacedRule): 'match' | 'authorise' | 'body' | null {
  const denies = rule.kind === 'forbid' || rule.kind === 'require';
  if (!denies && !JUDGED.has(rule.kind)) return null;
  const phase = phaseOf([scope, rule.when, rule.kind === 'require' ? rule.condition : null]);
  return phase === 'match' && !denies ? 'authorise' : phase;
}

function sightOf(placed: PlacedRule, situation: Situation): RuleSight {
  const clauses: ClauseSight[] = [];
  let applies = true;
  let met = true;
  for (const [part, expression] of partsOf(placed)) {
    if (!applies) skip(expression, part, clauses);
    else if (part === 'condition') met = ask(expression, part, situation, clauses);
    else applies = ask(expression, part, situation, clauses);
  }
  return { placed, clauses, effect: applies ? effectOf(placed.rule, met) : 'nothing' };
}

function effectOf(rule: CheckedRule, met: boolean): RuleSight['effect'] {
  switch (rule.kind) {
    case 'permit':
      return 'permits';
    case 'forbid':
      return 'refuses';
    case 'warn':
      return 'warns';
    case 'alert':
      return 'alerts';
    case 'require':
      return met ? 'nothing' : 'refuses';
    default:
      return 'applies';
  }
}

function partsOf({ scope, rule }: PlacedRule): (readonly [ClausePart, TypedExpression])[] {
  const parts: (readonly [ClausePart, TypedExpression | null])[] = [
    ['scope', scope],
    ['when', rule.when],
    ['condition', rule.kind === 'require' ? rule.condition : null],
  ];
  return parts.flatMap(([part, expression]) => (expression === null ? [] : [[part, expression] as const]));
}

/** Whether the expression holds; notes each clause on the way. */
function ask(
  expression: TypedExpression,
  part: ClausePart,
  situation: Situation,
  into: ClauseSight[],
): boolean {
  switch (expression.kind) {
    case 'not':
      return !ask(expression.operand, part, situation, into);
    case 'and':
    case 'or': {
      const decisive = expression.kind === 'or';
      let decided = false;
      for (const operand of expression.operands) {
        if (decided) skip(operand, part, into);
        else decided = ask(operand, part, situation, into) === decisive;
      }
      return decided === decisive;
    }
    case 'quantified':
      return askElements(expression, part, situation, into);
    default: {
      const held = holds(expression, situation);
      const saw = sawOf(expression, situation);
      into.push({ clause: expression, part, span: expression.span, held, saw, elements: [] });
      return held;
    }
  }
}

/** One after another, until one decides. */
function askElements(
  expression: QuantifiedExpression,
  part: ClausePart,
  situation: Situation,
  into: ClauseSight[],
): boolean {
  const { quantifier, list, condition, span } = expression;
  const elements: ClauseSight[] = [];
  const all = elementsOf(list, situation);
  let deciding: readonly ClauseSight[] = [];
  const at = all.findIndex((element) => {
    const asked: ClauseSight[] = [];
    const fits = ask(condition, part, { ...situation, element }, asked);
    elements.push(...asked);
    deciding = asked;
    return fits === (quantifier !== 'every');
  });
  const held = (at !== -1) === (quantifier === 'any');
  const saw = at === -1 ? sawAll(list, all) : sawElement(list, at, deciding);
  into.push({ clause: expression, part, span, held, saw, elements });
  return held;
}

/** No element decided by itself. */
function sawAll(list: FactExpression, all: readonly unknown[]): ClauseSight['saw'] {
  return [{ fact: factText(list), type: list.type, value: all as Value }];
}

/** `element 2 of request.body.items: it.price was 120`. */
function sawElement(list: FactExpression, at: number, asked: readonly ClauseSight[]): ClauseSight['saw'] {
  const [first, ...others] = asked.flatMap(({ saw }) => saw);
  if (first === undefined) return [];
  return [{ ...first, fact: `element ${at + 1} of ${factText(list)}: ${first.fact}` }, ...others];
}

function skip(expression: TypedExpression, part: ClausePart, into: ClauseSight[]): void {
  if (expression.kind === 'not') skip(expression.operand, part, into);
  else if (expression.kind === 'and' || expression.kind === 'or')
    for (const operand of expression.operands) skip(operand, part, into);
  else {
    const elements: ClauseSight[] = [];
    if (expression.kind === 'quantified') skip(expression.condition, part, elements);
    into.push({ clause: expression, part, span: expression.span, held: 'unseen', saw: [], elements });
  }
}

function sawOf(expression: TypedExpression, situation: Situation): ClauseSight['saw'] {
  if (expression.kind === 'has-role')
    return [{ fact: 'consumer.roles', type: ROLES, value: situation.identity?.consumer.roles }];
  if (expression.kind === 'share') {
    const value = Math.round(standingOf(expression, situation) * 100) / 100;
    return [{ fact: 'its place in the draw', type: PERCENT, value }];
  }
  if (expression.kind === 'subscribed') {
    const { identity } = situation;
    return [
      { fact: 'consumer', type: TEXT, value: identity?.consumer.name },
      { fact: 'route', type: TEXT, value: writtenName(situation.route.name) },
    ];
  }
  return factsIn(expression).map((fact) => ({
    fact: factText(fact),
    type: fact.type,
    value: factValue(fact, situation),
  }));
}

const TEXT: ValueType = { kind: 'text' };
const PERCENT: ValueType = { kind: 'percent' };
const ROLES: ValueType = { kind: 'list', of: TEXT };

/** Every fact an expression mentions, whatever its form. */
export function factsIn(node: object): FactExpression[] {
  if ('kind' in node && node.kind === 'fact') return [node as FactExpression];
  return Object.entries(node).flatMap(([name, value]) =>
    name === 'span' || typeof value !== 'object' || value === null ? [] : factsIn(value),
  );
}
