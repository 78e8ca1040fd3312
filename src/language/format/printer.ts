import type { CstNode, IToken, TokenType } from 'chevrotain';
import { assert } from '../../base/assert.ts';
import { Member, SIGN } from '../tokens.ts';
import type { Comments, OwnComment } from './comments.ts';
import {
  BREAK,
  type Document,
  EMPTY_LINE,
  group,
  lineComment,
  ownComment,
  row,
  splitLastComment,
} from './document.ts';
import { LITERAL_STYLES } from './literals.ts';
import { type CstPart, firstToken, isToken, lastToken, partsOf } from './parts.ts';

/** How one rule of the grammar is laid out. */
export type Layout = (printer: Printer, node: CstNode) => Document;

/** Signs that stand close to what is before them, and to what is behind them. */
const CLOSE_BEFORE: ReadonlySet<TokenType> = new Set([SIGN[','], SIGN[')'], SIGN[']'], SIGN['..'], Member]);
const CLOSE_BEHIND: ReadonlySet<TokenType> = new Set([SIGN['('], SIGN['['], SIGN['..']]);

/** A part of a file with the comments around it taken out, so that they break no line of it. */
export interface Item {
  readonly before: readonly OwnComment[];
  /** Before the body; an empty line before the comments is said by the first of them. */
  readonly hasEmptyLineBefore: boolean;
  readonly body: Document;
  readonly after: string | null;
}

/** Syntax trees to documents, by a table of layouts. */
export class Printer {
  readonly comments: Comments;
  readonly #layouts: Readonly<Record<string, Layout>>;

  constructor(comments: Comments, layouts: Readonly<Record<string, Layout>>) {
    this.comments = comments;
    this.#layouts = layouts;
  }

  part(part: CstPart): Document {
    if (isToken(part)) return this.token(part);
    const layout = this.#layouts[part.name];
    assert(layout !== undefined, `no layout for ${part.name}`);
    return layout(this, part);
  }

  token(token: IToken): Document {
    return this.spelled(token, token, LITERAL_STYLES.get(token.tokenType)?.(token.image) ?? token.image);
  }

  /** `text` in place of the tokens from `first` to `last`, which have no comments between them. */
  spelled(first: IToken, last: IToken, text: string): Document {
    const { before } = this.comments.takeBefore(first);
    const after = this.comments.takeAfter(last);
    if (before.length === 0 && after === null) return text;
    return row([...before.map((comment) => ownComment(comment.text)), text, ...endOf(after)]);
  }

  /** One behind the other with a blank between, but for signs that stand close. */
  inline(parts: readonly CstPart[]): Document {
    return row(
      parts.flatMap((part, index) => {
        const previous = parts[index - 1];
        const isClose = previous === undefined || standClose(lastToken(previous), firstToken(part));
        return isClose ? [this.part(part)] : [' ', this.part(part)];
      }),
    );
  }

  item(first: CstPart, body: (printer: this) => Document): Item {
    const before = this.comments.takeBefore(firstToken(first));
    const [rest, after] = splitLastComment(body(this));
    return { ...before, body: group(rest), after };
  }

  itemOf(part: CstPart): Item {
    return this.item(part, () => this.part(part));
  }
}

export const inline: Layout = (printer, node) => printer.inline(partsOf(node));

/** A path: nothing stands between its parts. */
export const tight: Layout = (printer, node) => row(partsOf(node).map((part) => printer.part(part)));

/** With its comments, and without regard to empty lines. */
export function documentOf({ before, body, after }: Item): Document {
  return row([...before.map(({ text }) => ownComment(text)), body, ...endOf(after)]);
}

/** Items on lines of their own; at most one empty line between them is kept, none before the first. */
export function linesOf(items: readonly Item[]): Document {
  return row(
    items.flatMap((item, index) => [
      ...(index > 0 ? [BREAK] : []),
      ...commentLines(item.before, index > 0 ? 'keep' : 'drop'),
      ...(item.hasEmptyLineBefore && (index > 0 || item.before.length > 0) ? [EMPTY_LINE] : []),
      item.body,
      ...endOf(item.after),
    ]),
  );
}

/** Comments on lines of their own, with the empty lines between them. */
export function commentLines(
  comments: readonly OwnComment[],
  firstEmptyLine: 'keep' | 'drop',
): readonly Document[] {
  return comments.flatMap(({ text, hasEmptyLineBefore }, index) => [
    ...(hasEmptyLineBefore && (index > 0 || firstEmptyLine === 'keep') ? [EMPTY_LINE] : []),
    ownComment(text),
  ]);
}

export function endOf(comment: string | null): readonly Document[] {
  return comment === null ? [] : [lineComment(comment)];
}

function standClose(before: IToken, behind: IToken): boolean {
  return CLOSE_BEFORE.has(behind.tokenType) || CLOSE_BEHIND.has(before.tokenType);
}
