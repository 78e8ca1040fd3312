import type { CstNode } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText } from '../diagnostics/source.ts';
import { Comments } from './format/comments.ts';
import { printDocument } from './format/document.ts';
import { fileLayout, LAYOUTS } from './format/layouts.ts';
import { Printer } from './format/printer.ts';
import { readDeclarations } from './parse.ts';

export type FormattedPolicyFile =
  | { readonly kind: 'formatted'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly diagnostics: readonly Diagnostic[] };

/**
 * The file in the one canonical style (language-rules 4). Comments, meaning and the author's order within each kind of
 * declaration are kept, and formatting twice changes nothing more. A file with a mistake in its grammar is left alone.
 */
export function formatPolicyFile(source: SourceText, nestingDepthMax: number): FormattedPolicyFile {
  const trees: CstNode[] = [];
  const { diagnostics, tokens, comments } = readDeclarations(source, nestingDepthMax, (tree) =>
    trees.push(tree),
  );
  if (diagnostics.length > 0) return { kind: 'unreadable', diagnostics };
  const printer = new Printer(new Comments(source.text, tokens, comments), LAYOUTS);
  return { kind: 'formatted', text: printDocument(fileLayout(printer, trees)) };
}
