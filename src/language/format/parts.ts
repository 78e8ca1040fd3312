import type { CstNode, IToken } from 'chevrotain';

/** Syntax trees in the order of the text: chevrotain groups children by name. */
export type CstPart = CstNode | IToken;

export function partsOf(node: CstNode): readonly CstPart[] {
  let parts = SORTED.get(node);
  if (parts === undefined) {
    parts = Object.values(node.children)
      .flat()
      .sort((a, b) => startOf(a) - startOf(b));
    SORTED.set(node, parts);
  }
  return parts;
}

/** First and last tokens are asked for at every level. */
const SORTED = new WeakMap<CstNode, readonly CstPart[]>();

export function isToken(part: CstPart): part is IToken {
  return 'image' in part;
}

/** Every rule of the grammar reads at least one token. */
export function firstToken(part: CstPart): IToken {
  let first = part;
  while (!isToken(first)) first = partsOf(first)[0]!;
  return first;
}

export function lastToken(part: CstPart): IToken {
  let last = part;
  while (!isToken(last)) last = partsOf(last).at(-1)!;
  return last;
}

function startOf(part: CstPart): number {
  return isToken(part) ? part.startOffset : part.location!.startOffset;
}
