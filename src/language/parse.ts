import { type CstNode, EOF, type IToken } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText } from '../diagnostics/source.ts';
import type { PolicyFileNode } from './ast.ts';
import { FileBuilder } from './build/file.ts';
import { PolicyGrammar } from './grammar/policies.ts';
import { type LexedSource, lex, tokenSpan } from './lexer.ts';
import { boundedReport } from './problems/problem.ts';
import { languageLine } from './problems/reading.ts';
import { explainSyntaxError } from './syntax-errors.ts';
import { beginsDeclaration, KEYWORD } from './tokens.ts';

/** One file as read, without any knowledge of the project: depends on its text alone, so it can be kept. */
export interface ParsedPolicyFile {
  readonly source: SourceText;
  readonly file: PolicyFileNode;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Text to AST. Never throws, whatever the text; every mistake is a diagnostic, and what holds one is left out.
 * `nestingDepthMax` is the limit `nestingDepth`.
 *
 * The file is parsed and built declaration by declaration: trees die young (a 1 MB file in one tree spends a third
 * of its time in the garbage collector), and a mistake cannot reach beyond its policy.
 */
export function parsePolicyFile(source: SourceText, nestingDepthMax: number): ParsedPolicyFile {
  return readDeclarations(source, nestingDepthMax, () => {});
}

/** As {@link parsePolicyFile}, for who wants to see the trees and tokens on the way. */
export function readDeclarations(
  source: SourceText,
  nestingDepthMax: number,
  onDeclaration: (tree: CstNode) => void,
): ParsedPolicyFile & Pick<LexedSource, 'tokens' | 'comments'> {
  const diagnostics: Diagnostic[] = [];
  const report = boundedReport(diagnostics);
  const { tokens, comments, cut } = lex(source, nestingDepthMax, report);
  const builder = new FileBuilder({ source, report });
  const starts = declarationStarts(tokens);
  if (starts[0] !== 0 || tokens[0]?.tokenType !== KEYWORD.language)
    report(languageLine(firstSpan(source, tokens), null));
  starts.forEach((start, index) => {
    // nobody reads further than this many mistakes, and recovering from each costs more than reading what is right
    if (report.isFull()) return;
    const end = starts[index + 1] ?? tokens.length;
    const { tree, mistakes, grammar } = readDeclaration(tokens.slice(start, end));
    for (const mistake of mistakes) {
      // where the file was cut, its sudden end is no mistake of the author
      if (cut && end === tokens.length && mistake.token.tokenType === EOF) continue;
      if (!report.isFull()) report(explainSyntaxError(mistake, { source, tokens, end }, grammar));
    }
    // nothing where there are too many mistakes to go on
    if (tree === undefined) return;
    builder.add(tree, wholeness(mistakes.map(({ token }) => token.startOffset)));
    onDeclaration(tree);
  });
  return { source, file: builder.finish(), diagnostics, tokens, comments };
}

/** One that stops at a mistake reads what is right; what is wrong is read again by one that goes on behind it. */
function readDeclaration(tokens: IToken[]) {
  const tree = readWith(grammarThatStops, tokens);
  if (grammarThatStops.errors.length === 0) return { tree, mistakes: [], grammar: grammarThatStops };
  grammarThatRecovers ??= new PolicyGrammar('recovers');
  const recovered = readWith(grammarThatRecovers, tokens);
  return { tree: recovered, mistakes: grammarThatRecovers.errors, grammar: grammarThatRecovers };
}

function readWith(grammar: PolicyGrammar, tokens: IToken[]): CstNode | undefined {
  grammar.input = tokens;
  return grammar.Declaration();
}

/** Building one takes some 20 ms, new input resets it: one for all. */
const grammarThatStops = new PolicyGrammar('stops');
let grammarThatRecovers: PolicyGrammar | null = null;

/** Indexes of the tokens that begin a declaration. */
function declarationStarts(tokens: readonly IToken[]): readonly number[] {
  return tokens.flatMap((_, index) => (beginsDeclaration(tokens, index) ? [index] : []));
}

function firstSpan(source: SourceText, [first]: readonly IToken[]) {
  return first === undefined
    ? { source, start: 0, end: Math.min(1, source.text.length) }
    : tokenSpan(first, source);
}

/** Tells whether a node was read to its end and no token in it was stumbled over (at `offsets`). */
function wholeness(offsets: readonly number[]): (node: CstNode) => boolean {
  // an end that came too soon has no offset; its nodes are marked by the parser
  const mistakes = offsets.filter((offset) => !Number.isNaN(offset)).sort((a, b) => a - b);
  return (node) => {
    if (node.recoveredNode === true || node.location === undefined) return false;
    const { startOffset, endOffset } = node.location;
    if (Number.isNaN(startOffset) || endOffset === undefined) return false;
    const next = mistakes[firstAtLeast(mistakes, startOffset)];
    return next === undefined || next > endOffset;
  };
}

function firstAtLeast(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
