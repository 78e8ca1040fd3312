import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../base/ports.ts';
import {
  clock as clockText,
  forecastText,
  frameText,
  lineText,
  type Sight,
  summaryOf,
  summaryText,
} from '../demo/screen.ts';
import { openStage, type Stage } from '../demo/stage.ts';
import {
  type Arrival,
  arrivalsOf,
  chapterAt,
  FAST,
  floodRate,
  LOST_KEY,
  lengthMs,
  type Story,
  TWO_MINUTES,
} from '../demo/story.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { systemClock } from '../run/system-clock.ts';
import { CLOSE_SCREEN, frame, OPEN_SCREEN } from '../screen.ts';

export interface DemoOptions {
  readonly fast?: true;
  readonly seed: number;
  readonly json?: true;
}

/** `portunus demo exhaustion`: what becomes of three keys under a load that they can't take, behind the gateway and behind naive rotation. */
export async function demoExhaustion({ fast, seed, json }: DemoOptions): Promise<ExitCode> {
  const story = fast ? FAST : TWO_MINUTES;
  const clock = systemClock();
  if (!json) process.stdout.write(introduction(story));
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  // From before anything is there to be left behind until nothing is: however often somebody asks.
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    const stage = await openStage(story, seed, clock);
    if (!stage.ok) {
      process.stderr.write(`portunus demo: ${stage.error}\n`);
      return EXIT.couldNotRun;
    }
    await perform(
      stage.value,
      { story, seed, clock, isOver: () => interrupted.signal.aborted },
      json === true,
    );
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, interrupt);
  }
  return EXIT.fine;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** And closes the stage. */
async function perform(stage: Stage, playing: Omit<Playing, 'show'>, json: boolean): Promise<void> {
  const { story, seed } = playing;
  const show = json
    ? NOTHING
    : process.stdout.isTTY
      ? new Screen()
      : new Lines(story === FAST ? 1_000 : 5_000);
  try {
    show.begin();
    const sight = await play(stage, { ...playing, show });
    show.end();
    if (json) {
      const { gateway, naive, news } = sight;
      const summary = { seed, gateway: summaryOf(gateway), naive: summaryOf(naive), news };
      process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
    } else process.stdout.write(`\n${summaryText(sight)}${CLOSING}`);
  } finally {
    show.end();
    await stage.close();
  }
}

function introduction(story: Story): string {
  return [
    `Three keys of a provider, ${story.rpm} requests a minute each, and a load that grows beyond them. The same calls go to Portunus and to a naive`,
    'rotation: the next key with each call, and once the one after it where that is refused. The provider is the bundled mock; nothing leaves this machine.',
    '',
    '',
  ].join('\n');
}

const CLOSING =
  '\nKeys, limits and queue of your own: docs/providers.md. What the keys of a gateway have left: portunus keys pools\n';

interface Show {
  begin(): void;
  see(sight: Sight): void;
  /** More than once does no harm. */
  end(): void;
}

const NOTHING: Show = { begin: () => {}, see: () => {}, end: () => {} };

class Screen implements Show {
  #isOpen = false;

  begin(): void {
    this.#isOpen = true;
    process.stdout.write(OPEN_SCREEN);
  }

  see(sight: Sight): void {
    process.stdout.write(frame(frameText(sight), process.stdout.columns, process.stdout.rows));
  }

  end(): void {
    if (this.#isOpen) process.stdout.write(CLOSE_SCREEN);
    this.#isOpen = false;
  }
}

/** For files and pipes: a line now and then, and each piece of news once. */
class Lines implements Show {
  readonly #everyMs: number;
  #nextMs = 0;
  #told = 0;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  begin(): void {}

  see(sight: Sight): void {
    for (const each of sight.news.slice(this.#told)) process.stdout.write(`${each}\n`);
    this.#told = sight.news.length;
    if (sight.atMs < this.#nextMs) return;
    this.#nextMs = sight.atMs + this.#everyMs;
    process.stdout.write(lineText(sight));
  }

  end(): void {}
}

interface Playing {
  readonly story: Story;
  readonly seed: number;
  readonly clock: Clock;
  readonly show: Show;
  readonly isOver: () => boolean;
}

const STEP_MS = 20;
const LOOK_EVERY_MS = 250;
/** Answers that are still to come when the load has ended. */
const LAST_ANSWERS_MS = 10_000;

/** Until the story is told, or the person has seen enough. */
async function play(stage: Stage, { story, seed, clock, show, isOver }: Playing): Promise<Sight> {
  const arrivals = arrivalsOf(story, seed);
  const endMs = lengthMs(story);
  const startMs = clock.monotonicMs();
  const news = new News(stage);
  let sight = sightOf(stage, story, 0, news, null);
  let next = 0;
  let looksMs = 0;
  for (;;) {
    const atMs = clock.monotonicMs() - startMs;
    next = sendDue(stage, arrivals, next, atMs);
    await news.chapter(story, Math.min(atMs, endMs));
    if (atMs >= looksMs) {
      const seen = await stage.look();
      if (seen !== null) news.seen(seen, atMs);
      sight = sightOf(stage, story, Math.min(atMs, endMs), news, seen?.pool ?? null);
      show.see(sight);
      looksMs = atMs + LOOK_EVERY_MS;
    }
    const isQuiet = stage.gateway.underWay === 0 && stage.naive.underWay === 0;
    if (isOver() || (atMs >= endMs && (isQuiet || atMs >= endMs + LAST_ANSWERS_MS))) return sight;
    await pause(STEP_MS);
  }
}

/** Answers the number of those that are sent. */
function sendDue(stage: Stage, arrivals: readonly Arrival[], from: number, atMs: number): number {
  let next = from;
  for (; next < arrivals.length && arrivals[next]!.atMs <= atMs; next++) stage.call(arrivals[next]!.tenant);
  return next;
}

type Seen = NonNullable<Awaited<ReturnType<Stage['look']>>>;

/** Only what was seen is told: chapters as they begin, alerts of the gateway as it raises them, first times. */
class News {
  readonly told: string[] = [];
  readonly #stage: Stage;
  readonly #known = new Set<string>();
  #chapter = '';
  #isLost = false;
  #waitingLooks = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async chapter(story: Story, atMs: number): Promise<void> {
    const { chapter } = chapterAt(story, atMs);
    if (chapter.title === this.#chapter) return;
    this.#chapter = chapter.title;
    this.#tell(atMs, chapter.title, `— ${chapter.title} —`);
    if (chapter.event !== undefined) await this.#stage.happens(chapter.event);
  }

  seen({ pool, alerts }: Seen, atMs: number): void {
    for (const { severity, message } of alerts) this.#tell(atMs, message, `${severity}: ${message}`);
    const lost = pool.keys.find(({ name }) => name === LOST_KEY)!;
    if (lost.state !== 'active') this.#isLost = true;
    else if (this.#isLost) this.#tell(atMs, 'back', `Portunus: key "${LOST_KEY}" serves again.`);
    const endsInMs = usedUpInMs(pool);
    if (endsInMs !== null && endsInMs > 0)
      this.#tell(atMs, 'forecast', `Portunus forecasts: ${forecastText(endsInMs)}.`);
    const working = pool.keys.reduce((sum, { inFlight }) => sum + inFlight, 0);
    const { gateway, naive } = this.#stage;
    this.#waitingLooks = gateway.underWay > working + WAITING_SEEN ? this.#waitingLooks + 1 : 0;
    if (this.#waitingLooks >= WAITING_LOOKS)
      this.#tell(
        atMs,
        'waiting',
        `Portunus: no key has room; calls wait up to ${pool.queueUpToMs / 1_000} s, in fair shares.`,
      );
    if (gateway.refused > 0)
      this.#tell(
        atMs,
        'refused',
        'Portunus: who would wait longer is answered 429 with Retry-After, and the provider is not called.',
      );
    if (naive.errors > 0) this.#tell(atMs, 'naive', 'naive rotation: the first caller sees an error.');
  }

  #tell(atMs: number, about: string, text: string): void {
    if (this.#known.has(about)) return;
    this.#known.add(about);
    this.told.push(`${clockText(atMs)}  ${text}`);
  }
}

/** By the use of the last minute. */
function usedUpInMs({ usedUp }: Seen['pool']): number | null {
  return usedUp.byCurrentMs === null ? null : usedUp.byCurrentMs - Date.now();
}

/** Calls at the gateway beyond those that are with the provider: fewer are on their way. */
const WAITING_SEEN = 3;
/** Looks in a row that show them: once is what a busy machine makes of calls on their way. */
const WAITING_LOOKS = 2;

function sightOf(stage: Stage, story: Story, atMs: number, news: News, pool: Seen['pool'] | null): Sight {
  return {
    atMs,
    endMs: lengthMs(story),
    chapter: chapterAt(story, atMs).chapter.title,
    rate: floodRate(story, atMs),
    rates: Array.from({ length: Math.floor(atMs / 1_000) + 1 }, (_, second) =>
      floodRate(story, second * 1_000),
    ),
    usedUpInMs: pool === null ? null : usedUpInMs(pool),
    ...stage.sides(pool),
    news: news.told,
  };
}
