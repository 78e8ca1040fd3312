import { assert, unreachable } from '../../src/base/assert.ts';

/** The notation of grammar/portunus.ebnf as trees, for the diagrams and for tests that make random sentences. */
export type Form =
  | { readonly kind: 'word'; readonly text: string }
  /** Another rule, or a token such as TEXT. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'row'; readonly parts: readonly Form[] }
  | { readonly kind: 'choice'; readonly options: readonly Form[] }
  | { readonly kind: 'optional'; readonly inner: Form }
  | { readonly kind: 'repeated'; readonly inner: Form };

export interface Grammar {
  readonly rules: ReadonlyMap<string, Form>;
  /** What each token is, in words. */
  readonly tokens: ReadonlyMap<string, string>;
}

/** Reads the file; anything that is not of this notation is a thrown sentence (the file is ours). */
export function readEbnf(text: string): Grammar {
  const rules = new Map<string, Form>();
  const tokens = new Map<string, string>();
  const bare = text.replaceAll(/\(\*[\s\S]*?\*\)/g, '');
  for (const [, name, body] of bare.matchAll(/([A-Za-z]+)\s*=\s*((?:\?[^?]*\?|"[^"]*"|[^;"])*);/g)) {
    const inWords = /^\?([\s\S]*)\?$/.exec(body!.trim());
    if (inWords === null) rules.set(name!, new BodyReader(body!).read());
    else tokens.set(name!, inWords[1]!.replaceAll(/\s+/g, ' ').trim());
  }
  return { rules, tokens };
}

class BodyReader {
  readonly #pieces: readonly string[];
  #at = 0;

  constructor(body: string) {
    this.#pieces = body.match(/"[^"]*"|[A-Za-z]+|\S/g) ?? [];
  }

  read(): Form {
    const form = this.#choice();
    assert(this.#at === this.#pieces.length, `the grammar has a stray ${this.#pieces[this.#at]}`);
    return form;
  }

  #choice(): Form {
    const options = [this.#row()];
    while (this.#pieces[this.#at] === '|') {
      this.#at++;
      options.push(this.#row());
    }
    return options.length === 1 ? options[0]! : { kind: 'choice', options };
  }

  #row(): Form {
    const parts: Form[] = [];
    for (let next = this.#pieces[this.#at]; next !== undefined && !/^[|)\]}]$/.test(next); ) {
      parts.push(this.#part(next));
      next = this.#pieces[this.#at];
    }
    return parts.length === 1 ? parts[0]! : { kind: 'row', parts };
  }

  #part(piece: string): Form {
    this.#at++;
    if (piece.startsWith('"')) return { kind: 'word', text: piece.slice(1, -1) };
    if (piece === '(') return this.#closed(')');
    if (piece === '[') return { kind: 'optional', inner: this.#closed(']') };
    if (piece === '{') return { kind: 'repeated', inner: this.#closed('}') };
    return { kind: 'name', name: piece };
  }

  #closed(end: string): Form {
    const inner = this.#choice();
    assert(this.#pieces[this.#at++] === end, `the grammar misses a ${end}`);
    return inner;
  }
}

/** All forms within one, itself first. */
export function formsIn(form: Form): readonly Form[] {
  return [form, ...innerForms(form).flatMap(formsIn)];
}

function innerForms(form: Form): readonly Form[] {
  switch (form.kind) {
    case 'word':
    case 'name':
      return [];
    case 'row':
      return form.parts;
    case 'choice':
      return form.options;
    case 'optional':
    case 'repeated':
      return [form.inner];
    default:
      return unreachable(form);
  }
}
