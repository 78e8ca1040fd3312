import { type CstNode, EOF } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText } from '../diagnostics/source.ts';
import type { PolicyFileNode } from './ast.ts';
import { buildFile } from './build/file.ts';
import { PolicyGrammar } from './grammar/policies.ts';
import { lex } from './lexer.ts';
import { explainSyntaxError } from './syntax-errors.ts';

/** One file as read, without any knowledge of the project: depends on its text alone, so it can be kept. */
export interface ParsedPolicyFile {
  readonly source: SourceText;
  readonly file: PolicyFileNode;
  /** In the order of discovery: characters, tokens, syntax, meaning of literals. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Text to AST. Never throws, whatever the text; every mistake is a diagnostic, and what holds one is left out.
 * `nestingDepthMax` is the limit `nestingDepth`.
 */
export function parsePolicyFile(source: SourceText, nestingDepthMax: number): ParsedPolicyFile {
  const { tokens, problems, cut } = lex(source, nestingDepthMax);
  GRAMMAR.input = tokens;
  const tree = GRAMMAR.File();
  // where the file was cut, its sudden end is no mistake of the author
  const errors = GRAMMAR.errors
    .filter(({ token }) => !(cut && token.tokenType === EOF))
    .slice(0, ERRORS_EXPLAINED_MAX);
  const mistakes = GRAMMAR.errors
    .map(({ token }) => token.startOffset)
    .filter((offset) => !Number.isNaN(offset))
    .sort((a, b) => a - b);
  const diagnostics = [
    ...problems,
    ...errors.map((error) => explainSyntaxError(error, tokens, source, GRAMMAR)),
  ];
  const report = (problem: Diagnostic): void => {
    diagnostics.push(problem);
  };
  const file = buildFile({ source, report }, tree, (node) => isWhole(node, mistakes));
  return { source, file, diagnostics };
}

/** Building it takes some 30 ms, parsing resets it: one for all. */
const GRAMMAR = new PolicyGrammar();

/** More than are shown per file, because several can fall on one line. */
const ERRORS_EXPLAINED_MAX = 200;

/** Whether a node was read to its end and no token in it was stumbled over (`mistakes`: sorted offsets). */
function isWhole(node: CstNode, mistakes: readonly number[]): boolean {
  if (node.recoveredNode === true || node.location === undefined) return false;
  const { startOffset, endOffset } = node.location;
  if (Number.isNaN(startOffset) || endOffset === undefined) return false;
  let low = 0;
  let high = mistakes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (mistakes[middle]! < startOffset) low = middle + 1;
    else high = middle;
  }
  return low === mistakes.length || mistakes[low]! > endOffset;
}
