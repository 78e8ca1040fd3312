/** Removes from a text what masks are about, in whatever pieces the text comes. */

import { unescaped } from './inner-escapes.ts';
import { MASK_KINDS, type Mask } from './kinds.ts';
import { patternRecogniser } from './pattern.ts';
import type { Recogniser, RecogniserOf } from './recogniser.ts';

interface Part {
  readonly recogniser: RecogniserOf;
  readonly text: string;
}

/** All masks that apply to one side of a request: their union. Made once for each set of masks. */
export class Masker {
  readonly #parts: readonly Part[];

  constructor(masks: readonly Mask[]) {
    this.#parts = masks.flatMap(({ kinds, patterns, text }) => [
      ...kinds.map((kind) => ({ recogniser: MASK_KINDS[kind].recogniser, text })),
      ...patterns.map((pattern) => ({ recogniser: patternRecogniser(pattern), text })),
    ]);
  }

  /** The same text where nothing is removed. */
  mask(text: string): string {
    return new MaskedText(this.#parts).push(text, true);
  }

  /** For a text that comes in pieces. */
  stream(): MaskedText {
    return new MaskedText(this.#parts);
  }
}

interface Place {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * One text on its way. Places that overlap or touch are removed as one, with the text of the one that begins first (of those
 * that begin together the longest; then by code units), so that nothing depends on the order of rules or the size of pieces.
 */
export class MaskedText {
  readonly #parts: readonly { readonly recogniser: Recogniser; readonly text: string }[];
  /** Where each part goes on, as all positions here counted in what is held, as it means. */
  readonly #from: number[];
  /** As it was written. */
  #held = '';
  /** Of what is held, has been given out or removed. */
  #past = 0;
  /** Behind the last place that was removed. */
  #removedTo = -1;
  #places: Place[] = [];

  constructor(parts: readonly Part[]) {
    this.#parts = parts.map(({ recogniser, text }) => ({ recogniser: recogniser(), text }));
    this.#from = parts.map(() => 0);
  }

  /** Code units that may yet be removed. */
  get heldUnits(): number {
    const { places } = unescaped(this.#held, false);
    return this.#held.length - Math.min(placeIn(places, this.#past), this.#held.length);
  }

  /** What may go on: nothing that follows can change it. `isEnd` comes once. */
  push(piece: string, isEnd: boolean): string {
    const written = this.#held === '' ? piece : this.#held + piece;
    const { text, places } = unescaped(written, isEnd);
    let decided = text.length;
    for (let at = 0; at < this.#parts.length; at++) {
      const { recogniser, text: instead } = this.#parts[at]!;
      const from = recogniser.scan(text, this.#from[at]!, isEnd, (start, end) => {
        this.#places.push({ start, end, text: instead });
      });
      this.#from[at] = from;
      if (from < decided) decided = from;
    }
    const source = { written, places };
    const passed = this.#pass(source, decided);
    this.#forget(source, decided);
    return passed;
  }

  #pass(source: Source, decided: number): string {
    if (this.#places.length === 0) {
      const from = this.#past;
      if (from >= decided) return '';
      this.#past = decided;
      return writtenAs(source, from, decided);
    }
    let passed = '';
    const places = this.#places.sort(inOrder);
    let count = 0;
    for (const place of places) {
      if (place.start >= decided) break;
      count++;
      if (place.start > this.#removedTo) {
        passed += writtenAs(source, this.#past, place.start) + place.text;
        this.#past = place.end;
        this.#removedTo = place.end;
      } else if (place.end > this.#removedTo) this.#past = this.#removedTo = place.end;
    }
    this.#places = places.slice(count);
    if (this.#past >= decided) return passed;
    passed += writtenAs(source, this.#past, decided);
    this.#past = decided;
    return passed;
  }

  /** Keeps what is undecided, and what stands before it as far as recognisers look back. */
  #forget({ written, places }: Source, decided: number): void {
    const cut = Math.max(0, decided - LOOKED_BACK);
    this.#held = written.slice(placeIn(places, cut));
    if (cut === 0) return;
    this.#past -= cut;
    this.#removedTo = Math.max(-1, this.#removedTo - cut);
    for (let at = 0; at < this.#from.length; at++) this.#from[at]! -= cut;
    this.#places = this.#places.map(({ start, end, text: instead }) => ({
      start: start - cut,
      end: end - cut,
      text: instead,
    }));
  }
}

interface Source {
  readonly written: string;
  /** See `Unescaped`. */
  readonly places: readonly number[] | null;
}

function writtenAs({ written, places }: Source, from: number, to: number): string {
  const end = placeIn(places, to);
  return from === 0 && end === written.length ? written : written.slice(placeIn(places, from), end);
}

/** Beyond the end, as when a place that was removed is not held any more, positions go on as they are. */
function placeIn(places: readonly number[] | null, at: number): number {
  if (places === null) return at;
  const end = places.length - 1;
  return at <= end ? places[at]! : places[end]! + at - end;
}

function inOrder(one: Place, other: Place): number {
  if (one.start !== other.start) return one.start - other.start;
  if (one.end !== other.end) return other.end - one.end;
  return one.text < other.text ? -1 : one.text > other.text ? 1 : 0;
}

/** Code units before a place that decide whether it is one. */
const LOOKED_BACK = 2;
