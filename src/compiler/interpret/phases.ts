import type { TypedExpression } from '../../language/typed.ts';

/**
 * The earliest phase that knows the facts of some expressions: `authorise` as soon as one of them, however deep, asks
 * about the caller.
 */
export function phaseOf(expressions: readonly (TypedExpression | null)[]): 'match' | 'authorise' {
  return expressions.some(asksAboutCaller) ? 'authorise' : 'match';
}

/** Looks through every node of the tree, whatever its kind. */
function asksAboutCaller(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some(asksAboutCaller);
  const { kind, definition, span: _span, type: _type, ...parts } = node as Record<string, unknown>;
  if (kind === 'has-role' || kind === 'subscribed') return true;
  if (kind === 'fact') return (definition as { phase: string }).phase === 'identity';
  return Object.values(parts).some(asksAboutCaller);
}
