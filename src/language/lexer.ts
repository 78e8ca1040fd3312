import { type IToken, Lexer, type TokenType } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText, Span } from '../diagnostics/source.ts';
import { isTimeZone, WEEKDAYS } from '../model/local-time.ts';
import { SUPPORTED_METHODS } from '../model/methods.ts';
import { unknownZone } from './problems/names.ts';
import {
  cannotStand,
  capitals,
  foreignCharacter,
  invisibleCharacter,
  minusNeedsBlanks,
  nestedTooDeeply,
  notANumber,
  notAWord,
  notNormalised,
  unclosedText,
} from './problems/reading.ts';
import { zoneOfCity } from './time-zones.ts';
import {
  BadNumber,
  BadText,
  BadWord,
  ForeignSign,
  KEYWORD,
  LEXED_TOKENS,
  Name,
  NumberLiteral,
  RouteHead,
  SIGN,
  Text,
  tokenGroup,
  WORDS,
  Word,
  ZoneName,
} from './tokens.ts';
import { unitMeant } from './unit-meant.ts';

/** What lexing gives: tokens with start and (exclusive) end, comments for the formatter, and whether all of it is there. */
export interface LexedSource {
  readonly tokens: IToken[];
  readonly comments: readonly IToken[];
  /** Whether the rest of the file was left out because it is nested too deeply. */
  readonly cut: boolean;
}

/**
 * Text to tokens. A token that is nearly right (`Forbid`, `5M`, an unclosed text) is reported and then repaired, so
 * that the parser goes on and finds the mistakes behind it. Where nesting is deeper than `nestingDepthMax` the rest
 * of the file is left out: parser and checker recurse, and their stacks are bounded by this.
 */
export function lex(
  source: SourceText,
  nestingDepthMax: number,
  report: (problem: Diagnostic) => void,
): LexedSource {
  reportInvisible(source, report);
  reportPiecedLetters(source, report);
  const { tokens, groups, errors } = LEXER.tokenize(source.text);
  for (const error of errors) {
    const span = { source, start: error.offset, end: error.offset + error.length };
    const found = source.text.slice(span.start, span.end);
    if (INVISIBLE_ONLY.test(found)) continue;
    report(
      localDate(source, error.offset) ??
        shortTime(source, error.offset) ??
        curlyText(source, error.offset) ??
        foreignCharacter(span, found, null),
    );
  }
  for (const at of tokens.keys()) finishToken(tokens, at, source, report);
  const depth = tooDeep(tokens, nestingDepthMax);
  if (depth !== -1) {
    report(nestedTooDeeply(tokenSpan(tokens[depth]!, source), nestingDepthMax));
    tokens.length = depth;
  }
  return { tokens, comments: groups.comments ?? [], cut: depth !== -1 };
}

export function tokenSpan(token: IToken, source: SourceText): Span {
  return { source, start: token.startOffset, end: token.endOffset! + 1 };
}

/** Checking the tokens themselves takes half of the time that the lexer needs to be ready: a test does it. */
export function newLexer(checks: 'texts' | 'tokens-too'): Lexer {
  return new Lexer([...LEXED_TOKENS], {
    positionTracking: 'onlyOffset',
    ensureOptimizations: true,
    skipValidations: checks === 'texts',
  });
}

const LEXER = newLexer('texts');

/** `31.12.2026`: the second dot is what no token begins with. */
function localDate(source: SourceText, dot: number): Diagnostic | null {
  const start = Math.max(0, dot - '31.12'.length);
  const [written, day = '', month = '', year = ''] =
    /(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\w)/.exec(source.text.slice(start, dot + '.2026'.length + 1)) ?? [];
  if (written === undefined) return null;
  const from = source.text.indexOf(written, start);
  const span = { source, start: from, end: from + written.length };
  return foreignCharacter(span, written, `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`);
}

/** `8:00`: no token begins with the colon. */
function shortTime(source: SourceText, colon: number): Diagnostic | null {
  const [written, hour = '', minute = ''] =
    /(?<![\w:.])(\d{1,2}):(\d{2})(?![\w:])/.exec(source.text.slice(Math.max(0, colon - 2), colon + 4)) ?? [];
  if (written === undefined) return null;
  const start = colon - hour.length;
  const time = `${hour.padStart(2, '0')}:${minute}`;
  return foreignCharacter({ source, start, end: start + written.length }, written, time);
}

/** Quotes as word processors make them. */
function curlyText(source: SourceText, start: number): Diagnostic | null {
  const [written] =
    /^[\u201c-\u201f\u00ab\u2018-\u201b][^\n"]{0,200}?[\u201c-\u201f\u00bb\u2018-\u201b]/.exec(
      source.text.slice(start, start + 202),
    ) ?? [];
  if (written === undefined) return null;
  const instead = `"${written.slice(1, -1)}", in straight double quotes`;
  return foreignCharacter({ source, start, end: start + written.length }, written, instead);
}

/** Bidirectional controls, zero-width and other characters that change or break a line without being seen. */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFFD]|\r(?!\n)/g;
const INVISIBLE_REST = new RegExp(`(?:${INVISIBLE.source})[^\\n]*`, 'g');
const INVISIBLE_ONLY = new RegExp(`^(?:${INVISIBLE.source})+$`);

/** The first of each line: a line shows one diagnostic. */
function reportInvisible(source: SourceText, report: Report): void {
  for (const { index, 0: found } of source.text.matchAll(INVISIBLE_REST)) {
    report(invisibleCharacter({ source, start: index, end: index + 1 }, found.codePointAt(0)!));
  }
}

function reportPiecedLetters(source: SourceText, report: Report): void {
  if (source.text.normalize('NFC') === source.text) return;
  let start = 0;
  for (const line of source.text.split('\n')) {
    if (line.normalize('NFC') !== line) report(notNormalised({ source, start, end: start + line.length }));
    start += line.length + 1;
  }
}

type Report = (problem: Diagnostic) => void;
type Finish = (
  token: IToken,
  span: Span,
  report: Report,
  previous: IToken | undefined,
  beforeThat: IToken | undefined,
) => void;

/** What is still to be decided about a token after its pattern matched. */
const FINISH: ReadonlyMap<TokenType, Finish> = new Map<TokenType, Finish>([
  [
    Word,
    (token, _span, _report, previous, beforeThat) => {
      retype(token, WORDS.get(token.image) ?? Name);
      // behind `default` it is a fact
      const isRule = previous?.tokenType === KEYWORD.route && beforeThat?.tokenType !== KEYWORD.default;
      if (token.tokenType === KEYWORD.to && isRule) retype(previous, RouteHead);
    },
  ],
  [
    BadText,
    (token, span, report) => {
      report(unclosedText(span));
      retype(token, Text);
    },
  ],
  [
    BadNumber,
    (token, span, report) => {
      report(notANumber(span, token.image, numberInstead(token.image)));
      retype(token, NumberLiteral);
      token.image = /^\d+/.exec(token.image)![0];
    },
  ],
  [BadWord, finishBadWord],
  [SIGN['-'], finishMinus],
  [
    ForeignSign,
    (token, span, report) => {
      const sign = FOREIGN_SIGNS[token.image] ?? foreignQuotes(token.image);
      report(foreignCharacter(span, token.image, sign.instead));
      if (sign.type !== null) retype(token, sign.type);
    },
  ],
]);

function finishToken(tokens: readonly IToken[], at: number, source: SourceText, report: Report): void {
  const token = tokens[at]!;
  token.endOffset = token.startOffset + token.image.length - 1;
  const finish = FINISH.get(token.tokenType);
  if (finish !== undefined) finish(token, tokenSpan(token, source), report, tokens[at - 1], tokens[at - 2]);
}

/** `a-b` could be a name of the configuration, and there are no signs of numbers. */
function finishMinus(_token: IToken, span: Span, report: Report): void {
  const { text } = span.source;
  if (!/\s/.test(text[span.start - 1] ?? ' ') || !/[\s#]/.test(text[span.end] ?? ' '))
    report(minusNeedsBlanks(span, dottedHeader(text, span.start)));
}

/** `request.header.x-region`, as its name is written here. */
function dottedHeader(text: string, minus: number): string | null {
  const [, fact, before] =
    /(request\.(?:header|query|parameter|body(?:\.\w+)*?)|\bit(?:\.\w+)*?)\.([\w-]*)$/.exec(
      lineBefore(text, minus),
    ) ?? [];
  return fact === undefined ? null : `${fact}["${before}${/^[\w-]*/.exec(text.slice(minus))![0]}"]`;
}

function lineBefore(text: string, end: number): string {
  return text.slice(text.lastIndexOf('\n', end - 1) + 1, end);
}

function finishBadWord(token: IToken, span: Span, report: Report, previous: IToken | undefined): void {
  const unit = previous?.tokenType === NumberLiteral ? unitMeant(token.image) : undefined;
  if (previous !== undefined && unit !== undefined) {
    const whole = { ...span, start: previous.startOffset };
    report(notANumber(whole, `${previous.image} ${token.image}`, `Write ${previous.image}${unit}.`));
    retype(token, Name);
    return;
  }
  if (previous !== undefined && ZONE_LINKS.has(previous.tokenType) && isTimeZone(token.image)) {
    report(unknownZone(span, token.image, null));
    retype(token, ZoneName);
    return;
  }
  const zone = previous !== undefined && ZONE_LINKS.has(previous.tokenType) ? zoneOfCity(token.image) : null;
  if (zone !== null) {
    report(unknownZone(span, token.image, zone));
    retype(token, ZoneName);
    token.image = zone;
    return;
  }
  report(badWord(token, previous, span));
  retype(token, WORDS.get(token.image.toLowerCase()) ?? Name);
}

function badWord({ image }: IToken, previous: IToken | undefined, span: Span): Diagnostic {
  const lower = image.toLowerCase();
  const [, from, until] = /^([a-z]{3})-([a-z]{3})$/.exec(image) ?? [];
  if (isWeekday(from) && isWeekday(until)) return notAWord(span, image, `Write ${from}..${until}.`);
  if (SUPPORTED_METHODS.has(image)) {
    const isSent = previous?.image === 'when' || previous?.image === 'requests';
    return isSent
      ? cannotStand(span, image, `Write the path behind it, without quotes: \`${image} /orders\`.`)
      : notAWord(span, image, `Write "${image}", in quotes.`);
  }
  if (WORDS.has(lower) || previous?.tokenType === KEYWORD.define) return capitals(span, image, lower);
  const isDefined = new RegExp(`\\bdefine\\s+${lower}\\b`).test(span.source.text);
  return isDefined ? capitals(span, image, lower) : notAWord(span, image, null);
}

function isWeekday(word: string | undefined): boolean {
  return word !== undefined && (WEEKDAYS as readonly string[]).includes(word);
}

function retype(token: IToken, type: TokenType): void {
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx!;
}

/** Signs of other languages: what to write instead, and the token that lets the parser go on. */
const FOREIGN_SIGNS: Readonly<Record<string, { instead: string; type: TokenType | null }>> = {
  '==': { instead: '`is`', type: KEYWORD.is },
  '!=': { instead: '`is not`', type: KEYWORD.is },
  '<>': { instead: '`is not`', type: KEYWORD.is },
  '&&': { instead: '`and`', type: KEYWORD.and },
  '||': { instead: '`or`', type: KEYWORD.or },
  '!': { instead: '`not`', type: KEYWORD.not },
  '//': { instead: '`#` before a comment', type: null },
  ';': { instead: 'nothing: a line break ends nothing either', type: null },
  "'": { instead: '`"` around texts', type: null },
};

function foreignQuotes(image: string): { readonly instead: string; readonly type: TokenType } {
  return { instead: `"${image.slice(1, -1)}", in double quotes`, type: Text };
}

/** `5M` is five million, or five minutes. */
const MAGNITUDES: Readonly<
  Record<string, readonly [zeros: string, name: string, unit: string, what: string]>
> = {
  M: ['_000_000', 'million', 'm', 'minutes'],
  mn: ['_000_000', 'million', 'm', 'minutes'],
  k: ['_000', 'thousand', 'KB', 'kilobytes'],
  K: ['_000', 'thousand', 'KB', 'kilobytes'],
};

const ZONE_LINKS: ReadonlySet<TokenType> = new Set([KEYWORD.in, KEYWORD.zone]);

function numberInstead(image: string): string {
  const match = /^(\d+)([A-Za-z]+)$/.exec(image);
  const magnitude = match === null ? undefined : MAGNITUDES[match[2]!];
  if (match !== null && magnitude !== undefined) {
    const [zeros, name, unit, what] = magnitude;
    const count = match[1]!;
    const units = count === '1' ? what.replace(/s$/, '') : what;
    return `Write ${count}${zeros} for ${count} ${name}, or ${count}${unit} for ${count} ${units}.`;
  }
  const [, hour = '', half = ''] = /^(\d{1,2})([ap])m$/i.exec(image) ?? [];
  if (half !== '')
    return `Write ${String((Number(hour) % 12) + (half.toLowerCase() === 'p' ? 12 : 0)).padStart(2, '0')}:00.`;
  const unit = unitMeant(match?.[2] ?? '');
  if (match !== null && unit !== undefined) return `Write ${match[1]}${unit}.`;
  if (match?.[2] === 'mo')
    return 'A month has no fixed length: write `quota … per month`, or a number of days.';
  return 'Write numbers like 500 or 500_000, with a unit where one is meant: 30s, 5m, 24h, 90 days, 1MiB, 15%.';
}

const OPENING = new Set<TokenType>([SIGN['('], SIGN['[']]);
const CLOSING = new Set<TokenType>([SIGN[')'], SIGN[']']]);

/**
 * Index of the first token nested too deeply, or -1. Quantifiers take all that follows up to the bracket that closes. A
 * brace or a rule begins anew: conditions do not reach over it.
 */
function tooDeep(tokens: readonly IToken[], depthMax: number): number {
  let depth = 0;
  let nots = 0;
  let outer: number[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const type = tokens[index]!.tokenType;
    nots = type === KEYWORD.not ? nots + 1 : OPENING.has(type) ? nots : 0;
    if (OPENING.has(type)) outer.push(depth++);
    else if (CLOSING.has(type)) depth = outer.pop() ?? 0;
    else if (type === KEYWORD.of) depth++;
    else if (BEGINS_ANEW.has(type) || tokenGroup(type) === 'rule') {
      depth = 0;
      outer = [];
    }
    if (depth + nots > depthMax) return index;
  }
  return -1;
}

const BEGINS_ANEW = new Set<TokenType>([SIGN['{'], SIGN['}'], KEYWORD.define, KEYWORD.policy]);
