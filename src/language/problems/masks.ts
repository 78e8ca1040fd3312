import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import { alternatives, problem, shown } from './problem.ts';

/** PT214x: masks that could not do what they say. */

export function unknownMaskKind(span: Span, word: string, kinds: readonly string[]): Diagnostic {
  const near = nearest(word, kinds);
  return problem(
    'PT2140',
    span,
    `\`${shown(word)}\` is nothing that a mask knows.`,
    near === null
      ? `Write ${alternatives(kinds.map((kind) => `\`${kind}\``))}, or \`pattern /…/\` for what is your own.`
      : `Did you mean \`${near}\`?`,
  );
}

export function endlessPattern(span: Span): Diagnostic {
  return problem(
    'PT2141',
    span,
    'This pattern has no longest text, so a stream could never pass.',
    'Say how often at most: `[0-9]{4,12}` instead of `[0-9]+`, `.{0,20}` instead of `.*`.',
  );
}

export function longPattern(span: Span, characters: number, most: number): Diagnostic {
  return problem(
    'PT2141',
    span,
    `This pattern fits texts of up to ${characters} characters, and so much of every stream would be held back; the limit is ${most}.`,
    'Repeat less, or raise limits.maskPatternCharacters in portunus.yaml.',
  );
}

export function emptyPattern(span: Span): Diagnostic {
  return problem(
    'PT2141',
    span,
    'This pattern fits the empty text, which is everywhere.',
    'Write what has to be there at least: `[0-9]{1,12}` instead of `[0-9]{0,12}`.',
  );
}

export function badMaskText(span: Span, most: number): Diagnostic {
  return problem(
    'PT2142',
    span,
    'What stands in the place of what is removed has to fit into every text, JSON within JSON too.',
    `Write up to ${most} visible characters without \`"\` and \`\\\`.`,
  );
}
