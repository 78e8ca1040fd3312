import {
  Composer,
  type CST,
  type Document,
  Lexer,
  type ParsedNode,
  Parser,
  Schema,
  type YAMLParseError,
} from 'yaml';
import { plainScalar } from './scalars.ts';

/** One text as the `yaml` package reads it: slower than js-yaml, with all errors and all positions. */
export interface ComposedText {
  /** Null when the text is nested too deeply to be composed: that is recursive, and would exhaust the stack. */
  readonly document: Document.Parsed<ParsedNode> | null;
  readonly errors: readonly YAMLParseError[];
  /** Offset of the place that is too deep. */
  readonly tooDeepAt: number | null;
  /** Offset of a directive (`%YAML`), if there is one. */
  readonly directiveAt: number | null;
  /** Offset of a second document, if there is one. */
  readonly secondDocumentAt: number | null;
}

export function composeText(text: string, nestingDepth: number): ComposedText {
  const tokens: CST.Token[] = [];
  const tooDeepAt = tokenize(text, nestingDepth, tokens);
  const directiveAt = tokens.find((token) => token.type === 'directive')?.offset ?? null;
  if (tooDeepAt !== null) {
    return { document: null, errors: [], tooDeepAt, directiveAt, secondDocumentAt: null };
  }
  const documents = new Composer(OPTIONS).compose(tokens, true, text.length);
  const document = documents.next().value as Document.Parsed<ParsedNode>;
  const second = documents.next().value as Document.Parsed<ParsedNode> | undefined;
  return {
    document,
    errors: [...document.errors, ...(second?.errors ?? [])],
    tooDeepAt,
    directiveAt,
    secondDocumentAt: second?.range[0] ?? null,
  };
}

/** All tags but one are gone, so that plain scalars mean what `plainScalar` says and every written tag is unknown. */
const OPTIONS = {
  schema: new Schema({
    schema: 'failsafe',
    customTags: (tags) => [
      ...tags,
      {
        tag: 'tag:portunus,2026:plain',
        default: true,
        test: { test: (text: string) => typeof plainScalar(text) !== 'string' } as RegExp,
        resolve: plainScalar,
      },
    ],
  }),
  // Duplicates are found in a set; the package compares each key with each other.
  uniqueKeys: false,
  prettyErrors: false,
  strict: true,
  logLevel: 'silent',
} as const;

/** A sequence of one-entry maps opens two collections a level, `- - -` one; the parser's stack holds little else. */
const STACK_PER_LEVEL = 2;

function tokenize(text: string, nestingDepth: number, tokens: CST.Token[]): number | null {
  const parser = new Parser();
  const stackMax = STACK_PER_LEVEL * (nestingDepth + 2);
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > stackMax) return Math.min(parser.offset, text.length);
  }
  for (const token of parser.end()) tokens.push(token);
  return null;
}
