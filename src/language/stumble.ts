import type { IToken, TokenType } from 'chevrotain';
import type { Span } from '../diagnostics/source.ts';

/** Where the parser could not go on. */
export interface Stumble {
  /** Null at the end of the file. */
  readonly found: IToken | null;
  readonly previous: IToken | null;
  /** The one before `previous`, and the one behind `found`. */
  readonly earlier: IToken | null;
  readonly next: IToken | null;
  /** Of what was found, or of the last token. */
  readonly span: Span;
  /** What could have stood there. */
  readonly expected: readonly TokenType[];
  readonly startsLine: boolean;
  /** The word that begins the declaration it is in; null before the first. */
  readonly declaration: TokenType | null;
  /** The word that begins the rule it is in. */
  readonly rule: string;
  /** What could have stood in place of the token before. */
  readonly expectedBefore: () => readonly TokenType[];
}

/** `response.status`, whole. Words that are none, such as `Plan`, stand in place of facts too. */
export function factBehind({ source, start }: Span): string {
  return /^\w+(?:\.[A-Za-z][A-Za-z0-9_]*)*/.exec(source.text.slice(start, start + FACT_CHARACTERS_MAX))![0];
}
export const FACT_CHARACTERS_MAX = 100;
