import { load, Schema, Type, YAMLException } from 'js-yaml';
import { plainScalar } from './scalars.ts';

/** js-yaml reads files that are right. It is fast, but knows one error at most and few positions. */
export type FastReading =
  | {
      readonly kind: 'read';
      readonly value: unknown;
      /** Only scalars, sequences and maps with simple keys: nothing on which two YAML readers have ever differed. */
      readonly style: 'plain' | 'exotic';
      readonly places: DefinitionPlaces;
    }
  | { readonly kind: 'failed'; readonly reason: string; readonly offset: number };

/** `line:column` of definitions by their path joined with NUL: see {@link placeKey}. */
export type DefinitionPlaces = ReadonlyMap<string, string>;

export function readFast(text: string, nestingDepth: number): FastReading {
  const observer = new Observer();
  try {
    const value: unknown = load(text, {
      schema: SCHEMA,
      // js-yaml tries a scalar as the key of a map one level deeper, so it needs one level more than the file has.
      maxDepth: nestingDepth + 1,
      listener: (event: 'open' | 'close', state: unknown) => observer.observe(event, state as ReaderState),
    } as Parameters<typeof load>[1]);
    const style = observer.exotic || EXOTIC_TEXT.test(text) ? 'exotic' : 'plain';
    return { kind: 'read', value: value ?? null, style, places: observer.places };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return { kind: 'failed', reason: error.reason, offset: error.mark?.position ?? 0 };
  }
}

export function placeKey(path: readonly (string | number)[]): string {
  return path.join('\u0000');
}

/** js-yaml says this when `maxDepth` is exceeded. */
export function isNestingFailure(reason: string): boolean {
  return reason.startsWith('nesting exceeded');
}

const PLAIN_TAG = 'tag:portunus,2026:plain';
const SCHEMA = new Schema({
  implicit: [
    new Type(PLAIN_TAG, {
      kind: 'scalar',
      resolve: (data: unknown) => typeof data === 'string' && typeof plainScalar(data) !== 'string',
      construct: (data: string) => plainScalar(data),
    }),
  ],
  explicit: [],
});

/** Directives, document marks, tabs, explicit keys, collections used as keys, block scalars, comments without a blank. */
const EXOTIC_TEXT = /^(?:%|---|\.\.\.)|\t|(?:^|[\s[{,-])\?(?:\s|$)|[\]}]\s*:|["'[\]{},]#|(?:^|\s)[|>]/m;

/** The part of js-yaml's state that its listener may look at; its type declaration lacks half of it. */
interface ReaderState {
  readonly input: string;
  readonly depth: number;
  readonly line: number;
  readonly lineStart: number;
  readonly position: number;
  readonly kind: 'scalar' | 'sequence' | 'mapping' | null;
  readonly tag: string | null;
  readonly anchor: string | null;
  result: unknown;
}

/** Definitions lie at the third level (`routes: {name}`) and, for consumers, at the fifth. */
const DEFINITION_LEVEL = 3;
const CONSUMER_LEVEL = 5;
const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;
const HASH = 0x23;
const BLANK = 0x20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Notes where definitions begin and whether the file uses features beyond maps, sequences and scalars. Between the
 * name of a map entry and the names inside its value no other scalar of the entry's level closes, so the last scalar
 * of each level is the path.
 */
class Observer {
  readonly places = new Map<string, string>();
  exotic = false;
  readonly #names: string[] = [];
  readonly #lines: number[] = [];
  readonly #columns: number[] = [];
  /** By js-yaml's depth: which level it is, and where its text begins. */
  readonly #levels: number[] = [0];
  readonly #contents: number[] = [-1];
  readonly #openedAt: number[] = [0];

  observe(event: 'open' | 'close', state: ReaderState): void {
    if (event === 'open') {
      this.#open(state);
      return;
    }
    this.#close(state);
    // Lists that js-yaml grew have room for seventeen; most of a large project have one item, and are kept.
    if (Array.isArray(state.result) && state.anchor === null) state.result = state.result.slice();
  }

  /** A map in braces that begins a line is first tried as the name of a block map: then two depths are one level. */
  #open({ depth, input, line, position, lineStart }: ReaderState): void {
    const isTrial = input.charCodeAt(position) === OPENING_BRACE && this.#contents[depth - 1] === position;
    const level = this.#levels[depth - 1]! + (isTrial ? 0 : 1);
    this.#levels[depth] = level;
    this.#openedAt[depth] = line;
    this.#contents[depth] = contentAt(input, position);
    if (level > CONSUMER_LEVEL) return;
    this.#lines[level] = line + 1;
    this.#columns[level] = position - lineStart + 1;
  }

  #close(state: ReaderState): void {
    const { depth, kind, line, tag, anchor, result } = state;
    const isAlias = kind === null && result !== null;
    const isTagged = tag !== null && tag !== '?' && tag !== PLAIN_TAG;
    const hasLines = kind === 'scalar' ? line !== this.#openedAt[depth] : this.#isFlowOverLines(state);
    if (isAlias || isTagged || hasLines || anchor !== null) this.exotic = true;
    const level = this.#levels[depth]!;
    if (level > CONSUMER_LEVEL || kind !== 'scalar' || typeof result !== 'string') return;
    this.#names[level] = result;
    if (level === DEFINITION_LEVEL) this.#note([this.#names[2]!, result], level);
    else if (level === CONSUMER_LEVEL && this.#names[4] === 'consumers') {
      this.#note([this.#names[2]!, this.#names[3]!, 'consumers', result], level);
    }
  }

  /** js-yaml takes lines of a list in brackets that are indented no deeper than its name; YAML 1.2 (§7.4) does not. */
  #isFlowOverLines({ depth, input, position }: ReaderState): boolean {
    const from = this.#contents[depth]!;
    const first = input.charCodeAt(from);
    if (first !== OPENING_BRACE && first !== OPENING_BRACKET) return false;
    for (let at = from; at < position; at++) {
      const code = input.charCodeAt(at);
      if (code === LINE_FEED || code === CARRIAGE_RETURN) return true;
    }
    return false;
  }

  #note(path: readonly string[], level: number): void {
    this.places.set(placeKey(path), `${this.#lines[level]}:${this.#columns[level]}`);
  }
}

/** The next character that is neither blank nor comment. */
function contentAt(input: string, from: number): number {
  let at = from;
  for (;;) {
    const code = input.charCodeAt(at);
    if (code === HASH) at = input.indexOf('\n', at);
    else if (code !== BLANK && code !== LINE_FEED && code !== CARRIAGE_RETURN) return at;
    if (at === -1) return input.length;
    at++;
  }
}
