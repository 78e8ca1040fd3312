import type { IToken } from 'chevrotain';

/** A comment on lines of its own. */
export interface OwnComment {
  readonly text: string;
  readonly hasEmptyLineBefore: boolean;
}

/** What stands around one token. */
export interface Surroundings {
  readonly before: readonly OwnComment[];
  /** Between the token and the comments (or the token) before it. */
  readonly hasEmptyLineBefore: boolean;
  /** The comment that ends the token's line. */
  readonly after: string | null;
}

/**
 * Comments and empty lines by the token they belong to: what stands on a line of its own belongs to the token behind it,
 * what ends a line to the token before it.
 */
export class Comments {
  readonly #around = new Map<IToken, Surroundings>();
  /** Comments behind the last token. */
  readonly atEnd: readonly OwnComment[];

  constructor(text: string, tokens: readonly IToken[], comments: readonly IToken[]) {
    let at = 0;
    let end = 0;
    let previous: IToken | null = null;
    const read = (until: number, token: IToken | null): Surroundings => {
      const before: OwnComment[] = [];
      for (; at < comments.length && comments[at]!.startOffset < until; at++) {
        const { image, startOffset } = comments[at]!;
        const gap = text.slice(end, startOffset);
        end = startOffset + image.length;
        if (previous !== null && !gap.includes('\n')) {
          this.#around.set(previous, { ...this.around(previous), after: image.trimEnd() });
        } else before.push({ text: image.trimEnd(), hasEmptyLineBefore: hasEmptyLine(gap) });
        previous = null;
      }
      const hasEmptyLineBefore = hasEmptyLine(text.slice(end, until));
      previous = token;
      end = token === null ? end : token.endOffset! + 1;
      return { before, hasEmptyLineBefore, after: null };
    };
    for (const token of tokens) {
      const around = read(token.startOffset, token);
      if (around.before.length > 0 || around.hasEmptyLineBefore) this.#around.set(token, around);
    }
    this.atEnd = read(text.length, null).before;
  }

  around(token: IToken): Surroundings {
    return this.#around.get(token) ?? NOTHING;
  }

  /** What stands before the token; it is gone then, so that it is printed once. */
  takeBefore(token: IToken): Pick<Surroundings, 'before' | 'hasEmptyLineBefore'> {
    const around = this.around(token);
    if (around !== NOTHING) this.#around.set(token, { ...NOTHING, after: around.after });
    return around;
  }

  takeAfter(token: IToken): string | null {
    const around = this.around(token);
    if (around.after !== null) this.#around.set(token, { ...around, after: null });
    return around.after;
  }
}

const NOTHING: Surroundings = { before: [], hasEmptyLineBefore: false, after: null };

function hasEmptyLine(gap: string): boolean {
  return /\n[ \t\r]*\n/.test(gap);
}
