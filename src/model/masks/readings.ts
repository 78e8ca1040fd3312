/** What a text may mean: as it stands; as JSON that it is; as JSON in a text of that; and so on. */
import { type Escapes, type Side, unescaped } from './inner-escapes.ts';

/** How often escapes are undone: tools that answer with what a tool answered that called one that … */
const LEVELS_MOST = 4;

export class Readings {
  /** As it was written, and with its escapes undone once, twice, …, as long as that changes anything. */
  readonly texts: readonly string[];
  readonly #levels: readonly Escapes[];

  /** `isEnd`: no more of it comes. */
  constructor(written: string, isEnd: boolean) {
    this.texts = [written];
    this.#levels = NO_LEVELS;
    if (!written.includes('\\')) return;
    const texts = [written];
    const levels: Escapes[] = [];
    for (let level = 0; level < LEVELS_MOST; level++) {
      const next = unescaped(texts[level]!, isEnd);
      if (next === null) break;
      texts.push(next.text);
      levels.push(next.escapes);
    }
    this.texts = texts;
    this.#levels = levels;
  }

  /** Where in what was written stands what is at `at` of a reading. */
  written(reading: number, at: number): number {
    let place = at;
    for (let level = Math.min(reading, this.#levels.length) - 1; level >= 0; level--)
      place = this.#levels[level]!.written(place);
    return place;
  }

  /** A position of what was written as one that is within no escape of any reading. */
  whole(at: number, side: Side): number {
    if (this.#levels.length === 0) return at;
    let place = at;
    for (const escapes of this.#levels) place = escapes.meant(place, side);
    return this.written(this.#levels.length, place);
  }

  /** A position that is within no escape, in each reading. */
  places(at: number): number[] {
    const places = [at];
    for (const escapes of this.#levels) places.push(escapes.meant(places.at(-1)!, 'before'));
    return places;
  }
}

const NO_LEVELS: readonly Escapes[] = [];
