import { setTimeout as delay } from 'node:timers/promises';
import { answerQuestions } from '../conversation.ts';
import {
  CONSUMERS,
  COUNTED_ROUTES,
  type CountedRoute,
  machineMs,
  pathOf,
  SENT_HEADER,
  WINDOW_ROUTE,
} from '../crash/counters.ts';
import type { CrashLoadSpec, LoadTally } from '../crash/load.ts';
import { seeded } from '../seeded.ts';
import { Connection } from './connection.ts';

/** Clients of the `crash` bench: the gateway they ask is killed under them, and they ask again when it is back. */
const spec = JSON.parse(process.argv[2]!) as CrashLoadSpec;

/** A gateway that is away is tried again after this. */
const AGAIN_AFTER_MS = 20;
/** A stream that is refused: or two hundred clients that are would leave no time for anything else. */
const STREAM_AGAIN_AFTER_MS = 150;
/** In a row: one refusal may be that of a reservation that is still open. */
const REFUSALS_MIN = 3;

type Asked = Pick<CountedRoute, 'name'>;

let running = false;
let routes = new Map<string, { admitted: number; refused: number }>();
let unexpected = new Map<string, number>();

class Client {
  readonly #connection: Connection;
  readonly #random: () => number;
  readonly #choices: readonly Asked[];
  #asked: Asked | null = null;
  #status = 0;
  #body = '';
  #whenDone: (() => void) | null = null;
  #whenHead: (() => void) | null = null;

  constructor(choices: readonly Asked[], seed: number) {
    this.#choices = choices;
    this.#random = seeded(seed);
    this.#connection = new Connection(spec.port, {
      status: (status) => {
        this.#status = status;
        this.#tellHead();
      },
      body: (part) => {
        if (this.#status !== 200) this.#body += part.toString('latin1');
      },
      end: () => this.#answered(),
      broken: () => this.#done(AGAIN_AFTER_MS),
    });
  }

  get asked(): Asked | null {
    return this.#asked;
  }

  begin(): void {
    const pick = <Value>(values: readonly Value[]): Value =>
      values[Math.floor(this.#random() * values.length)]!;
    this.ask(pick(this.#choices), pick(CONSUMERS));
  }

  ask(route: Asked, consumer: string): void {
    this.#asked = route;
    this.#status = 0;
    this.#body = '';
    this.#connection.send(
      `GET ${pathOf(route, spec.group, consumer)} HTTP/1.1\r\nhost: 127.0.0.1:${spec.port}\r\n` +
        `${SENT_HEADER}: ${machineMs()}\r\nauthorization: Bearer ${spec.keys[consumer]}\r\n\r\n`,
    );
  }

  /** The status of one request; 0 where none came. */
  async askOnce(route: Asked, consumer: string): Promise<number> {
    const done = new Promise<void>((resolve) => {
      this.#whenDone = resolve;
    });
    this.ask(route, consumer);
    await done;
    return this.#status;
  }

  async finish(): Promise<void> {
    if (this.#asked === null) return;
    await new Promise<void>((resolve) => {
      this.#whenDone = resolve;
    });
  }

  /** The head of the answer, or the end of the connection. */
  async head(): Promise<void> {
    if (this.#asked === null || this.#status !== 0) return;
    await new Promise<void>((resolve) => {
      this.#whenHead = resolve;
    });
  }

  halt(): void {
    this.#asked = null;
    this.#connection.close();
  }

  #answered(): void {
    const { name } = this.#asked!;
    const counts = routes.get(name) ?? { admitted: 0, refused: 0 };
    routes.set(name, counts);
    if (this.#status === 200) counts.admitted += 1;
    else if (this.#status === 429) counts.refused += 1;
    else noteUnexpected(`${name}: ${this.#status} ${/"code":"(\w+)"/.exec(this.#body)?.[1] ?? ''}`);
    this.#done(this.#status !== 200 && name === 'held' ? STREAM_AGAIN_AFTER_MS : 0);
  }

  #done(againAfterMs: number): void {
    this.#asked = null;
    this.#tellHead();
    const whenDone = this.#whenDone;
    this.#whenDone = null;
    if (whenDone !== null) whenDone();
    else if (againAfterMs > 0) setTimeout(() => this.#again(), againAfterMs);
    // the connection is still handling the end of the last answer
    else setImmediate(() => this.#again());
  }

  #tellHead(): void {
    this.#whenHead?.();
    this.#whenHead = null;
  }

  #again(): void {
    if (running && this.#asked === null) this.begin();
  }
}

const others: readonly Asked[] = [...COUNTED_ROUTES.filter(({ name }) => name !== 'held'), WINDOW_ROUTE];
const held = COUNTED_ROUTES.filter(({ name }) => name === 'held');
const clients = Array.from(
  { length: spec.clients + spec.streams },
  (_, index) => new Client(index < spec.clients ? others : held, spec.seed + index),
);

answerQuestions({
  begin: () => {
    running = true;
    for (const client of clients) client.begin();
    return null;
  },
  halt: () => {
    running = false;
    const tally = takeTally();
    for (const client of clients) client.halt();
    return tally;
  },
  tally: takeTally,
  quiet: async () => {
    running = false;
    await Promise.all(
      clients.map((client, index) => (index < spec.clients ? client.finish() : client.head())),
    );
    return takeTally();
  },
  finish: async () => {
    running = false;
    await Promise.all(clients.map((client) => client.finish()));
    return takeTally();
  },
  exhaust: async () => {
    await Promise.all(
      COUNTED_ROUTES.flatMap((route) => CONSUMERS.map((consumer) => exhaust(route, consumer))),
    );
    return takeTally();
  },
});

async function exhaust(route: CountedRoute, consumer: string): Promise<void> {
  // One counter for all: one client empties it.
  if (route.keyed === 'in total' && consumer !== CONSUMERS[0]) return;
  const client = new Client([route], 0);
  for (let refusals = 0; refusals < REFUSALS_MIN; ) {
    const status = await client.askOnce(route, consumer);
    refusals = status === 429 ? refusals + 1 : 0;
    if (status === 0) await delay(AGAIN_AFTER_MS);
  }
  client.halt();
}

function takeTally(): LoadTally {
  const outstanding = new Map<string, number>();
  for (const { asked } of clients)
    if (asked !== null) outstanding.set(asked.name, (outstanding.get(asked.name) ?? 0) + 1);
  const tally = {
    routes: Object.fromEntries(routes),
    unexpected: Object.fromEntries(unexpected),
    outstanding: Object.fromEntries(outstanding),
  };
  routes = new Map();
  unexpected = new Map();
  return tally;
}

function noteUnexpected(what: string): void {
  unexpected.set(what, (unexpected.get(what) ?? 0) + 1);
}
