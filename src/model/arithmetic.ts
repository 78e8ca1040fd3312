/**
 * Arithmetic of policies. It is total: what goes beyond ± 2^53 - 1 stays there instead of failing. Comparing a result with
 * any value of the language (none lies beyond) then answers as exact arithmetic would, so a policy cannot be made to err
 * by large numbers, and a `forbid` on "more than" still holds. Within the bounds numbers are doubles, as in JSON.
 */
export type ArithmeticOperator = '+' | '-' | '*' | '/';

export const NUMBER_MAX = Number.MAX_SAFE_INTEGER;

/** `right` is never 0 for `/`: the checker lets only literals divide. */
export function calculate(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return saturated(left + right);
    case '-':
      return saturated(left - right);
    case '*':
      return saturated(left * right);
    case '/':
      return saturated(left / right);
  }
}

/** NaN, which a missing operand gives in compiled code, stays NaN: it makes every comparison false. */
export function saturated(value: number): number {
  return Math.max(-NUMBER_MAX, Math.min(NUMBER_MAX, value));
}
