/**
 * What of a request becomes tokens of its prompt, where all of it is known: texts, and a bound of what the template of a chat writes
 * around them. A count that limits rely on must not be too small, so a request with any member that is not listed here is not
 * counted – tools, images, schemas of answers and whatever comes later are written into prompts in ways that nobody publishes.
 */
import type { JsonDocument, JsonNode } from '../base/json/document.ts';
import type { Operation } from './operations.ts';

export interface PromptTexts {
  /** Each is cut into tokens for itself, as nothing else than a mark stands before and behind it. */
  readonly texts: readonly string[];
  /** The most tokens besides. */
  readonly beside: number;
}

/** Whether prompts of the operation may be counted at all. */
export function isCounted(operation: Operation): boolean {
  return readerOf(operation) !== undefined;
}

/** Null where something in it may make tokens that nobody knows. */
export function promptTexts(document: JsonDocument, operation: Operation): PromptTexts | null {
  const reader = readerOf(operation);
  if (reader === undefined || document.typeOf(document.root) !== 'object') return null;
  const found = new Texts(document);
  found.beside = REQUEST_TOKENS;
  for (const [name, value] of members(document, document.root)) {
    if (reader.silent.has(name) || document.typeOf(value) === 'null') continue;
    const read = reader.read.get(name);
    if (read === undefined || !read(found, value)) return null;
  }
  return { texts: found.texts, beside: found.beside };
}

/** Marks at both ends of a prompt, and those that begin the answer: three that are documented ("Counting tokens for chat completions"). */
const REQUEST_TOKENS = 8;
/** Marks around a message: three that are documented, and one for a name. */
const MESSAGE_TOKENS = 6;

interface Reader {
  /** Members that say how to answer, not what. */
  readonly silent: ReadonlySet<string>;
  readonly read: ReadonlyMap<string, Read>;
}

/** False: it holds more than is known. */
type Read = (found: Texts, value: JsonNode) => boolean;

function readerOf({ dialect, path }: Operation): Reader | undefined {
  return dialect === 'openai' && Object.hasOwn(READERS, path) ? READERS[path] : undefined;
}

const SAMPLING = ['temperature', 'top_p', 'seed', 'stop', 'n', 'logprobs', 'top_logprobs', 'logit_bias'];
const PENALTIES = ['presence_penalty', 'frequency_penalty'];
const DELIVERY = ['model', 'stream', 'stream_options', 'user', 'metadata', 'store', 'service_tier'];
const KEPT = ['safety_identifier', 'prompt_cache_key', 'prompt_cache_retention'];

const READERS: Readonly<Record<string, Reader>> = {
  '/chat/completions': {
    silent: new Set([
      ...[...SAMPLING, ...PENALTIES, ...DELIVERY, ...KEPT],
      ...['max_tokens', 'max_completion_tokens', 'reasoning_effort'],
    ]),
    read: new Map<string, Read>([
      ['messages', (found, value) => found.each(value, (message) => found.message(message))],
    ]),
  },
  '/responses': {
    silent: new Set([
      ...['temperature', 'top_p', 'top_logprobs', ...DELIVERY, ...KEPT],
      ...['max_output_tokens', 'include', 'truncation', 'reasoning'],
    ]),
    read: new Map<string, Read>([
      ['instructions', (found, value) => found.message(value)],
      [
        'input',
        (found, value) =>
          found.isText(value) ? found.message(value) : found.each(value, (message) => found.message(message)),
      ],
    ]),
  },
  '/completions': {
    silent: new Set([...SAMPLING, ...PENALTIES, ...DELIVERY, 'max_tokens', 'best_of', 'echo']),
    read: new Map<string, Read>([['prompt', (found, value) => found.prompts(value)]]),
  },
  '/embeddings': {
    silent: new Set(['model', 'user', 'dimensions', 'encoding_format']),
    read: new Map<string, Read>([['input', (found, value) => found.prompts(value)]]),
  },
};

class Texts {
  readonly texts: string[] = [];
  beside = 0;
  readonly #document: JsonDocument;

  constructor(document: JsonDocument) {
    this.#document = document;
  }

  isText(value: JsonNode): boolean {
    return this.#document.typeOf(value) === 'string';
  }

  /** Whether it is a list whose items are all known. */
  each(list: JsonNode, read: (item: JsonNode) => boolean): boolean {
    const document = this.#document;
    if (document.typeOf(list) !== 'array') return false;
    for (let item = document.first(list); item !== undefined; item = document.next(item))
      if (!read(item)) return false;
    return true;
  }

  /** Its text alone, or an object that says more of it. */
  message(value: JsonNode): boolean {
    const document = this.#document;
    this.beside += MESSAGE_TOKENS;
    if (this.isText(value)) return this.#add(value);
    if (document.typeOf(value) !== 'object') return false;
    for (const [name, member] of members(document, value)) {
      const isNull = document.typeOf(member) === 'null';
      if (name === 'content' ? !(isNull || this.#content(member)) : !this.#said(name, member)) return false;
    }
    return true;
  }

  /** One text, several, or the tokens themselves of one or several. */
  prompts(value: JsonNode): boolean {
    const document = this.#document;
    if (this.isText(value)) return this.#add(value);
    return this.each(value, (item) => {
      this.beside += PROMPT_TOKENS;
      const type = document.typeOf(item);
      if (type === 'string') return this.#add(item);
      if (type === 'number') return true;
      if (type !== 'array') return false;
      this.beside += document.size(item);
      return this.each(item, (token) => document.typeOf(token) === 'number');
    });
  }

  #said(name: string, value: JsonNode): boolean {
    if (name === 'type') return this.isText(value) && this.#document.text(value) === 'message';
    return (name === 'role' || name === 'name') && this.#add(value);
  }

  /** Of several parts nobody says how they are joined, and joined texts may have more tokens than both have. */
  #content(value: JsonNode): boolean {
    const document = this.#document;
    if (this.isText(value)) return this.#add(value);
    if (document.typeOf(value) !== 'array' || document.size(value) !== 1) return false;
    const part = document.first(value)!;
    if (document.typeOf(part) !== 'object') return false;
    for (const [name, member] of members(document, part)) {
      if (!this.isText(member)) return false;
      if (name === 'type' ? !TEXT_TYPES.has(document.text(member)) : name !== 'text' || !this.#add(member))
        return false;
    }
    return true;
  }

  #add(value: JsonNode): boolean {
    if (!this.isText(value)) return false;
    this.texts.push(this.#document.text(value));
    return true;
  }
}

/** A token that is said as such, or the mark before and behind a text. */
const PROMPT_TOKENS = 2;
const TEXT_TYPES: ReadonlySet<string> = new Set(['text', 'input_text', 'output_text']);

function* members(document: JsonDocument, object: JsonNode): Generator<readonly [string, JsonNode]> {
  for (let name = document.first(object); name !== undefined; name = document.next(name))
    yield [document.text(name), document.valueOf(name)];
}
