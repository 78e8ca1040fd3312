import type { FactExpression, TypedExpression } from '../../language/typed.ts';

/**
 * The earliest phase that knows the facts of some expressions: `body` as soon as one of them, however deep, asks about
 * the body, else `authorise` as soon as one asks about the caller.
 */
export function phaseOf(
  expressions: readonly (TypedExpression | null)[],
  facts: readonly FactExpression[] = [],
): 'match' | 'authorise' | 'body' {
  const all = [...expressions, ...facts];
  if (all.some((each) => asksAbout('body', each))) return 'body';
  return all.some((each) => asksAbout('identity', each)) ? 'authorise' : 'match';
}

/** Looks through every node of the tree, whatever its kind. */
function asksAbout(what: 'body' | 'identity', node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some((each) => asksAbout(what, each));
  const { kind, definition, span: _span, type: _type, ...parts } = node as Record<string, unknown>;
  if (kind === 'has-role' || kind === 'subscribed') return what === 'identity';
  if (kind === 'share') return what === 'identity' && parts.of !== 'requests';
  if (kind === 'fact') {
    const { phase } = definition as { phase: string };
    return (phase === 'call' ? 'body' : phase) === what;
  }
  return Object.values(parts).some((each) => asksAbout(what, each));
}
