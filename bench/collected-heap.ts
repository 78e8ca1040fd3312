/** What V8 accounts for in a gateway once all of its garbage is gone, by `children/heap-probe.ts`. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Of one thread, in bytes. */
export interface HeapAnswer {
  /** Of the question: 0 when the thread began. */
  readonly number: number;
  readonly heapUsed: number;
  /** Beside the heap, for objects in it; buffers are a part of it. */
  readonly external: number;
}

export type CollectedHeap = Pick<HeapAnswer, 'heapUsed' | 'external'>;

export const ASKED = 'asked';
const HEAP_FILE = /^heap-[a-z0-9]+$/;
/** What has not answered by then is a thread that has ended, such as those that compile. */
const ANSWERS_WITHIN_MS = 3_000;

export function heapFile(thread: string): string {
  return `heap-${thread}`;
}

export interface HeapOfGateway {
  /** For the gateway's Node. */
  readonly nodeArguments: readonly string[];
  /** Collects in all threads, and adds up what is left. */
  readonly collected: () => Promise<CollectedHeap>;
}

export function heapOfGateway(folder: string): HeapOfGateway {
  mkdirSync(folder, { recursive: true });
  const probe = new URL(import.meta.resolve('./children/heap-probe.js'));
  probe.searchParams.set('into', folder);
  let asked = 0;
  return {
    nodeArguments: ['--import', probe.href],
    async collected() {
      asked++;
      writeFileSync(join(folder, ASKED), String(asked));
      const deadline = performance.now() + ANSWERS_WITHIN_MS;
      for (;;) {
        const threads = readAnswers(folder);
        const answers = threads.filter(({ number }) => number === asked);
        const isOver = performance.now() > deadline;
        if (answers.length > 0 && (isOver || answers.length === threads.length)) return sumOf(answers);
        if (isOver) throw new Error('the gateway does not tell of its heap');
        await delay(50);
      }
    },
  };
}

function readAnswers(folder: string): readonly HeapAnswer[] {
  return readdirSync(folder)
    .filter((name) => HEAP_FILE.test(name))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as HeapAnswer);
}

function sumOf(answers: readonly HeapAnswer[]): CollectedHeap {
  return {
    heapUsed: answers.reduce((sum, { heapUsed }) => sum + heapUsed, 0),
    external: answers.reduce((sum, { external }) => sum + external, 0),
  };
}
