import type { CstNode, IToken } from 'chevrotain';
import { assert } from '../../base/assert.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { SourceText, Span } from '../../diagnostics/source.ts';

/** What the builders share: the source for spans, and where problems go. */
export interface Reader {
  readonly source: SourceText;
  readonly report: (problem: Diagnostic) => void;
}

/** The child that the grammar guarantees; builders see only nodes that were read without a mistake. */
export function childOf(node: CstNode, name: string): CstNode {
  const child = childOrNull(node, name);
  assert(child !== null, `${node.name} has no ${name}`);
  return child;
}

export function childOrNull(node: CstNode, name: string): CstNode | null {
  const found = node.children[name]?.[0];
  return found !== undefined && 'children' in found ? found : null;
}

export function childrenOf(node: CstNode, name: string): readonly CstNode[] {
  return (node.children[name] ?? []) as CstNode[];
}

export function tokenOf(node: CstNode, name: string, index = 0): IToken {
  const token = tokenOrNull(node, name, index);
  assert(token !== null, `${node.name} has no ${name}`);
  return token;
}

export function tokenOrNull(node: CstNode, name: string, index = 0): IToken | null {
  const found = node.children[name]?.[index];
  return found !== undefined && 'image' in found ? found : null;
}

/** In the order of the text. */
export function tokensOf(node: CstNode, name: string): readonly IToken[] {
  return (node.children[name] ?? []).flatMap((token) => ('image' in token ? [token] : []));
}

export function has(node: CstNode, name: string): boolean {
  return node.children[name] !== undefined;
}

export function nodeSpan(reader: Reader, node: CstNode): Span {
  const { startOffset, endOffset } = node.location!;
  return { source: reader.source, start: startOffset, end: endOffset! + 1 };
}

export function spanOf(reader: Reader, token: IToken): Span {
  return { source: reader.source, start: token.startOffset, end: token.endOffset! + 1 };
}
