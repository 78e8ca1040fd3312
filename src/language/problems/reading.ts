import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { LATER_PARTS } from '../later-words.ts';
import { alternatives, problem, shown } from './problem.ts';

/** PT01xx: the text cannot be read. One factory per code. */

/** `expected` are the things that can stand here, already in words. */
export function unexpected(
  span: Span,
  found: string | null,
  expected: readonly string[],
  suggestion: string | null,
): Diagnostic {
  const help =
    suggestion !== null
      ? `Did you mean \`${suggestion}\`?`
      : expected.length === 0
        ? 'Remove it; what comes next is `define`, `calendar`, `policy`, `test` or another declaration.'
        : `Write ${alternatives(expected)} here.`;
  return cannotStand(span, found, help);
}

export function cannotStand(span: Span, found: string | null, help: string): Diagnostic {
  const what = found === null ? 'The end of the file' : `\`${shown(found)}\``;
  return problem('PT0101', span, `${what} cannot stand here.`, help);
}

const AMOUNTS: Readonly<Record<string, string>> = {
  quota: '10_000 requests per month',
  budget: '$20 per day',
};

/** A clause of a limit, quota or budget that stands before what it counts. */
export function clauseBeforeAmount(span: Span, clause: string, kind: string): Diagnostic {
  const window = AMOUNTS[kind] ?? 'at most 100 requests in any 1m';
  return problem(
    'PT0101',
    span,
    `\`${shown(clause)}\` cannot stand before what the ${shown(kind)} counts.`,
    `Write the amount first, such as \`${window}\`, and \`${shown(clause)}\` behind it.`,
  );
}

export function languageLine(span: Span, found: string | null): Diagnostic {
  return found === null
    ? problem('PT0102', span, 'A policy file begins with its language version.', 'Write `language 1` first.')
    : problem('PT0102', span, `This version reads language 1, not ${shown(found)}.`, 'Write `language 1`.');
}

export function capitals(span: Span, found: string, keyword: string): Diagnostic {
  return problem(
    'PT0103',
    span,
    `"${shown(found)}" is written in lower case.`,
    `Write \`${shown(keyword)}\`.`,
  );
}

export function unclosedText(span: Span): Diagnostic {
  return problem(
    'PT0104',
    span,
    'This text has no closing quote on its line.',
    'Close it with `"`; write a line break inside a text as \\n.',
  );
}

export function reservedName(span: Span, name: string): Diagnostic {
  return problem(
    'PT0105',
    span,
    `"${shown(name)}" is a word of the language and cannot be a defined name.`,
    `Choose another name, such as ${shown(name)}_list.`,
  );
}

export function notInThisVersion(span: Span, found: string): Diagnostic {
  const later = LATER_PARTS.get(found);
  return problem(
    'PT0106',
    span,
    `\`${shown(found)}\` belongs to a later version of the language; this one does not have it.`,
    later === undefined
      ? 'Remove it.'
      : `It comes with ${later.part}. ${later.today ?? 'Remove it until then.'}`,
  );
}

export function mixedAndOr(span: Span, readings: readonly [string, string]): Diagnostic {
  return problem(
    'PT0107',
    span,
    '"and" and "or" are mixed. Add parentheses to say which belongs together.',
    `Write either ${shown(readings[0], READING_CHARACTERS_MAX)}, or ${shown(readings[1], READING_CHARACTERS_MAX)}.`,
  );
}

/** Both readings are the point of the message, so they may be longer than other quotations. */
const READING_CHARACTERS_MAX = 200;

/** `turned`: the condition with its fact first, where that is clear; or a list of names was meant. */
export function literalFirst(
  span: Span,
  found: string,
  meant: { readonly turned: string } | 'list' | 'unclear',
): Diagnostic {
  const help =
    meant === 'list'
      ? `Names are listed with commas: \`route "a", "b"\`. A condition begins with a fact.`
      : meant === 'unclear'
        ? 'Begin with the fact: `route.tags contains "x"` instead of `"x" in route.tags`.'
        : `Begin with the fact: \`${shown(meant.turned)}\`.`;
  return problem('PT0108', span, `A condition cannot begin with ${shown(found)}.`, help);
}

export function saidTwice(span: Span, what: string, first: Span): Diagnostic {
  return problem('PT0109', span, `\`${what}\` is said twice.`, 'Keep one of the two.', [
    { span: first, message: 'said here first' },
  ]);
}

/** What a decoder leaves where bytes are not UTF-8. */
const REPLACEMENT = 0xfffd;
const CARRIAGE_RETURN = 0x0d;

export function invisibleCharacter(span: Span, codePoint: number): Diagnostic {
  if (codePoint === REPLACEMENT) {
    const message = 'The file is not valid UTF-8 here, or holds the character U+FFFD.';
    return problem('PT0110', span, message, 'Save it as UTF-8.');
  }
  if (codePoint === CARRIAGE_RETURN) {
    const message = 'There is a carriage return without a line feed here.';
    return problem('PT0110', span, message, 'Save it with line feeds (LF, or CR LF) as ends of lines.');
  }
  const hex = codePoint.toString(16).toUpperCase().padStart(4, '0');
  return problem(
    'PT0110',
    span,
    `There is an invisible character here (U+${hex}): the text would not be what it looks like.`,
    `Delete it; where a text needs it, write \\u{${hex}}.`,
  );
}

export function foreignCharacter(span: Span, found: string, instead: string | null): Diagnostic {
  return problem(
    'PT0111',
    span,
    `"${shown(found)}" is not part of the language.`,
    instead === null ? 'Remove it; names and texts stand in double quotes.' : `Write ${instead}.`,
  );
}

export function notANumber(span: Span, found: string, instead: string): Diagnostic {
  return problem('PT0112', span, `"${shown(found)}" is not a number.`, instead);
}

export function badEscape(span: Span, found: string): Diagnostic {
  return problem(
    'PT0113',
    span,
    `"${shown(found)}" means nothing in a text.`,
    'The escapes are \\" \\\\ \\n \\{ and \\u{…} with one to six hexadecimal digits.',
  );
}

export function nestedTooDeeply(span: Span, depthMax: number): Diagnostic {
  return problem(
    'PT0114',
    span,
    `Parentheses, "not" and questions about lists are nested more than ${depthMax} deep here; the rest of the file was not read.`,
    'Split the condition into several rules.',
  );
}

export function notNormalised(span: Span): Diagnostic {
  return problem(
    'PT0115',
    span,
    'This line holds letters in two pieces (not Unicode NFC), so equal-looking texts would differ.',
    'Save the file in Unicode normalisation form C.',
  );
}

/** `help`: where it is known what was meant. */
export function notAWord(span: Span, found: string, help: string | null): Diagnostic {
  return problem(
    'PT0116',
    span,
    `${shown(found)} is not a word of the language.`,
    help ?? `Names of the configuration stand in quotes: "${shown(found)}".`,
  );
}

export function selectorInCondition(span: Span, instead: string): Diagnostic {
  return problem(
    'PT0117',
    span,
    'This selects routes and belongs behind `applies to`.',
    `In a condition write ${instead}.`,
  );
}

/** `because "Ask {tenant.name"`: it would be shown as it stands. */
export function openHole(span: Span, found: string): Diagnostic {
  return problem(
    'PT0118',
    span,
    `"{${shown(found)}" has no closing brace, so it would be no fact but plain text.`,
    'Write `}` behind the fact, or \\{ for a plain brace.',
  );
}

export function badHole(span: Span, found: string): Diagnostic {
  return problem(
    'PT0118',
    span,
    `"{${shown(found)}}" is not a fact that a text can show.`,
    'Write a path in the braces, such as {tenant.name}, or \\{ for a plain brace.',
  );
}

/** `meant`: where the hyphen belongs to a name. */
export function minusNeedsBlanks(span: Span, meant: string | null): Diagnostic {
  return problem(
    'PT0120',
    span,
    '`-` takes one value from another and needs a blank on both sides.',
    meant === null
      ? 'Write `a - b`; numbers have no sign, and names with a hyphen stand in quotes.'
      : `Write ${shown(meant)}: names with a hyphen stand in quotes.`,
  );
}

export function unfinished(span: Span, expected: readonly string[]): Diagnostic {
  return problem('PT0119', span, 'Something is missing after this.', `Write ${alternatives(expected)}.`);
}
