/** What generated code asks whether a text is one of many. */
interface Texts {
  has(text: unknown): boolean;
}

/**
 * A set of up to so many texts is a perfect hash: what a request brings was just cut out of it and has no hash yet, which a
 * `Set` would make over all of its characters (`bench/RESULTS.md`). Beyond, a perfect hash takes milliseconds to find.
 */
const HASHED_MAX = 128;

/** Made when it is first asked: of ten thousand routes few are, and a perfect hash takes up to some milliseconds to find. */
export class TextSet implements Texts {
  readonly #texts: readonly string[];
  #found: Texts | null = null;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  has(text: unknown): boolean {
    this.#found ??= textsOf(this.#texts);
    return this.#found.has(text);
  }
}

/** A perfect hash where one is found, else a `Set`. */
export function textsOf(texts: readonly string[]): Texts {
  return (texts.length <= HASHED_MAX ? HashedTexts.of([...new Set(texts)]) : null) ?? new Set(texts);
}

/** Indexes of the characters that are hashed; negative ones count from the end. */
type Places = readonly [number, number, number];
/** Where texts of one list differ most is at their ends, then where they begin. */
const PLACES = [-1, 0, -2, 1, -3, 2, -4, 3, -5, 4] as const;

/** Every text has a slot of its own; the multiplier of its bucket was chosen so that it does (hash and displace). */
class HashedTexts implements Texts {
  readonly #lengthMin: number;
  readonly #lengthMax: number;
  readonly #first: number;
  readonly #second: number;
  readonly #third: number;
  readonly #multipliers: Int32Array;
  readonly #slots: readonly string[];
  /** Slots are chosen by the upper bits. */
  readonly #shift: number;

  private constructor(
    texts: readonly string[],
    [first, second, third]: Places,
    multipliers: Int32Array,
    slots: readonly string[],
  ) {
    this.#lengthMin = shortest(texts);
    this.#lengthMax = Math.max(...texts.map((text) => text.length));
    this.#first = first;
    this.#second = second;
    this.#third = third;
    this.#multipliers = multipliers;
    this.#slots = slots;
    this.#shift = 32 - Math.log2(slots.length);
  }

  /** Null where three characters don't tell the texts apart, or no multiplier was found. */
  static of(texts: readonly string[]): HashedTexts | null {
    const hashed = placesFor(texts);
    if (hashed === null) return null;
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, texts.length * 2)));
    const shift = 32 - Math.log2(size);
    const multipliers = new Int32Array(size / 2).fill(1);
    const slots = new Array<string>(size).fill('');
    for (const [bucket, hashes] of bucketsOf(hashed.hashes, multipliers.length)) {
      const multiplier = multiplierFor([...hashes.keys()], shift, slots);
      if (multiplier === null) return null;
      multipliers[bucket] = multiplier;
      for (const [hash, text] of hashes) slots[Math.imul(hash, multiplier) >>> shift] = text;
    }
    return new HashedTexts(texts, hashed.places, multipliers, slots);
  }

  has(text: unknown): boolean {
    if (typeof text !== 'string') return false;
    // what is shorter has no such places, and '' stands in free slots
    if (text.length < this.#lengthMin || text.length > this.#lengthMax) return false;
    const hash = hashOf(text, this.#first, this.#second, this.#third);
    const multiplier = this.#multipliers[hash & (this.#multipliers.length - 1)]!;
    return this.#slots[Math.imul(hash, multiplier) >>> this.#shift] === text;
  }
}

/** The text must be long enough to have all places. */
function hashOf(text: string, first: number, second: number, third: number): number {
  const { length } = text;
  const hash =
    Math.imul(text.charCodeAt(first < 0 ? length + first : first), 0x9e37_79b1) +
    Math.imul(text.charCodeAt(second < 0 ? length + second : second), 0x85eb_ca77) +
    Math.imul(text.charCodeAt(third < 0 ? length + third : third), 0xc2b2_ae3d) +
    Math.imul(length, 0x27d4_eb2f);
  return (hash ^ (hash >>> 15)) | 0;
}

interface Hashed {
  readonly places: Places;
  readonly hashes: ReadonlyMap<number, string>;
}

/** The first places at which no two texts have the same hash. */
function placesFor(texts: readonly string[]): Hashed | null {
  const length = shortest(texts);
  const places = PLACES.filter((place) => (place < 0 ? -place : place + 1) <= length);
  for (const [first, second, third] of triplesOf(places)) {
    const hashes = new Map(texts.map((text) => [hashOf(text, first, second, third), text]));
    if (hashes.size === texts.length) return { places: [first, second, third], hashes };
  }
  return null;
}

function triplesOf(places: readonly number[]): Places[] {
  return places.flatMap((third, to) =>
    places
      .slice(0, to + 1)
      .flatMap((second, at) => places.slice(0, at + 1).map((first): Places => [first, second, third])),
  );
}

function shortest(texts: readonly string[]): number {
  return Math.min(...texts.map((text) => text.length));
}

/** Full ones first: they are the hardest to place. */
function bucketsOf(hashes: ReadonlyMap<number, string>, count: number): [number, Map<number, string>][] {
  const buckets = new Map<number, Map<number, string>>();
  for (const [hash, text] of hashes) {
    const bucket = hash & (count - 1);
    const others = buckets.get(bucket);
    if (others === undefined) buckets.set(bucket, new Map([[hash, text]]));
    else others.set(hash, text);
  }
  return [...buckets].sort(([, a], [, b]) => b.size - a.size);
}

const MULTIPLIERS_TRIED = 1_024;

/** One that sends all hashes of a bucket to slots that are free. */
function multiplierFor(hashes: readonly number[], shift: number, slots: readonly string[]): number | null {
  for (let tried = 0; tried < MULTIPLIERS_TRIED; tried++) {
    const multiplier = Math.imul(tried, 0x9e37_79b2) | 1;
    const wanted = hashes.map((hash) => Math.imul(hash, multiplier) >>> shift);
    const isFree = wanted.every((slot, at) => slots[slot] === '' && wanted.indexOf(slot) === at);
    if (isFree) return multiplier;
  }
  return null;
}
