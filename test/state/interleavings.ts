/**
 * Explores every interleaving of a few threads over an explicit memory, exhaustively, with states seen before cut off.
 *
 * A thread is an ordinary synchronous function that reaches shared memory only through the operations it is given. It is run
 * anew for each step: answers it got before are replayed from its log, and the first operation beyond the log is its next step.
 * So the very lock code of the product is explored, not a copy of it.
 */
import type { AtomicOperations } from '../../src/base/shared-lock.ts';

export interface ThreadOperations extends AtomicOperations {
  /** One indivisible step on plain memory; its answer is logged, so it must be a plain value. */
  plain<Answer>(step: (memory: Float64Array) => Answer): Answer;
}

export type ThreadProgram = (operations: ThreadOperations) => unknown;

export interface Exploration {
  readonly threads: readonly ThreadProgram[];
  readonly words: number;
  readonly memory: Float64Array;
  /** Whether a sleeper may give up by itself. Without, each wake-up must come from a notify. */
  readonly timeouts: 'possible' | 'never';
  /** Called in every state in which all threads have ended, with their answers. */
  readonly atEnd: (answers: readonly unknown[], memory: Float64Array, words: Int32Array) => void;
}

export interface Explored {
  readonly states: number;
  readonly ends: number;
}

interface State {
  readonly words: Int32Array;
  readonly memory: Float64Array;
  /** Answers of each thread's operations so far. */
  readonly logs: readonly (readonly unknown[])[];
  /** Threads asleep, in the order in which they will be woken, and the word each sleeps on. */
  readonly asleep: readonly { readonly thread: number; readonly word: number }[];
}

interface Pending {
  readonly name: keyof ThreadOperations;
  readonly values: readonly unknown[];
}

const STATES_MAX = 200_000;

/** Throws when a state is reached from which no thread can go on, or what `atEnd` throws. */
export function explore(exploration: Exploration): Explored {
  const { threads } = exploration;
  const first: State = {
    words: new Int32Array(exploration.words),
    memory: exploration.memory.slice(),
    logs: threads.map(() => []),
    asleep: [],
  };
  const seen = new Set<string>([nameOf(first)]);
  const open: State[] = [first];
  let ends = 0;
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const runs = threads.map((program, thread) => replay(program, state.logs[thread]!));
    if (runs.every((run) => run.ended)) {
      ends++;
      exploration.atEnd(
        runs.map((run) => run.answer),
        state.memory,
        state.words,
      );
      continue;
    }
    const following = runs.flatMap((run, thread) => steps(state, thread, run, exploration.timeouts));
    if (following.length === 0) throw new Error(`no thread can go on: ${nameOf(state)}`);
    for (const next of following) {
      const name = nameOf(next);
      if (seen.has(name)) continue;
      seen.add(name);
      if (seen.size > STATES_MAX) throw new Error('more states than expected');
      open.push(next);
    }
  }
  return { states: seen.size, ends };
}

interface ReplayedThread {
  readonly ended: boolean;
  readonly answer: unknown;
  readonly pending: Pending | null;
}

class Suspended extends Error {}

function replay(program: ThreadProgram, log: readonly unknown[]): ReplayedThread {
  let at = 0;
  let pending: Pending | null = null;
  const next =
    (name: keyof ThreadOperations) =>
    (...values: unknown[]): never => {
      if (at < log.length) return log[at++] as never;
      pending = { name, values };
      throw new Suspended();
    };
  const operations: ThreadOperations = {
    load: next('load'),
    compareExchange: next('compareExchange'),
    exchange: next('exchange'),
    wait: next('wait'),
    notify: next('notify'),
    plain: next('plain'),
  };
  try {
    return { ended: true, answer: program(operations), pending: null };
  } catch (thrown) {
    if (!(thrown instanceof Suspended)) throw thrown;
    return { ended: false, answer: undefined, pending };
  }
}

/** The states that one step of the thread leads to: none while it sleeps and may not give up. */
function steps(
  state: State,
  thread: number,
  run: ReplayedThread,
  timeouts: Exploration['timeouts'],
): State[] {
  if (run.pending === null) return [];
  if (state.asleep.some((sleeper) => sleeper.thread === thread)) {
    if (timeouts === 'never') return [];
    const asleep = state.asleep.filter((sleeper) => sleeper.thread !== thread);
    return [{ ...state, asleep, logs: logged(state.logs, thread, 'timed-out') }];
  }
  return [perform(state, thread, run.pending)];
}

function perform(state: State, thread: number, { name, values }: Pending): State {
  const words = state.words.slice();
  const memory = state.memory.slice();
  if (name === 'plain') {
    const [step] = values as [(memory: Float64Array) => unknown];
    const answer = step(memory);
    return { ...state, memory, logs: logged(state.logs, thread, answer) };
  }
  const [, word, ...rest] = values as [unknown, number, number, number];
  const before = words[word]!;
  switch (name) {
    case 'load':
      return { ...state, logs: logged(state.logs, thread, before) };
    case 'compareExchange':
      if (before === rest[0]) words[word] = rest[1]!;
      return { ...state, words, logs: logged(state.logs, thread, before) };
    case 'exchange':
      words[word] = rest[0]!;
      return { ...state, words, logs: logged(state.logs, thread, before) };
    case 'wait':
      if (before !== rest[0]) return { ...state, logs: logged(state.logs, thread, 'not-equal') };
      return { ...state, asleep: [...state.asleep, { thread, word }] };
    case 'notify': {
      const woken = state.asleep.filter((sleeper) => sleeper.word === word).slice(0, rest[0]);
      let logs = logged(state.logs, thread, woken.length);
      for (const sleeper of woken) logs = logged(logs, sleeper.thread, 'ok');
      return { ...state, logs, asleep: state.asleep.filter((sleeper) => !woken.includes(sleeper)) };
    }
  }
}

function logged(logs: State['logs'], thread: number, answer: unknown): State['logs'] {
  return logs.map((log, i) => (i === thread ? [...log, answer] : log));
}

function nameOf(state: State): string {
  return JSON.stringify([[...state.words], [...state.memory], state.logs, state.asleep]);
}
