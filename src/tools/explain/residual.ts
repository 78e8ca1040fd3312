import { staticValue } from '../../language/static-value.ts';
import type { TypedExpression } from '../../language/typed.ts';
import type { Route } from '../../model/world.ts';
import { clauseText } from '../clause-text.ts';

/** What is left of a condition for one route, in the author's own words. */
export interface Remainder {
  /** Decided by the route alone, or asked of each request. */
  readonly value: true | false | 'asked';
  /** What is asked of each request; '' when nothing is. */
  readonly text: string;
  /** Conditions without parts that are asked. */
  readonly asked: readonly TypedExpression[];
  /** Those that the route decides: they cost a request nothing. */
  readonly baked: readonly TypedExpression[];
}

export function remainderOf(expression: TypedExpression | null, route: Route): Remainder {
  if (expression === null) return ALWAYS;
  const value = staticValue(expression, route);
  if (value !== 'unknown') return { value, text: '', asked: [], baked: [expression] };
  switch (expression.kind) {
    case 'and':
    case 'or':
      return joined(
        expression.operands.map((operand) => remainderOf(operand, route)),
        expression.kind,
      );
    case 'not': {
      const inner = remainderOf(expression.operand, route);
      return { ...inner, text: `not (${inner.text})` };
    }
    default:
      return { value: 'asked', text: clauseText(expression), asked: [expression], baked: [] };
  }
}

/** Both conditions have to hold. */
export function bothRemain(a: Remainder, b: Remainder): Remainder {
  if (a.value === false || b.value === false) return { ...(a.value === false ? a : b), text: '', asked: [] };
  return joined([a, b], 'and');
}

const ALWAYS: Remainder = { value: true, text: '', asked: [], baked: [] };

function joined(parts: readonly Remainder[], word: 'and' | 'or'): Remainder {
  const open = parts.filter(({ value }) => value === 'asked');
  const baked = parts.flatMap((part) => part.baked);
  if (open.length === 0) return { ...ALWAYS, baked };
  // both bounds of `from D until E` are one text
  const distinct = [...new Set(open.map(({ text }) => text))];
  const texts = distinct.map((text) =>
    distinct.length > 1 && / (?:and|or) /.test(text) ? `(${text})` : text,
  );
  return {
    value: 'asked',
    text: texts.join(` ${word} `),
    asked: open.flatMap(({ asked }) => asked),
    baked,
  };
}
