/** Regular expressions of an author in masks: each has a longest text, so that no more of a stream is held back than that. */
import { assert } from '../../base/assert.ts';
import { type PlaceFinder, placeFinder, textLengths } from '../regex.ts';
import type { Found, Recogniser, RecogniserOf } from './recogniser.ts';

/** One for all texts: it remembers nothing. */
export function patternRecogniser(source: string): RecogniserOf {
  const lengths = textLengths(source);
  assert(lengths !== null, 'a pattern of a mask has a longest text');
  const pattern = new Pattern(placeFinder(source), lengths.most);
  return () => pattern;
}

class Pattern implements Recogniser {
  readonly #places: PlaceFinder;
  readonly #unitsMost: number;

  constructor(places: PlaceFinder, unitsMost: number) {
    this.#places = places;
    this.#unitsMost = unitsMost;
  }

  copy(): Recogniser {
    return this;
  }

  /** What begins at a place depends on so many units behind it, and on one more, which `$` and `\\b` look at. */
  scan(text: string, from: number, isEnd: boolean, found: Found): number {
    const decided = isEnd ? text.length : text.length - this.#unitsMost;
    if (from >= decided) return from;
    const placeFrom = this.#places(text);
    let at = from;
    while (at < decided) {
      const place = placeFrom(at);
      if (place === null || place.start >= decided) return decided;
      found(place.start, place.end);
      at = place.end;
    }
    return at;
  }
}
