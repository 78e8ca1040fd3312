import type { Span } from '../../diagnostics/source.ts';
import { factText } from '../../language/check/known.ts';
import type { CheckedRule, FactExpression, TypedExpression } from '../../language/typed.ts';
import type { Value } from '../../model/types.ts';
import type { Route } from '../../model/world.ts';
import type { PlacedRule } from '../interpret.ts';
import { holds } from './expressions.ts';
import { factValue, type PlainRequest, type Situation } from './facts.ts';
import { phaseOf } from './phases.ts';

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
  readonly saw: readonly { readonly fact: string; readonly value: Value | undefined }[];
}
export type ClausePart = 'scope' | 'when' | 'condition';

/** What one rule saw of a request and what it made of it. Counters are not asked: limits `apply` or not. */
export interface RuleSight {
  readonly placed: PlacedRule;
  readonly clauses: readonly ClauseSight[];
  readonly effect: 'permits' | 'refuses' | 'warns' | 'applies' | 'nothing' | 'unseen';
}

export interface Trace {
  readonly sights: readonly RuleSight[];
  /** Where the request got to; in `admit` the limits decide. */
  readonly stage: 'match' | 'identify' | 'authorise' | 'admit';
}

/**
 * What every rule sees of a request, by the reference interpreter: each condition is asked with `holds`, left to right,
 * and what an earlier part decides is not asked.
 */
export function traceRequest(rules: readonly PlacedRule[], route: Route, request: PlainRequest): Trace {
  const identity = route.auth === 'none' ? null : request.identity;
  const early = rules.map((placed) =>
    rulePhase(placed) === 'match' ? sightOf(placed, { route, request, identity: null }) : null,
  );
  if (refuses(early)) return { sights: filled(rules, early), stage: 'match' };
  if (route.auth === 'required' && identity === null)
    return { sights: filled(rules, early), stage: 'identify' };
  const situation = { route, request, identity };
  const deciding = rules.map((placed, at) => {
    const decides = JUDGED.has(placed.rule.kind) || rulePhase(placed) === 'authorise';
    return early[at] ?? (decides ? sightOf(placed, situation) : null);
  });
  const permitted = deciding.some((sight) => sight?.effect === 'permits' && sight.placed.mode === 'enforce');
  if (refuses(deciding) || !permitted) return { sights: filled(rules, deciding), stage: 'authorise' };
  return { sights: rules.map((placed, at) => deciding[at] ?? sightOf(placed, situation)), stage: 'admit' };
}

/** The clauses of a rule, whether or not any request meets them. */
export function clausesOf(placed: PlacedRule): readonly ClauseSight[] {
  const clauses: ClauseSight[] = [];
  for (const [part, expression] of partsOf(placed)) skip(expression, part, clauses);
  return clauses;
}

/** Asked in `authorise`, whatever facts they read. */
const JUDGED: ReadonlySet<CheckedRule['kind']> = new Set(['permit', 'warn']);

function filled(rules: readonly PlacedRule[], sights: readonly (RuleSight | null)[]): RuleSight[] {
  return rules.map((placed, at) => sights[at] ?? { placed, clauses: clausesOf(placed), effect: 'unseen' });
}

function refuses(sights: readonly (RuleSight | null)[]): boolean {
  return sights.some((sight) => sight?.effect === 'refuses' && sight.placed.mode === 'enforce');
}

/** The phase that asks a forbid or require; null for every other rule. */
export function rulePhase({ scope, rule }: PlacedRule): 'match' | 'authorise' | null {
  if (rule.kind !== 'forbid' && rule.kind !== 'require') return null;
  return phaseOf([scope, rule.when, rule.kind === 'require' ? rule.condition : null]);
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
    default: {
      const held = holds(expression, situation);
      into.push({ clause: expression, part, span: expression.span, held, saw: sawOf(expression, situation) });
      return held;
    }
  }
}

function skip(expression: TypedExpression, part: ClausePart, into: ClauseSight[]): void {
  if (expression.kind === 'not') skip(expression.operand, part, into);
  else if (expression.kind === 'and' || expression.kind === 'or')
    for (const operand of expression.operands) skip(operand, part, into);
  else into.push({ clause: expression, part, span: expression.span, held: 'unseen', saw: [] });
}

function sawOf(expression: TypedExpression, situation: Situation): ClauseSight['saw'] {
  if (expression.kind === 'has-role')
    return [{ fact: 'consumer.roles', value: situation.identity?.consumer.roles }];
  if (expression.kind === 'subscribed') {
    const { identity } = situation;
    return [
      { fact: 'consumer', value: identity?.consumer.name },
      { fact: 'route', value: situation.route.name },
    ];
  }
  return factsIn(expression).map((fact) => ({ fact: factText(fact), value: factValue(fact, situation) }));
}

/** Every fact an expression mentions, whatever its form. */
export function factsIn(node: object): FactExpression[] {
  if ('kind' in node && node.kind === 'fact') return [node as FactExpression];
  return Object.entries(node).flatMap(([name, value]) =>
    name === 'span' || typeof value !== 'object' || value === null ? [] : factsIn(value),
  );
}
