/** The states of all keys in shared memory, as one thread sees and changes them: single words, each change one compare-and-exchange. */
import {
  afterEvent,
  KEY_EVENT_NAMES,
  KEY_STATE_NAMES,
  KEY_STATES,
  type KeyEvent,
  type KeyState,
  SET_ASIDE,
} from './key-states.ts';
import { KEY_CELLS, type PoolMemory } from './pool-memory.ts';

/** For so long one call at a time goes to a suspect key: who is not refused by then is known, though the answer may take long. */
const PROOF_S = 2;

/** No provider's word of when it gives new credit counts for longer. */
export const CREDIT_WAIT_MAX_MS = 32 * 86_400_000;
/** A word that did not come true is believed again after twice the time, up to this. */
const CREDIT_DOUBT_MAX_S = 86_400;

/** A call that has begun, as its key was then. */
export interface BegunCall {
  /** It is one of few, and shows whether the key is known and has credit. */
  readonly isProof: boolean;
  /** Of a proof: the key had been refused once. */
  readonly wasSuspect: boolean;
  /** Until when it is the only one; 0: it has not set that. */
  readonly dueS: number;
}

const USUAL: BegunCall = { isProof: false, wasSuspect: false, dueS: 0 };

export class KeyHealth {
  readonly #cells: Int32Array;

  constructor(memory: Pick<PoolMemory, 'keys'>) {
    this.#cells = new Int32Array(memory.keys);
  }

  state(key: number): KeyState {
    return KEY_STATE_NAMES[Atomics.load(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.state)]!;
  }

  /** How often the state has changed, and by which event last. */
  changes(key: number): number {
    return Atomics.load(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.changes);
  }

  lastEvent(key: number): KeyEvent {
    return KEY_EVENT_NAMES[Atomics.load(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.event)]!;
  }

  inFlight(key: number): number {
    return Atomics.load(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.inFlight);
  }

  /** How many calls told more use than is believed. */
  doubted(key: number): number {
    return Atomics.load(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.doubted);
  }

  doubt(key: number): void {
    Atomics.add(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.doubted, 1);
  }

  /** Whether a call may go to the key now; of a suspect one, only while no other call proves it. */
  serves(key: number, nowMs: number): boolean {
    const at = key * KEY_CELLS.cells;
    const { serves } = KEY_STATES[KEY_STATE_NAMES[Atomics.load(this.#cells, at + KEY_CELLS.state)]!];
    if (serves === 'none' || this.#isSetAside(key)) return false;
    if (serves === 'all' && Atomics.load(this.#cells, at + KEY_CELLS.tries) === 0) return true;
    return Atomics.load(this.#cells, at + KEY_CELLS.proofDueS) <= nowMs / 1_000;
  }

  /** Calls go to it one at a time: it is suspect, or has new credit, they say. */
  #isTried(key: number, state = this.state(key)): boolean {
    const { serves } = KEY_STATES[state];
    return (
      serves === 'proof' ||
      (serves === 'all' && Atomics.load(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.tries) === 1)
    );
  }

  /** Whether a call may go to the key as soon as another one, which proves it, has ended. */
  isProving(key: number): boolean {
    return this.#isTried(key) && !this.#isSetAside(key);
  }

  /** Until when the one call that proves the key may be refused; 0: none is under way. */
  proofDueMs(key: number): number {
    return Atomics.load(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.proofDueS) * 1_000;
  }

  /** The key with its former secret takes calls only while the key itself is wanted. */
  #isSetAside(key: number): boolean {
    const family = Atomics.load(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.family);
    return family !== 0 && SET_ASIDE.has(this.state(family - 1));
  }

  /** The place of a key with its former secret, and of the key itself. Before any thread hears of it. */
  isFormerOf(place: number, family: number): void {
    Atomics.store(this.#cells, place * KEY_CELLS.cells + KEY_CELLS.family, family + 1);
  }

  /** A call begins, and may be one that proves the key; null: it may not go. */
  begins(key: number, nowMs: number): BegunCall | null {
    const at = key * KEY_CELLS.cells;
    const state = this.state(key);
    if (KEY_STATES[state].serves === 'none' || this.#isSetAside(key)) return null;
    let begun = USUAL;
    if (this.#isTried(key, state)) {
      const due = Atomics.load(this.#cells, at + KEY_CELLS.proofDueS);
      if (due > nowMs / 1_000) return null;
      // of those that go once its time is over, each is a proof
      const dueS = due === 0 ? Math.ceil(nowMs / 1_000) + PROOF_S : 0;
      if (dueS > 0 && Atomics.compareExchange(this.#cells, at + KEY_CELLS.proofDueS, 0, dueS) !== 0)
        return null;
      begun = { isProof: true, wasSuspect: state === 'suspect', dueS };
    }
    Atomics.add(this.#cells, at + KEY_CELLS.inFlight, 1);
    return begun;
  }

  /** Also of a proof that has shown nothing: the next call may be one, unless another is by now. */
  ended(key: number, { dueS }: BegunCall): void {
    const at = key * KEY_CELLS.cells;
    Atomics.sub(this.#cells, at + KEY_CELLS.inFlight, 1);
    if (dueS > 0) Atomics.compareExchange(this.#cells, at + KEY_CELLS.proofDueS, dueS, 0);
  }

  /** Whether it changed anything. */
  happened(key: number, event: KeyEvent): boolean {
    const at = key * KEY_CELLS.cells;
    if (event === 'answered' || event === 'enable' || event === 'replaced') {
      Atomics.store(this.#cells, at + KEY_CELLS.tries, 0);
      Atomics.store(this.#cells, at + KEY_CELLS.creditWaitS, 0);
    }
    for (;;) {
      const before = Atomics.load(this.#cells, at + KEY_CELLS.state);
      const state = afterEvent(KEY_STATE_NAMES[before]!, event);
      const after = KEY_STATE_NAMES.indexOf(state);
      if (before === after) return false;
      // Before any thread sees it active.
      if (event === 'reset') Atomics.store(this.#cells, at + KEY_CELLS.tries, 1);
      if (Atomics.compareExchange(this.#cells, at + KEY_CELLS.state, before, after) !== before) continue;
      Atomics.store(this.#cells, at + KEY_CELLS.proofDueS, 0);
      Atomics.store(this.#cells, at + KEY_CELLS.creditDueS, 0);
      if (event !== 'reset') Atomics.store(this.#cells, at + KEY_CELLS.tries, 0);
      Atomics.store(this.#cells, at + KEY_CELLS.event, KEY_EVENT_NAMES.indexOf(event));
      Atomics.add(this.#cells, at + KEY_CELLS.changes, 1);
      return true;
    }
  }

  /** Its account has no credit. `waitMs`: until there is some, as its provider says; NaN: it does not, and a person has to. */
  ranOut(key: number, waitMs: number, nowMs: number): void {
    if (!this.happened(key, 'out-of-credit') || Number.isNaN(waitMs)) return;
    const at = key * KEY_CELLS.cells;
    const doubted = Math.min(CREDIT_DOUBT_MAX_S, 2 * Atomics.load(this.#cells, at + KEY_CELLS.creditWaitS));
    const waitS = Math.min(CREDIT_WAIT_MAX_MS / 1_000, Math.max(1, doubted, Math.ceil(waitMs / 1_000)));
    Atomics.store(this.#cells, at + KEY_CELLS.creditWaitS, waitS);
    this.giveCreditAt(key, nowMs + waitS * 1_000);
  }

  /** At that moment of the monotonic clock, which may be one of another process; of one that is out of credit. */
  giveCreditAt(key: number, atMs: number): void {
    Atomics.store(
      this.#cells,
      key * KEY_CELLS.cells + KEY_CELLS.creditDueS,
      Math.max(1, Math.ceil(atMs / 1_000)),
    );
  }

  /** When its provider gives new credit, by the monotonic clock; null: it has some, or the provider has not said. Of one that is tried: now. */
  creditAtMs(key: number, nowMs: number): number | null {
    const tries = Atomics.load(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.tries);
    return tries === 1 && this.state(key) === 'active' ? nowMs : this.#creditDueMs(key);
  }

  #creditDueMs(key: number): number | null {
    const dueS = Atomics.load(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.creditDueS);
    return dueS === 0 ? null : dueS * 1_000;
  }

  /** What time and the end of calls bring. */
  tend(key: number, nowMs: number): void {
    const state = this.state(key);
    if (state === 'draining' && this.inFlight(key) === 0) this.happened(key, 'drained');
    // not by `tries`: that stays for a moment after the credit has run out
    const atMs = state === 'exhausted' ? this.#creditDueMs(key) : null;
    if (atMs !== null && atMs <= nowMs) this.happened(key, 'reset');
  }

  secretTurn(key: number): number {
    return Atomics.load(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.secretTurn);
  }

  /**
   * The key has its secret of this turn from now on, and is as well as one that nobody has called. Whoever hears of it first says so: a
   * thread that has the new secret alone must not go by what became of the former one.
   */
  renewed(key: number, turn: number): void {
    const at = key * KEY_CELLS.cells + KEY_CELLS.secretTurn;
    if (Atomics.compareExchange(this.#cells, at, turn - 1, turn) === turn - 1) this.happened(key, 'replaced');
  }

  /** As it was when the process ended, or before a change that was not recorded. */
  begin(key: number, state: KeyState): void {
    Atomics.store(this.#cells, key * KEY_CELLS.cells + KEY_CELLS.state, KEY_STATE_NAMES.indexOf(state));
  }
}
