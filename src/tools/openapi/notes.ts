/** Something of a document that routes cannot say, and where it stands. */
export interface Note {
  readonly what: string;
  /** Operations (`GET /orders`) or other places; empty when it is about the document as a whole. */
  readonly where: readonly string[];
}

/** Gathers what is not carried over: the same thing at many places is one note. */
export class Notes {
  readonly #places = new Map<string, string[]>();

  add(what: string, where?: string): void {
    const places = this.#places.get(what) ?? [];
    this.#places.set(what, places);
    if (where !== undefined && !places.includes(where)) places.push(where);
  }

  list(): readonly Note[] {
    return Array.from(this.#places, ([what, where]) => ({ what, where }));
  }
}
