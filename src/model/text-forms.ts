import { SUPPORTED_METHODS } from './methods.ts';

/**
 * The form that a text always has when rules see it, as a finite automaton: whatever it does not take, no request ever has.
 * It may take more than there is (it then says less), never less. Property tests hold it to what the gateway makes of requests.
 */
export interface TextForm {
  /** In words that follow a colon. */
  readonly words: string;
  /** One text of this form. */
  readonly example: string;
  /**
   * The state behind a character, null where none goes on. Some end can be reached from every state; {@link START} stands for
   * the beginning and nothing else.
   */
  readonly next: (state: string, character: string) => string | null;
  readonly isEnd: (state: string) => boolean;
  /** What an author may have meant, nearest first; what comes out need not be of this form. */
  readonly spellings: readonly ((text: string) => string)[];
}

export const START = '';

/** What is asked of a text; `is` compares all of it. */
export type TextQuestion = 'is' | 'contains' | 'starts-with' | 'ends-with' | 'like';

/** Whether a text of the form can answer yes. */
export function canBe(form: TextForm, question: TextQuestion, asked: string): boolean {
  let states: ReadonlySet<string> = new Set([START]);
  if (question === 'contains' || question === 'ends-with') states = reachable(form, states);
  for (const character of asked) {
    const isPattern = question === 'like' && (character === '*' || character === '?');
    if (isPattern && character === '*') states = reachable(form, states);
    else states = isPattern ? afterAny(form, states) : after(form, states, character);
    if (states.size === 0) return false;
  }
  return question === 'contains' || question === 'starts-with' || [...states].some(form.isEnd);
}

/** The states from which and to which any characters lead. */
export function reachable(form: TextForm, from: Iterable<string>): ReadonlySet<string> {
  const found = new Set(from);
  // a set gives also what is added while it is walked
  for (const state of found) for (const next of successors(form, state)) found.add(next);
  return found;
}

function after(form: TextForm, states: Iterable<string>, character: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const state of states) {
    const next = form.next(state, character);
    if (next !== null) found.add(next);
  }
  return found;
}

function afterAny(form: TextForm, states: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const state of states) for (const next of successors(form, state)) found.add(next);
  return found;
}

/** Kept, because a state has a hundred characters to try. */
function successors(form: TextForm, state: string): ReadonlySet<string> {
  let ofForm = SUCCESSORS.get(form);
  if (ofForm === undefined) {
    ofForm = new Map();
    SUCCESSORS.set(form, ofForm);
  }
  let found = ofForm.get(state);
  if (found === undefined) {
    found = new Set(FORM_CHARACTERS.flatMap((character) => form.next(state, character) ?? []));
    ofForm.set(state, found);
  }
  return found;
}
const SUCCESSORS = new WeakMap<TextForm, Map<string, ReadonlySet<string>>>();

/** Visible ASCII: enough to reach every state. */
export const FORM_CHARACTERS: readonly string[] = Array.from({ length: 0x7e - 0x20 }, (_, index) =>
  String.fromCharCode(0x21 + index),
);

/** `gateway/host`: lower case, without port and without the dot at the end; an address of IPv6 in brackets. */
export const HOST_FORM: TextForm = {
  words: 'hosts are in lower case, without scheme, port and path',
  example: 'api.example.org',
  next: (state, character) => {
    if (state === 'bracket') {
      if (character === ']') return 'end';
      return /[0-9a-f:.]/.test(character) ? 'bracket' : null;
    }
    if (state === START && character === '[') return 'bracket';
    if (state === 'label' && character === '.') return 'dot';
    return state !== 'end' && /^[a-z0-9_-]$/.test(character) ? 'label' : null;
  },
  isEnd: (state) => state === 'label' || state === 'end',
  spellings: [
    (text) => text.toLowerCase(),
    (text) =>
      text
        .toLowerCase()
        .replace(/^[a-z]+:\/\//, '')
        .replace(/[/#].*$/, '')
        .replace(/:\d*$/, '')
        .replace(/\.$/, ''),
  ],
};

/** `gateway/target`: begins with `/`, without dot segments, only such escapes as are needed, in capitals. */
function pathForm(slashes: 'merge' | 'keep'): TextForm {
  return {
    words: 'paths begin with /, are normalised, and have no query',
    example: '/orders/42',
    next: (state, character) => {
      // %00 to %1F are refused
      if (state === '%') return /^[2-9A-F]$/.test(character) ? `%${character}` : null;
      if (state.startsWith('%')) return isEscape(`${state}${character}`) ? 'segment' : null;
      if (character === '/') {
        if (state === '/') return slashes === 'keep' ? '/' : null;
        return state === START || state === 'segment' ? '/' : null;
      }
      if (state === START || !isOfPath(character)) return null;
      if (character === '%') return '%';
      if (character !== '.' || state === 'segment' || state === '/..') return 'segment';
      return state === '/' ? '/.' : '/..';
    },
    isEnd: (state) => state === '/' || state === 'segment',
    spellings: [(text) => normalSpelling(text, slashes)],
  };
}

function normalSpelling(text: string, slashes: 'merge' | 'keep'): string {
  const path = text.replace(/^https?:\/\/[^/]*/, '').replace(/[?#].*$/, '');
  const escaped = path.replace(/[^\x21-\x7e]|["<>[\]^`{|}]/gu, (one) =>
    encodeURIComponent(one.toWellFormed()),
  );
  const normal = escaped.replace(/%[0-9A-Fa-f]{2}/g, (one) => decodeUnreserved(one.toUpperCase()));
  return slashes === 'merge' ? normal.replace(/\/{2,}/g, '/') : normal;
}

export const PATH_FORMS = { merge: pathForm('merge'), keep: pathForm('keep') } as const;

function isOfPath(character: string): boolean {
  return /^[!-~]$/.test(character) && !'"#<>?[\\]^`{|}'.includes(character);
}

/** Unreserved characters are decoded, control characters and the backslash are refused. */
function isEscape(triplet: string): boolean {
  if (!/^%[0-9A-F]{2}$/.test(triplet)) return false;
  const code = Number.parseInt(triplet.slice(1), 16);
  return code >= 0x20 && code !== 0x7f && code !== 0x5c && !isUnreserved(String.fromCharCode(code));
}

function isUnreserved(character: string): boolean {
  return /^[A-Za-z0-9._~-]$/.test(character);
}

function decodeUnreserved(triplet: string): string {
  const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
  return isUnreserved(character) ? character : triplet;
}

/** Each state is what a method begins with. */
export const METHOD_FORM: TextForm = {
  words: 'methods are in capitals, as HTTP has registered them',
  example: 'GET',
  next: (state, character) => (METHOD_BEGINNINGS.has(state + character) ? state + character : null),
  isEnd: (state) => SUPPORTED_METHODS.has(state),
  spellings: [(text) => text.toUpperCase()],
};
const METHOD_BEGINNINGS: ReadonlySet<string> = new Set(
  [...SUPPORTED_METHODS].flatMap((method) =>
    Array.from(method, (_character, index) => method.slice(0, index + 1)),
  ),
);

/** What the schemas call a name. */
export const NAME_FORM: TextForm = {
  words: 'names are lower-case letters and digits, with - _ . between them',
  example: 'list-orders',
  next: (state, character) => {
    if (/^[a-z0-9]$/.test(character)) return 'character';
    return state !== START && /^[._-]$/.test(character) ? 'between' : null;
  },
  isEnd: (state) => state === 'character',
  spellings: [
    (text) => text.toLowerCase(),
    (text) =>
      text
        .trim()
        .toLowerCase()
        .replace(/[^a-z0-9._-]+/g, '-'),
  ],
};

/** HTTP parsers cut blanks from both ends (RFC 9112, 5.1); inside, any character can be. */
export const HEADER_VALUE_FORM: TextForm = {
  words: 'values of headers are read without the blanks around them',
  example: 'gold',
  next: (state, character) => {
    if (character === ' ') return state === START ? null : 'blank';
    return (character < ' ' && character !== '\t') || character === '\x7f' ? null : 'character';
  },
  isEnd: (state) => state !== 'blank',
  spellings: [(text) => text.trim()],
};
