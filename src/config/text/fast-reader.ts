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

/** Directives, document marks, tabs, explicit keys, and collections used as keys. */
const EXOTIC_TEXT = /^(?:%|---|\.\.\.)|\t|(?:^|[\s[{,-])\?(?:\s|$)|[\]}]\s*:/m;

/** The part of js-yaml's state that its listener may look at; its type declaration lacks half of it. */
interface ReaderState {
  readonly depth: number;
  readonly line: number;
  readonly lineStart: number;
  readonly position: number;
  readonly kind: 'scalar' | 'sequence' | 'mapping' | null;
  readonly tag: string | null;
  readonly anchor: string | null;
  readonly result: unknown;
}

/** Definitions lie at the third level (`routes: {name}`) and, for consumers, at the fifth. */
const DEFINITION_DEPTH = 3;
const CONSUMER_DEPTH = 5;

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

  observe(event: 'open' | 'close', state: ReaderState): void {
    if (event === 'open') this.#open(state);
    else this.#close(state);
  }

  #open({ depth, line, position, lineStart }: ReaderState): void {
    if (depth > CONSUMER_DEPTH) return;
    this.#lines[depth] = line + 1;
    this.#columns[depth] = position - lineStart + 1;
  }

  #close({ depth, kind, tag, anchor, result }: ReaderState): void {
    const isAlias = kind === null && result !== null;
    if (isAlias || anchor !== null || (tag !== null && tag !== '?' && tag !== PLAIN_TAG)) this.exotic = true;
    if (depth > CONSUMER_DEPTH || kind !== 'scalar' || typeof result !== 'string') return;
    this.#names[depth] = result;
    if (depth === DEFINITION_DEPTH) this.#note([this.#names[2]!, result], depth);
    else if (depth === CONSUMER_DEPTH && this.#names[4] === 'consumers') {
      this.#note([this.#names[2]!, this.#names[3]!, 'consumers', result], depth);
    }
  }

  #note(path: readonly string[], depth: number): void {
    this.places.set(placeKey(path), `${this.#lines[depth]}:${this.#columns[depth]}`);
  }
}
