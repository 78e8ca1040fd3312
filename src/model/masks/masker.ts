/** Removes from a text what masks are about, in whatever pieces the text comes. */

import { MASK_KINDS, type Mask } from './kinds.ts';
import { patternRecogniser } from './pattern.ts';
import { Readings } from './readings.ts';
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
      ...kinds.flatMap((kind) => MASK_KINDS[kind].recognisers.map((recogniser) => ({ recogniser, text }))),
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
 * One text on its way, searched in all its readings at once: what is found in any is removed. Places that overlap or touch are
 * removed as one, with the text of the one that begins first (of those that begin together the longest; then by code units), so that
 * nothing depends on the order of rules or the size of pieces. All positions are of what is held, as it was written.
 */
export class MaskedText {
  /** One for each reading that has ever differed from the one before. */
  readonly #searches: Search[];
  #held = '';
  /** Of what is held, has been given out or removed. */
  #past = 0;
  /** Behind the last place that was removed. */
  #removedTo = -1;
  #places: Place[] = [];

  constructor(parts: readonly Part[]) {
    this.#searches = [
      new Search(
        parts.map(({ recogniser, text }) => ({ recogniser: recogniser(), text })),
        parts.map(() => 0),
      ),
    ];
  }

  /** Code units that may yet be removed. */
  get heldUnits(): number {
    return this.#held.length - this.#past;
  }

  /** What may go on: nothing that follows can change it. `isEnd` comes once. */
  push(piece: string, isEnd: boolean): string {
    const written = this.#held === '' ? piece : this.#held + piece;
    const readings = new Readings(written, isEnd);
    const { texts } = readings;
    const searches = this.#searches;
    // up to here one reading was as the other
    while (searches.length < texts.length) searches.push(searches.at(-1)!.copy());
    let decided = written.length;
    for (const [level, search] of searches.entries()) {
      const from = search.scan(texts[level] ?? texts.at(-1)!, isEnd, (start, end, text) => {
        this.#places.push({ start: readings.written(level, start), end: readings.written(level, end), text });
      });
      decided = Math.min(decided, readings.written(level, from));
    }
    decided = readings.whole(decided, 'before');
    const passed = this.#pass(readings, decided);
    this.#forget(readings, decided);
    return passed;
  }

  #pass(readings: Readings, decided: number): string {
    const written = readings.texts[0]!;
    let passed = '';
    if (this.#places.length > 0) {
      for (const place of this.#settled(readings, decided)) {
        if (place.start > this.#removedTo) {
          passed += written.slice(this.#past, place.start) + place.text;
          this.#past = this.#removedTo = place.end;
        } else if (place.end > this.#removedTo) this.#past = this.#removedTo = place.end;
      }
    }
    const from = this.#past;
    if (from >= decided) return passed;
    this.#past = decided;
    return from === 0 && decided === written.length ? written : passed + written.slice(from, decided);
  }

  /** Places as far as they are decided, in order; of those that go on the rest is kept. */
  #settled(readings: Readings, decided: number): Place[] {
    const settled: (Place & { readonly reach: number })[] = [];
    const open: Place[] = [];
    for (const place of this.#places) {
      const { start, end: reach, text } = place;
      if (start >= decided) open.push(place);
      else {
        if (reach > decided) open.push({ start: decided, end: reach, text });
        const from = readings.whole(start, 'from');
        const to = reach > decided ? decided : readings.whole(reach, 'to');
        if (from < to) settled.push({ start: from, end: to, reach, text });
      }
    }
    this.#places = open;
    return settled.sort(inOrder);
  }

  /** Keeps what is undecided, and what stands before it as far as recognisers look back in any reading. */
  #forget(readings: Readings, decided: number): void {
    const written = readings.texts[0]!;
    let cut = decided;
    for (const [level, { from }] of this.#searches.entries())
      cut = Math.min(cut, readings.written(level, Math.max(0, from - LOOKED_BACK)));
    cut = readings.whole(cut, 'before');
    this.#held = cut === 0 ? written : written.slice(cut);
    if (cut === 0) return;
    this.#past -= cut;
    this.#removedTo = Math.max(-1, this.#removedTo - cut);
    const cuts = readings.places(cut);
    for (const [level, search] of this.#searches.entries()) search.forget(cuts[level] ?? cuts.at(-1)!);
    this.#places = this.#places.map(({ start, end, text }) => ({ start: start - cut, end: end - cut, text }));
  }
}

type FoundAs = (start: number, end: number, text: string) => void;

/** One reading of a text, searched for all that is to be removed. */
class Search {
  readonly #parts: readonly { readonly recogniser: Recogniser; readonly text: string }[];
  /** Where each part goes on. */
  readonly #from: number[];
  /** The first of them. */
  from: number;

  constructor(parts: readonly { readonly recogniser: Recogniser; readonly text: string }[], from: number[]) {
    this.#parts = parts;
    this.#from = from;
    this.from = Math.min(...from);
  }

  copy(): Search {
    const parts = this.#parts.map(({ recogniser, text }) => ({ recogniser: recogniser.copy(), text }));
    return new Search(parts, [...this.#from]);
  }

  /** Up to where all is decided. */
  scan(text: string, isEnd: boolean, found: FoundAs): number {
    let decided = text.length;
    for (let at = 0; at < this.#parts.length; at++) {
      const { recogniser, text: instead } = this.#parts[at]!;
      const from = recogniser.scan(text, this.#from[at]!, isEnd, (start, end) => found(start, end, instead));
      this.#from[at] = from;
      if (from < decided) decided = from;
    }
    this.from = decided;
    return decided;
  }

  forget(units: number): void {
    this.from -= units;
    for (let at = 0; at < this.#from.length; at++) this.#from[at]! -= units;
  }
}

function inOrder(one: Place & { readonly reach: number }, other: Place & { readonly reach: number }): number {
  if (one.start !== other.start) return one.start - other.start;
  if (one.reach !== other.reach) return other.reach - one.reach;
  return one.text < other.text ? -1 : one.text > other.text ? 1 : 0;
}

/** Code units before a place that decide whether it is one. */
const LOOKED_BACK = 2;
