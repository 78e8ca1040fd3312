import { assert } from '../../base/assert.ts';
import type {
  FactExpression,
  Operand,
  QuantifiedExpression,
  ShareExpression,
  TextTest,
  TypedExpression,
} from '../../language/typed.ts';
import { addressWords, contains, parseNetwork } from '../../model/networks.ts';
import { regexTest } from '../../model/regex.ts';
import { writtenName } from '../../model/route-lines.ts';
import type { Value } from '../../model/types.ts';
import { isOpenAt } from '../reference-calendar.ts';
import { SHARE_TAG, standing } from '../shares.ts';
import { factValue, type Situation } from './facts.ts';
import { phaseOf } from './phases.ts';

/** Whether a condition holds. Left to right; `and` and `or` stop early, so guards protect what follows them. */
export function holds(expression: TypedExpression | null, situation: Situation): boolean {
  if (expression === null) return true;
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'not':
      return !holds(expression.operand, situation);
    case 'and':
      return expression.operands.every((operand) => holds(operand, situation));
    case 'or':
      return expression.operands.some((operand) => holds(operand, situation));
    case 'compare':
      return compared(expression, situation);
    case 'in': {
      const list = operandValue(expression.list, situation);
      assert(Array.isArray(list), '`in` asks a list');
      return list.includes(operandValue(expression.element, situation)) !== expression.negated;
    }
    case 'in-networks': {
      const networks = [operandValue(expression.networks, situation)].flat().map(String);
      return isInOneOf(text(expression.address, situation), networks) !== expression.negated;
    }
    case 'text-test':
      return tested(expression.test, text(expression.text, situation), expression.pattern);
    case 'present':
      return (factValue(expression.fact, situation) !== undefined) !== expression.negated;
    case 'in-calendar':
      return isOpenAt(expression.calendar, situation.request.arrivedWallMs) !== expression.negated;
    case 'quantified':
      return quantified(expression, situation);
    case 'share':
      return expression.percent >= 100 || standingOf(expression, situation) < expression.percent;
    case 'has-role':
      return (situation.identity?.consumer.roles.includes(expression.role) ?? false) !== expression.negated;
    case 'subscribed': {
      const subscribed =
        situation.identity?.consumer.subscriptions.has(writtenName(situation.route.name)) ?? false;
      return subscribed !== expression.negated;
    }
  }
}

/** Asks the elements one after another, by the definition of the word. */
function quantified({ quantifier, list, condition }: QuantifiedExpression, situation: Situation): boolean {
  const fitting = elementsOf(list, situation).filter((element) =>
    holds(condition, { ...situation, element }),
  );
  switch (quantifier) {
    case 'any':
      return fitting.length > 0;
    case 'every':
      return fitting.length === elementsOf(list, situation).length;
    case 'none':
      return fitting.length === 0;
  }
}

/** What a quantifier asks about; the checker has proven that the list is there. */
export function elementsOf(list: FactExpression, situation: Situation): readonly unknown[] {
  const elements = factValue(list, situation);
  assert(Array.isArray(elements), `${list.definition.path} is used without a guard`);
  return elements;
}

/** Where the request, or its caller, stands in the draw of a rule, from 0 to below 100. */
export function standingOf({ seed, of }: ShareExpression, { request, identity, keys }: Situation): number {
  const owner = {
    requests: request.id,
    consumers: identity?.consumer.keyHash,
    tenants: identity?.tenant.keyHash,
  };
  const drawn = { high: 0, low: 0 };
  keys.hashKey(SHARE_TAG, seed, drawn);
  const part = owner[of];
  assert(part !== undefined, `a share of ${of} is asked of somebody without identity`);
  return standing(drawn, part, { high: 0, low: 0 }, keys.combineKey);
}

/** Whether all of them could hold for some body, as far as everything else decides (Kleene's three values). */
export function possibly(expressions: readonly (TypedExpression | null)[], situation: Situation): boolean {
  const operands = expressions.filter((each) => each !== null);
  return unread({ kind: 'and', operands, span: operands[0]?.span as never }, situation) !== false;
}

function unread(expression: TypedExpression, situation: Situation): boolean | 'unknown' {
  switch (expression.kind) {
    case 'not': {
      const value = unread(expression.operand, situation);
      return value === 'unknown' ? value : !value;
    }
    case 'and':
    case 'or': {
      const decisive = expression.kind === 'or';
      let result: boolean | 'unknown' = !decisive;
      for (const operand of expression.operands) {
        const value = unread(operand, situation);
        if (value === decisive) return decisive;
        if (value === 'unknown') result = value;
      }
      return result;
    }
    default:
      return phaseOf([expression]) === 'body' ? 'unknown' : holds(expression, situation);
  }
}

/** The checker has proven that no missing fact is ever used: meeting one is a mistake in the checker. */
function operandValue(operand: Operand, situation: Situation): Value {
  switch (operand.kind) {
    case 'literal':
      return operand.value;
    case 'list':
      return operand.items.map((item) => item.value);
    case 'otherwise':
      return factValue(operand.fact, situation) ?? operand.fallback.value;
    case 'converted':
      return within(Number(operandValue(operand.number, situation)) * operand.factor);
    case 'arithmetic': {
      const left = Number(operandValue(operand.left, situation));
      const right = Number(operandValue(operand.right, situation));
      const results = { '+': left + right, '-': left - right, '*': left * right, '/': left / right };
      return within(results[operand.operator]);
    }
    case 'fact': {
      const value = factValue(operand, situation);
      assert(value !== undefined, `${operand.definition.path} is used without a guard`);
      return value;
    }
  }
}

/** Results stay within the numbers of the language. */
function within(result: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, result));
}

function text(operand: Operand, situation: Situation): string {
  const value = operandValue(operand, situation);
  assert(typeof value === 'string', 'a text');
  return value;
}

function compared(
  { operator, left, right }: Extract<TypedExpression, { kind: 'compare' }>,
  situation: Situation,
): boolean {
  const a = operandValue(left, situation);
  const b = operandValue(right, situation);
  switch (operator) {
    case 'is':
      return JSON.stringify(a) === JSON.stringify(b);
    case 'is-not':
      return JSON.stringify(a) !== JSON.stringify(b);
    case 'lt':
      return a < b;
    case 'le':
      return a <= b;
    case 'gt':
      return a > b;
    case 'ge':
      return a >= b;
  }
}

function tested(test: TextTest, value: string, pattern: string): boolean {
  switch (test) {
    case 'contains':
      return value.indexOf(pattern) !== -1;
    case 'starts-with':
      return value.slice(0, pattern.length) === pattern;
    case 'ends-with':
      return pattern === '' || value.slice(-pattern.length) === pattern;
    case 'like':
      return isLike([...value], [...pattern]);
    case 'matches':
      return regexTest(pattern)(value);
  }
}

/** Characters against a glob, by its definition. */
function isLike(characters: readonly string[], glob: readonly string[]): boolean {
  const [head, ...tail] = glob;
  if (head === undefined) return characters.length === 0;
  if (head === '*') return characters.some((_, at) => isLike(characters.slice(at), tail)) || isLike([], tail);
  const [first, ...rest] = characters;
  return first !== undefined && (head === '?' || head === first) && isLike(rest, tail);
}

function isInOneOf(address: string, networks: readonly string[]): boolean {
  const words = addressWords(address);
  if (words === null) return false;
  return networks.some((network) => {
    const parsed = parseNetwork(network);
    return parsed.ok && contains(parsed.value, words);
  });
}
