import type { TokenType } from 'chevrotain';
import { meant, nearest } from '../diagnostics/suggest.ts';
import { AnyWord, KEYWORD_GROUPS, Name, PathHead, WORDS } from './tokens.ts';

/** What may stand at the place of a word that does not fit. */
export interface PlaceOfWord {
  readonly expected: readonly TokenType[];
  /** The word begins a line, so it may be meant as a new rule or declaration. */
  readonly startsLine: boolean;
  /** Whether it stands outside all declarations. */
  readonly isOutside: boolean;
}

/** What a word that fits nowhere was meant to be: a misspelt word of the language, or one of another language. */
export function wordMeant(word: string, place: PlaceOfWord): string | null {
  const words = possibleWords(place);
  const foreign = FOREIGN_WORDS.get(word);
  if (foreign !== undefined && words.has(foreign.split(' ', 1)[0]!)) return foreign;
  return meant(word, words);
}

/** The keyword that a bare name was meant to be, where a fact or a keyword could stand. */
export function keywordMeant(word: string, expected: readonly TokenType[]): string | null {
  const words = namesOf(expected);
  const foreign = FOREIGN_WORDS.get(word);
  return foreign !== undefined && words.includes(foreign.split(' ', 1)[0]!) ? foreign : nearest(word, words);
}

function possibleWords({ expected, startsLine, isOutside }: PlaceOfWord): ReadonlySet<string> {
  const mayBeginRule =
    startsLine && KEYWORD_GROUPS.clause.every((clause) => namesOf(expected).includes(clause));
  return new Set([
    ...namesOf(expected),
    ...expected.flatMap((type) => MEMBERS_OF.get(type) ?? []),
    ...(mayBeginRule ? KEYWORD_GROUPS.rule : []),
    ...(isOutside ? KEYWORD_GROUPS.declaration : []),
  ]);
}

function namesOf(expected: readonly TokenType[]): readonly string[] {
  return expected.map(({ name }) => name).filter((name) => /^[a-z]/.test(name));
}

/** The words of each category, such as all periods; categories of nearly all words say nothing. */
const MEMBERS_OF = membersOfCategories();

function membersOfCategories(): ReadonlyMap<TokenType, readonly string[]> {
  const members = new Map<TokenType, string[]>();
  const open: ReadonlySet<TokenType> = new Set([AnyWord, PathHead, Name]);
  for (const [word, type] of WORDS) {
    for (const category of type.CATEGORIES ?? []) {
      if (!open.has(category)) members.set(category, [...(members.get(category) ?? []), word]);
    }
  }
  return members;
}

/** Words of other policy and programming languages, and what stands for them here. */
const FOREIGN_WORDS: ReadonlyMap<string, string> = new Map([
  ['if', 'when'],
  ['where', 'when'],
  ['unless', 'when not'],
  ['deny', 'forbid'],
  ['block', 'forbid'],
  ['reject', 'forbid'],
  ['allow', 'permit'],
  ['grant', 'permit'],
  ['must', 'require'],
  ['rate', 'limit'],
  ['ratelimit', 'limit'],
  ['equals', 'is'],
  ['eq', 'is'],
  ['ne', 'is not'],
  ['startswith', 'starts with'],
  ['starts_with', 'starts with'],
  ['endswith', 'ends with'],
  ['ends_with', 'ends with'],
  ['includes', 'contains'],
  ['regex', 'matches'],
  ['reason', 'because'],
  ['message', 'because'],
  ['exists', 'is present'],
  ['null', 'absent'],
  ['missing', 'absent'],
  ['doesn', 'does not have'],
  ['isn', 'is not'],
  ['allowed', 'permitted'],
  ['granted', 'permitted'],
  ['denied', 'refused'],
  ['rejected', 'refused'],
  ['blocked', 'refused'],
  ['daily', 'per day'],
  ['weekly', 'per week'],
  ['monthly', 'per month'],
  ['monday', 'mon'],
  ['tuesday', 'tue'],
  ['wednesday', 'wed'],
  ['thursday', 'thu'],
  ['friday', 'fri'],
  ['saturday', 'sat'],
  ['sunday', 'sun'],
]);
