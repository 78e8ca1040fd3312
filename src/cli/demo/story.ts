/** What happens in `portunus demo exhaustion`, and when: pure, so that a seed tells the whole load. */

export interface Story {
  /** Requests a minute that the account of each key has: a token bucket that begins full. */
  readonly rpm: number;
  /** How long calls may wait for a key. */
  readonly queueMs: number;
  readonly chapters: readonly Chapter[];
}

export interface Chapter {
  readonly title: string;
  readonly seconds: number;
  /** Calls a second of the tenant that floods, at the beginning and at the end. */
  readonly from: number;
  readonly to: number;
  /** Happens when it begins. */
  readonly event?: StoryEvent;
}

/** `revoke`: the provider knows one of the keys no more. `renew`: it does again, and a person says so. */
export type StoryEvent = 'revoke' | 'renew';

export const KEYS = ['one', 'two', 'three'] as const;
export const LOST_KEY = 'two';
/** Sends much, and sends the same little all the time. */
export const TENANTS = ['acme', 'globex'] as const;
export type Tenant = (typeof TENANTS)[number];
const STEADY_PER_SECOND = 1;

export const TWO_MINUTES: Story = {
  rpm: 120,
  queueMs: 5_000,
  chapters: [
    { title: 'a quiet morning', seconds: 15, from: 3, to: 3 },
    { title: 'the load rises', seconds: 35, from: 3, to: 16 },
    { title: 'more than the keys can take', seconds: 20, from: 12, to: 12 },
    { title: 'the provider revokes one key', seconds: 15, from: 9, to: 6, event: 'revoke' },
    { title: 'the load falls', seconds: 15, from: 3, to: 1 },
    { title: 'the key is replaced', seconds: 15, from: 2, to: 2, event: 'renew' },
  ],
};

/** The same in some seconds, for tests and the impatient. */
export const FAST: Story = {
  rpm: 60,
  queueMs: 4_000,
  chapters: [
    { title: 'a quiet morning', seconds: 1, from: 6, to: 6 },
    { title: 'the load rises', seconds: 2, from: 20, to: 110 },
    { title: 'more than the keys can take', seconds: 2, from: 40, to: 40 },
    { title: 'the provider revokes one key', seconds: 2, from: 12, to: 6, event: 'revoke' },
    { title: 'the load falls', seconds: 4, from: 0.3, to: 0.3 },
    { title: 'the key is replaced', seconds: 1, from: 2, to: 2, event: 'renew' },
  ],
};

export function lengthMs({ chapters }: Story): number {
  return chapters.reduce((sum, { seconds }) => sum + seconds * 1_000, 0);
}

/** The chapter of a moment, and when it began; the last one for ever. */
export function chapterAt(
  { chapters }: Story,
  atMs: number,
): { readonly chapter: Chapter; readonly startMs: number } {
  let startMs = 0;
  for (const chapter of chapters) {
    const endMs = startMs + chapter.seconds * 1_000;
    if (atMs < endMs || chapter === chapters.at(-1)) return { chapter, startMs };
    startMs = endMs;
  }
  throw new Error('a story has chapters');
}

export interface Arrival {
  readonly atMs: number;
  readonly tenant: Tenant;
}

/** All calls of a story, in order: those of each tenant come as by chance, at the rate of the moment. */
export function arrivalsOf(story: Story, seed: number): readonly Arrival[] {
  const endMs = lengthMs(story);
  const flood = arrivals(endMs, new Dice(seed), 'acme', (atMs) => floodRate(story, atMs));
  const steady = arrivals(endMs, new Dice(seed + 1), 'globex', () => STEADY_PER_SECOND);
  return [...flood, ...steady].sort((one, other) => one.atMs - other.atMs);
}

export function floodRate(story: Story, atMs: number): number {
  const { chapter, startMs } = chapterAt(story, atMs);
  const share = Math.min(1, (atMs - startMs) / (chapter.seconds * 1_000));
  return chapter.from + (chapter.to - chapter.from) * share;
}

/** The time between two calls is exponential, as where many callers don't know of each other. */
function arrivals(endMs: number, dice: Dice, tenant: Tenant, rateAt: (atMs: number) => number): Arrival[] {
  const all: Arrival[] = [];
  for (let atMs = 0; ; ) {
    atMs += (-Math.log(1 - dice.roll()) / rateAt(atMs)) * 1_000;
    if (atMs >= endMs) return all;
    all.push({ atMs, tenant });
  }
}

/** Numbers from 0 up to 1, the same ones for the same seed: mulberry32. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
