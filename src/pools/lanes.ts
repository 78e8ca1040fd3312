/**
 * The limits of provider accounts in shared memory, as one thread uses them: a call takes its estimate from every limit of its
 * lanes in one step, or nothing; what it really took is settled once; what providers report corrects the model.
 */
import { threadId } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import { LOCK_BOUNDS, LockSet, lockOwner } from '../base/shared-lock.ts';
import type { MeterReport, MeterSpec } from '../model/provider-limits.ts';
import { type AskedAmounts, type CallAmounts, LANE_METERS_MAX } from '../pipeline/key-pool.ts';
import { LANE, LaneMemory, METER, WORD } from './lane-layout.ts';
import { applyReports } from './lane-reports.ts';
import { type LaneTicket, learnedPlace, noteTaken, placeThen, STOOD } from './lane-ticket.ts';
import {
  alignPeriod,
  beginMeter,
  forgiveDebt,
  giveBack,
  isEstimated,
  isOf,
  isOfCalendar,
  isOfOtherRule,
  LOOK_SOON_MS,
  leftAtMs,
  type MeterReading,
  moveMoment,
  needOf,
  OPEN_AMOUNT,
  openMeter,
  type PeriodEnds,
  readMeter,
  refresh,
  restoreMeter,
  SLOTS_KIND,
  setAmount,
  setRule,
  takeFrom,
} from './meters.ts';
import { expectedTokens, learnPromptShare } from './prompt-share.ts';
import { countSent, learnFromRefusal } from './refusal-pace.ts';

/**
 * How a call ended: what it took in the end; `unknown`: all of the estimate; `refused`: the provider said that it has no room,
 * and counted the request at most;
 * `rejected`: it would not answer for another reason, such as a key that it does not know, which says nothing of its limits.
 */
export type CallOutcome = CallAmounts | 'unknown' | 'refused' | 'rejected';

/** Longer waits are no limits that come back by themselves. */
const CLOSED_MAX_MS = 24 * 3_600_000;

/** A provider that asks to wait as long as this is asked by one call first. */
const PROVEN_FROM_MS = 2_000;

const NO_LANES: readonly number[] = [];
const NOTHING: CallAmounts = { inputTokens: 0, outputTokens: 0, costNano: 0 };

/** Whoever holds lanes may wait for locks of counters meanwhile, each as long as those are waited for: others have to outlast that. */
const LANE_BOUNDS = { ...LOCK_BOUNDS, waits: 10 * LOCK_BOUNDS.waits };

/** What a lane holds at a moment. */
export interface LaneReading {
  /** In the past: it is open. */
  readonly closedUntilMs: number;
  /** After that moment, until one call has shown that it is open again. */
  readonly isProving: boolean;
  /** Until when that call may be refused; 0: it was not sent yet. */
  readonly proofDueMs: number;
  readonly meters: readonly MeterReading[];
}

export interface LanesOptions {
  readonly memory: SharedArrayBuffer;
  readonly lanes: number;
  /** What has not been refused for so long will not be: refusals come at once, answers as late as they are long. */
  readonly proofMs: number;
}

export class Lanes {
  readonly #memory: LaneMemory;
  readonly #proofMs: number;
  readonly #locks = new LockSet(lockOwner(threadId), Atomics, LANE_BOUNDS);

  constructor({ memory, lanes, proofMs }: LanesOptions) {
    this.#memory = new LaneMemory(memory, lanes);
    this.#proofMs = proofMs;
  }

  /**
   * Sets the limits that people have declared. Each keeps its place, because calls under way know meters by them: of those that are
   * there what is in use stays in use, one that is not declared any more limits nothing, and what was learned stays. `ends`: of days and
   * months, in the same step, as a limit without an end holds nobody back; null: no spec is of these.
   */
  declare(lane: number, specs: readonly MeterSpec[], nowMs: number, ends: PeriodEnds | null = null): void {
    assert(specs.length <= LANE_METERS_MAX, 'a lane has few limits');
    this.#locked([lane], () => {
      const { cells, words } = this.#memory;
      const count = this.#memory.metersOf(lane);
      for (let meter = 0; meter < count; meter++) {
        const at = this.#memory.meterAt(lane, meter);
        const spec = specs.find((one) => isOf(cells, at, one)) ?? this.#ruleChange(lane, at, count, specs);
        if (spec === undefined && cells[at + METER.declared]! > 0) openMeter(cells, at);
        if (spec !== undefined) {
          refresh(cells, at, nowMs);
          if (!isOf(cells, at, spec)) setRule(cells, at, spec, nowMs);
          cells[at + METER.declared] = spec.source === 'declared' ? spec.amount : 0;
          cells[at + METER.guessed] = 0;
          setAmount(cells, at, spec.amount);
        }
      }
      let next = count;
      for (const spec of specs) {
        if (this.#hasMeter(lane, count, spec) || next === LANE_METERS_MAX) continue;
        beginMeter(cells, this.#memory.meterAt(lane, next), spec, nowMs);
        next++;
      }
      words[lane * WORD.cells + WORD.meters] = next;
      if (ends !== null) this.#align(lane, ends, nowMs);
    });
  }

  /** A limit that was declared, and comes back another way by now. */
  #ruleChange(lane: number, at: number, count: number, specs: readonly MeterSpec[]): MeterSpec | undefined {
    const { cells } = this.#memory;
    if (cells[at + METER.declared] === 0) return;
    return specs.find((one) => isOfOtherRule(cells, at, one) && !this.#hasMeter(lane, count, one));
  }

  /** When the day and the month end that limits of a lane are of: to be told again where clocks were set. */
  alignPeriods(lane: number, ends: PeriodEnds, nowMs: number): void {
    this.#locked([lane], () => this.#align(lane, ends, nowMs));
  }

  #align(lane: number, ends: PeriodEnds, nowMs: number): void {
    const { cells } = this.#memory;
    const count = this.#memory.metersOf(lane);
    for (let meter = 0; meter < count; meter++) {
      const at = this.#memory.meterAt(lane, meter);
      if (!isOfCalendar(cells[at + METER.kind]!)) continue;
      refresh(cells, at, nowMs);
      alignPeriod(cells, at, ends);
    }
  }

  #hasMeter(lane: number, count: number, spec: MeterSpec): boolean {
    for (let meter = 0; meter < count; meter++)
      if (isOf(this.#memory.cells, this.#memory.meterAt(lane, meter), spec)) return true;
    return false;
  }

  /**
   * The least share that would be left of any limit of the lanes, 0 … 1; below 0 when a call of these amounts does not fit. Read
   * without locks: good enough to choose by, and {@link take} decides.
   */
  headroom(lanes: readonly number[], amounts: AskedAmounts, nowMs: number): number {
    const { cells } = this.#memory;
    let least = 1;
    for (const lane of lanes) {
      const head = this.#memory.laneAt(lane);
      if (this.#isClosed(head, nowMs)) return -1;
      const meters = this.#memory.metersOf(lane);
      const promptTokens = expectedTokens(cells, head, amounts);
      for (let meter = 0; meter < meters; meter++) {
        const at = this.#memory.meterAt(lane, meter);
        const amount = cells[at + METER.amount]!;
        const passedMs = Math.max(0, nowMs - cells[at + METER.atMs]!);
        const isBucket = cells[at + METER.kind] === 0;
        const back = isBucket ? (passedMs * amount) / cells[at + METER.windowMs]! : 0;
        const isOver = !isBucket && cells[at + METER.kind] !== SLOTS_KIND && cells[at + METER.atMs]! <= nowMs;
        const left = isOver ? amount : Math.min(amount, cells[at + METER.left]! + back);
        least = Math.min(least, (left - needOf(cells[at + METER.unit]!, amounts, promptTokens)) / amount);
      }
    }
    return least;
  }

  /**
   * The lanes in the order of locking (an account before its models), each once. A ticket, or the first moment at which these limits alone would let it pass.
   * `also`: takes what rules count of it, as a part of the same step; false: there is no room for that, and nothing is taken.
   */
  take(
    lanes: readonly number[],
    amounts: AskedAmounts,
    nowMs: number,
    also: (() => boolean) | null = null,
  ): LaneTicket | number {
    return this.#locked(lanes, () => {
      const untilMs = this.#fitsAtMs(lanes, amounts, nowMs);
      if (untilMs > nowMs) return untilMs;
      return also === null || also() ? this.#book(lanes, amounts, nowMs) : nowMs;
    });
  }

  /** As {@link take} would answer, without taking. */
  fitsAtMs(lanes: readonly number[], amounts: AskedAmounts, nowMs: number): number {
    return this.#locked(lanes, () => this.#fitsAtMs(lanes, amounts, nowMs));
  }

  #fitsAtMs(lanes: readonly number[], amounts: AskedAmounts, nowMs: number): number {
    const { cells } = this.#memory;
    let latestMs = nowMs;
    for (const lane of lanes) {
      const head = this.#memory.laneAt(lane);
      // A proof under way may end at any moment.
      if (nowMs < cells[head + LANE.closedUntilMs]!)
        latestMs = Math.max(latestMs, cells[head + LANE.closedUntilMs]!);
      else if (nowMs < cells[head + LANE.proofDueMs]!) latestMs = Math.max(latestMs, nowMs + LOOK_SOON_MS);
      const meters = this.#memory.metersOf(lane);
      const promptTokens = expectedTokens(cells, head, amounts);
      for (let meter = 0; meter < meters; meter++) {
        const at = this.#memory.meterAt(lane, meter);
        refresh(cells, at, nowMs);
        const need = needOf(cells[at + METER.unit]!, amounts, promptTokens);
        latestMs = Math.max(latestMs, leftAtMs(cells, at, need, nowMs));
      }
    }
    return latestMs;
  }

  /** Until when the one call that goes first to any of them may be refused; 0: none is under way. Read without locks, to be told. */
  proofDueMs(lanes: readonly number[]): number {
    let latestMs = 0;
    for (const lane of lanes)
      latestMs = Math.max(latestMs, this.#memory.cells[this.#memory.laneAt(lane) + LANE.proofDueMs]!);
    return latestMs;
  }

  /** Closed by the provider's word, or open to one call that is under way. */
  #isClosed(head: number, nowMs: number): boolean {
    const { cells } = this.#memory;
    return nowMs < cells[head + LANE.closedUntilMs]! || nowMs < cells[head + LANE.proofDueMs]!;
  }

  #book(lanes: readonly number[], amounts: AskedAmounts, nowMs: number): LaneTicket {
    const { cells } = this.#memory;
    const proves = this.#beginProof(lanes, nowMs);
    const stood: number[] = [];
    const begins = [0];
    for (const lane of lanes) {
      const head = this.#memory.laneAt(lane);
      const meters = this.#memory.metersOf(lane);
      const promptTokens = expectedTokens(cells, head, amounts);
      countSent(cells, head, nowMs);
      for (let meter = 0; meter < meters; meter++) {
        const at = this.#memory.meterAt(lane, meter);
        const need = needOf(cells[at + METER.unit]!, amounts, promptTokens);
        takeFrom(cells, at, need, nowMs);
        if (isEstimated(cells[at + METER.unit]!)) cells[at + METER.pending]! += need;
        noteTaken(stood, cells, at, need);
      }
      begins.push(stood.length);
    }
    const { inputTokens } = amounts;
    return {
      lanes,
      atMs: nowMs,
      promptBound: inputTokens,
      stood,
      begins,
      learned: null,
      proves,
      state: 'open',
    };
  }

  #beginProof(lanes: readonly number[], nowMs: number): boolean {
    const { cells } = this.#memory;
    let proves = false;
    for (const lane of lanes) {
      const head = this.#memory.laneAt(lane);
      if (cells[head + LANE.isProving] === 0) continue;
      // Its time is over, or there would be no room for this call: it has shown what it had to, though it goes on.
      if (cells[head + LANE.proofDueMs]! > 0) {
        cells[head + LANE.isProving] = 0;
        cells[head + LANE.proofDueMs] = 0;
        continue;
      }
      proves = true;
      cells[head + LANE.proofDueMs] = nowMs + this.#proofMs;
    }
    return proves;
  }

  /** What the head of its answer said of the limits of the last lane, while the call goes on. */
  report(ticket: LaneTicket, reports: readonly MeterReport[], nowMs: number): void {
    if (ticket.state === 'settled' || (reports.length === 0 && !ticket.proves)) return;
    this.#locked(ticket.lanes, () => {
      applyReports(this.#memory, ticket, { reports, isRefused: false }, nowMs);
      this.#endProof(ticket);
    });
  }

  /**
   * The call is over. Once; `reports` is what its answer said of the limits of the last lane. False: it says that it took more than is
   * believed ({@link DEBT_WINDOWS_MAX}).
   */
  settle(ticket: LaneTicket, outcome: CallOutcome, reports: readonly MeterReport[], nowMs: number): boolean {
    if (ticket.state === 'settled') return true;
    ticket.state = 'settled';
    const isRefused = outcome === 'refused' || outcome === 'rejected';
    const actual =
      outcome === 'refused' || outcome === 'rejected' ? NOTHING : outcome === 'unknown' ? null : outcome;
    return this.#locked(ticket.lanes, () => {
      const { cells } = this.#memory;
      let isBelieved = true;
      // Before the estimate is corrected: reports speak of the moment when the provider had counted it.
      if (reports.length > 0) applyReports(this.#memory, ticket, { reports, isRefused }, nowMs);
      this.#eachTaken(ticket, (at, taken, endMs) => {
        refresh(cells, at, nowMs);
        const unit = cells[at + METER.unit]!;
        if (isEstimated(unit)) cells[at + METER.pending]! -= taken;
        if (cells[at + METER.kind] === SLOTS_KIND) giveBack(cells, at, taken, 0);
        else if (actual !== null && isEstimated(unit))
          isBelieved =
            giveBack(cells, at, taken - needOf(unit, actual, actual.inputTokens), endMs) && isBelieved;
      });
      // What was refused, or ended without an answer, has shown nothing.
      if (typeof outcome === 'string') this.#giveUpProof(ticket);
      else {
        this.#endProof(ticket);
        // Operations that tell no tokens say nothing of prompts.
        for (const lane of outcome.inputTokens > 0 ? ticket.lanes : NO_LANES)
          learnPromptShare(cells, this.#memory.laneAt(lane), ticket.promptBound, outcome.inputTokens);
      }
      if (outcome === 'refused') this.#learnRefusal(ticket, reports.length > 0, nowMs);
      return isBelieved;
    });
  }

  /** Where the limits now know why a call was refused, and when the next one fits, a short wait needs no proof. */
  #learnRefusal({ lanes, atMs }: LaneTicket, isTold: boolean, nowMs: number): void {
    const { cells } = this.#memory;
    const lane = lanes.at(-1)!;
    const head = this.#memory.laneAt(lane);
    const isKnown = !isTold && learnFromRefusal(this.#memory, lane, atMs, nowMs);
    if (isKnown && cells[head + LANE.closedUntilMs]! - nowMs < PROVEN_FROM_MS)
      cells[head + LANE.isProving] = 0;
  }

  /** The tokens of its prompt that are expected to be counted in a lane. */
  expectedTokens(lane: number, amounts: AskedAmounts): number {
    return expectedTokens(this.#memory.cells, this.#memory.laneAt(lane), amounts);
  }

  /** Nothing was sent: all is given back. */
  release(ticket: LaneTicket, nowMs: number): void {
    if (ticket.state === 'settled') return;
    ticket.state = 'settled';
    this.#locked(ticket.lanes, () => {
      const { cells } = this.#memory;
      this.#eachTaken(ticket, (at, taken, endMs) => {
        refresh(cells, at, nowMs);
        if (isEstimated(cells[at + METER.unit]!)) cells[at + METER.pending]! -= taken;
        giveBack(cells, at, taken, endMs);
      });
      this.#giveUpProof(ticket);
    });
  }

  /** The next call may be the proof. */
  #giveUpProof({ lanes, atMs, proves }: LaneTicket): void {
    if (!proves) return;
    const { cells } = this.#memory;
    for (const lane of lanes) {
      const due = this.#memory.laneAt(lane) + LANE.proofDueMs;
      // another one may be under way by now
      if (cells[due] === atMs + this.#proofMs) cells[due] = 0;
    }
  }

  #endProof({ lanes, atMs, proves }: LaneTicket): void {
    if (!proves) return;
    const { cells } = this.#memory;
    for (const lane of lanes) {
      const head = this.#memory.laneAt(lane);
      // the provider has refused others since: what was sent before shows nothing
      if (cells[head + LANE.closedUntilMs]! > atMs) continue;
      cells[head + LANE.isProving] = 0;
      cells[head + LANE.proofDueMs] = 0;
    }
  }

  /** As it is now. */
  read(lane: number, nowMs: number): LaneReading {
    return this.#locked([lane], () => {
      const { cells } = this.#memory;
      const head = this.#memory.laneAt(lane);
      const proofDueMs = cells[head + LANE.proofDueMs]!;
      const meters = Array.from({ length: this.#memory.metersOf(lane) }, (_, meter) => {
        const at = this.#memory.meterAt(lane, meter);
        refresh(cells, at, nowMs);
        return readMeter(cells, at);
      }).filter(({ amount }) => amount < OPEN_AMOUNT);
      return {
        closedUntilMs: cells[head + LANE.closedUntilMs]!,
        isProving: cells[head + LANE.isProving] === 1 && (proofDueMs === 0 || nowMs < proofDueMs),
        proofDueMs,
        meters,
      };
    });
  }

  /** All cells, to be kept over the end of the process. */
  save(lane: number): readonly number[] {
    return this.#locked([lane], () => {
      const head = this.#memory.laneAt(lane);
      return [
        ...this.#memory.cells.subarray(head, head + LANE.cells + this.#memory.metersOf(lane) * METER.cells),
      ];
    });
  }

  /** As it was when its process ended, `shiftMs` to be added to its moments: no call of it goes on. */
  restore(lane: number, saved: readonly number[], shiftMs: number, nowMs: number): void {
    const meters = (saved.length - LANE.cells) / METER.cells;
    if (!Number.isInteger(meters) || meters < 0 || meters > LANE_METERS_MAX) return;
    this.#locked([lane], () => {
      const { cells, words } = this.#memory;
      const head = this.#memory.laneAt(lane);
      cells.set(saved, head);
      moveMoment(cells, head + LANE.closedUntilMs, shiftMs, nowMs + CLOSED_MAX_MS);
      moveMoment(cells, head + LANE.recentAtMs, shiftMs, nowMs);
      moveMoment(cells, head + LANE.refusedAtMs, shiftMs, nowMs);
      cells[head + LANE.proofDueMs] = 0;
      for (let meter = 0; meter < meters; meter++)
        restoreMeter(cells, this.#memory.meterAt(lane, meter), shiftMs, nowMs);
      words[lane * WORD.cells + WORD.meters] = meters;
    });
  }

  /** A person says that the provider takes calls again: what it asked to wait, and what calls took beyond a limit, is forgotten. */
  open(lane: number, nowMs: number): void {
    this.#locked([lane], () => {
      const { cells } = this.#memory;
      const head = this.#memory.laneAt(lane);
      cells[head + LANE.closedUntilMs] = 0;
      cells[head + LANE.isProving] = 0;
      cells[head + LANE.proofDueMs] = 0;
      for (let meter = 0; meter < this.#memory.metersOf(lane); meter++) {
        const at = this.#memory.meterAt(lane, meter);
        refresh(cells, at, nowMs);
        forgiveDebt(cells, at);
      }
    });
  }

  /** The provider refuses calls until then, a day at most; afterwards one call is to prove that it takes them again. */
  close(lane: number, untilMs: number, nowMs: number): void {
    this.#locked([lane], () => {
      const { cells } = this.#memory;
      const head = this.#memory.laneAt(lane);
      cells[head + LANE.closedUntilMs] = Math.max(
        cells[head + LANE.closedUntilMs]!,
        Math.min(untilMs, nowMs + CLOSED_MAX_MS),
      );
      cells[head + LANE.isProving] = 1;
      cells[head + LANE.proofDueMs] = 0;
    });
  }

  /**
   * Of a meter that has been learned meanwhile nothing was taken yet: the call is counted in it with what it took in the end, unless it is
   * counted in it already.
   */
  #eachTaken(ticket: LaneTicket, visit: (at: number, taken: number, endMs: number) => void): void {
    const { lanes, stood, learned } = ticket;
    for (let nth = 0; nth < lanes.length; nth++) {
      const lane = lanes[nth]!;
      const meters = this.#memory.metersOf(lane);
      for (let meter = 0; meter < meters; meter++) {
        const at = this.#memory.meterAt(lane, meter);
        const place = placeThen(ticket, nth, meter);
        if (place !== -1) visit(at, stood[place + STOOD.taken]!, stood[place + STOOD.endMs]!);
        else if (learned?.includes(learnedPlace(nth, meter)) !== true) visit(at, 0, 0);
      }
    }
  }

  #locked<Value>(lanes: readonly number[], work: () => Value): Value {
    for (const lane of lanes) {
      const held = this.#locks.acquire(this.#memory.words, this.#memory.lockAt(lane));
      assert(held, 'a lock of lanes is held for microseconds, and freed when its thread dies');
    }
    try {
      return work();
    } finally {
      this.#locks.releaseAll();
    }
  }
}
