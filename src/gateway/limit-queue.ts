/**
 * Requests of one thread that wait for room in limits (language-rules #9). They hold nothing: whose turn it is takes anew, whole.
 * Who waits for the same counters stands in one line: in equal shares of the tenants, by start-time fair queueing (Goyal, Vin,
 * Cheng, 1996), in the order of arrival within one. Whoever has no room yet bars those behind that share one of its counters,
 * and nobody else.
 */
import type { Turns } from '../pipeline/counters.ts';
import type { Wait } from '../pipeline/outcome.ts';

export interface LimitWaiter {
  /** It is its turn: judges the request anew, in this call. */
  wake(): void;
  /** Its time to wait is over. */
  refuse(refusal: Wait['refusal']): void;
}

/** Whose share of a line a request takes. */
interface WaiterPlace {
  readonly tenant: string;
  readonly arrivedMs: number;
}

interface LimitQueueOptions {
  /** Most that wait. */
  readonly waitingMax: number;
  readonly nowMs: () => number;
  readonly later: (delayMs: number, run: () => void) => void;
}

interface Place extends WaiterPlace {
  readonly waiter: LimitWaiter;
  readonly wait: Wait;
  /** Of the counters it waits for. */
  readonly line: string;
  /** When it is to be tried: `wait.atMonotonicMs`, or sooner. */
  atMs: number;
}

interface Line {
  readonly counters: readonly string[];
  virtualTime: number;
  readonly tenants: Map<string, TenantLine>;
}

interface TenantLine {
  /** Where its next request stands in the line. */
  tag: number;
  /** By arrival. */
  readonly places: Place[];
}

/** The next to go of a line. */
interface Head {
  readonly line: Line;
  readonly of: TenantLine;
  readonly place: Place;
}

/** What a request takes of the line; tenants have equal shares. */
const SHARE = 1;
/** No clock is finer, and a turn that nobody can use is not to be followed by another at once. */
const STEP_MS = 1;

export class LimitQueue implements Turns {
  /** Requests that found it full. */
  refused = 0;
  readonly #options: LimitQueueOptions;
  readonly #places = new Map<LimitWaiter, Place>();
  /** By the counters that are waited for. */
  readonly #lines = new Map<string, Line>();
  /** Lines of each counter. */
  readonly #linesOf = new Map<string, Set<Line>>();
  #isServing = false;
  /** When the next turn is due. */
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(options: LimitQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#places.size;
  }

  get areFree(): boolean {
    return this.#places.size === 0 || this.#isServing;
  }

  firstAtMs(counter: string): number {
    const lines = this.#linesOf.get(counter);
    if (lines === undefined) return 0;
    return Math.min(...[...lines].map((line) => headOf(line).place.atMs));
  }

  /** False: too many wait already. */
  enter(waiter: LimitWaiter, wait: Wait, place: WaiterPlace): boolean {
    if (this.#places.size >= this.#options.waitingMax) {
      this.refused++;
      return false;
    }
    const name = wait.counters.join('\n');
    const { tenants } = this.#lineOf(name, wait.counters);
    const own = tenants.get(place.tenant) ?? { tag: 0, places: [] };
    tenants.set(place.tenant, own);
    const atMs = Math.max(wait.atMonotonicMs, this.#options.nowMs() + STEP_MS);
    const entry: Place = { ...place, waiter, wait, line: name, atMs };
    const after = own.places.findIndex(({ arrivedMs }) => arrivedMs > place.arrivedMs);
    own.places.splice(after === -1 ? own.places.length : after, 0, entry);
    this.#places.set(waiter, entry);
    this.#callAt(Math.min(atMs, wait.untilMonotonicMs));
    return true;
  }

  /** It has left, or is answered. */
  forget(waiter: LimitWaiter): void {
    if (this.#places.size === 0) return;
    const place = this.#places.get(waiter);
    if (place === undefined) return;
    this.#remove(place);
    this.#callAt(this.#options.nowMs());
  }

  /** Something that was taken until a request ends has been given back. */
  slotFreed(): void {
    if (this.#places.size === 0) return;
    const nowMs = this.#options.nowMs();
    for (const line of this.#lines.values()) {
      const { place } = headOf(line);
      if (place.wait.room === 'slot') place.atMs = nowMs;
    }
    this.#callAt(nowMs);
  }

  #callAt(atMs: number): void {
    if (this.#isServing || this.#timerAtMs <= atMs) return;
    this.#timerAtMs = atMs;
    const delayMs = Math.max(0, Math.ceil(atMs - this.#options.nowMs()));
    this.#options.later(delayMs, () => {
      // An earlier one was asked for since.
      if (this.#timerAtMs === atMs) this.#turn();
    });
  }

  /** Serves whoever has room, first come first. */
  #turn(): void {
    const nowMs = this.#options.nowMs();
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#endLate(nowMs);
    const barred = new Set<string>();
    const behind = new Set<Line>();
    const heads = [...this.#lines.values()].map(headOf).sort(inOrder);
    for (let head = heads.shift(); head !== undefined; head = heads.shift()) {
      const { line, place } = head;
      const isBehind = line.counters.some((counter) => barred.has(counter));
      if (isBehind) behind.add(line);
      if (isBehind || place.atMs > nowMs || !this.#serve(head)) {
        for (const counter of line.counters) barred.add(counter);
      } else if (this.#lines.get(place.line) === line) insert(heads, headOf(line));
    }
    this.#callForNext(behind);
  }

  /** Whether it has gone; false where it waits on. */
  #serve({ line, of, place }: Head): boolean {
    const start = startTag(line, of);
    this.#remove(place);
    this.#isServing = true;
    try {
      place.waiter.wake();
    } finally {
      this.#isServing = false;
    }
    if (this.#places.has(place.waiter)) return false;
    line.virtualTime = start;
    of.tag = start + SHARE;
    return true;
  }

  #endLate(nowMs: number): void {
    for (const place of [...this.#places.values()]) {
      if (place.wait.untilMonotonicMs > nowMs || this.#isDue(place, nowMs)) continue;
      this.#remove(place);
      const { refusal, atMonotonicMs } = place.wait;
      const retryAfterS = Math.max(1, Math.ceil((atMonotonicMs - nowMs) / 1_000));
      place.waiter.refuse(refusal.retryAfterS === -1 ? refusal : { ...refusal, retryAfterS });
    }
  }

  /** Whether its last moment is also one at which there may be room: it is tried once more. */
  #isDue(place: Place, nowMs: number): boolean {
    const { atMs, wait } = place;
    return (
      atMs <= nowMs && atMs >= wait.untilMonotonicMs && headOf(this.#lines.get(place.line)!).place === place
    );
  }

  /** `behind`: barred by the first of another line, in whose turn they are looked at again. */
  #callForNext(behind: ReadonlySet<Line>): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const line of this.#lines.values())
      if (!behind.has(line)) nextMs = Math.min(nextMs, headOf(line).place.atMs);
    for (const { wait } of this.#places.values()) nextMs = Math.min(nextMs, wait.untilMonotonicMs);
    // Some may have become due while others had their turn.
    if (nextMs !== Number.POSITIVE_INFINITY) this.#callAt(Math.max(nextMs, this.#options.nowMs() + STEP_MS));
  }

  #lineOf(name: string, counters: readonly string[]): Line {
    const known = this.#lines.get(name);
    if (known !== undefined) return known;
    const line: Line = { counters, virtualTime: 0, tenants: new Map() };
    this.#lines.set(name, line);
    for (const counter of counters) {
      const lines = this.#linesOf.get(counter);
      if (lines === undefined) this.#linesOf.set(counter, new Set([line]));
      else lines.add(line);
    }
    return line;
  }

  #remove(place: Place): void {
    this.#places.delete(place.waiter);
    const line = this.#lines.get(place.line)!;
    const own = line.tenants.get(place.tenant)!;
    own.places.splice(own.places.indexOf(place), 1);
    if ([...line.tenants.values()].some(({ places }) => places.length > 0)) return;
    this.#lines.delete(place.line);
    for (const counter of line.counters) {
      const lines = this.#linesOf.get(counter)!;
      lines.delete(line);
      if (lines.size === 0) this.#linesOf.delete(counter);
    }
  }
}

/** Who goes next of a line: of the tenant with the least start tag, or who came first of equals. */
function headOf(line: Line): Head {
  let head: Head | null = null;
  for (const of of line.tenants.values()) {
    const [place] = of.places;
    if (place === undefined) continue;
    const ahead =
      head === null
        ? -1
        : startTag(line, of) - startTag(line, head.of) || place.arrivedMs - head.place.arrivedMs;
    if (ahead < 0) head = { line, of, place };
  }
  return head!;
}

/** A tenant that was away begins where the others are: it has saved nothing up. */
function startTag({ virtualTime }: Line, { tag }: TenantLine): number {
  return Math.max(virtualTime, tag);
}

function inOrder(a: Head, b: Head): number {
  return a.place.arrivedMs - b.place.arrivedMs;
}

function insert(heads: Head[], head: Head): void {
  const after = heads.findIndex((other) => inOrder(other, head) > 0);
  heads.splice(after === -1 ? heads.length : after, 0, head);
}
