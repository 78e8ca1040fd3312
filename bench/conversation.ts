import type { ChildProcess } from 'node:child_process';
import type { StartedProcess } from './processes.ts';

/** Questions and answers between the bench and a program it started, over Node's process channel. */
interface Question {
  readonly number: number;
  readonly kind: string;
}
interface Answer {
  readonly number: number;
  readonly answer: unknown;
}

const ANSWER_WITHIN_MS = 120_000;
let questions = 0;

/** Asks a started program. The caller names the type that the program's handler of this kind gives. */
export async function ask<Reply>(started: StartedProcess, kind: string): Promise<Reply> {
  questions += 1;
  const question: Question = { number: questions, kind };
  const answered = answerTo(question, started);
  started.child.send(question);
  return (await answered) as Reply;
}

/** The program's side: one handler per kind of question. Ends the program when the bench is gone. */
export function answerQuestions(handlers: Readonly<Record<string, () => unknown>>): void {
  process.on('message', async (message: Question) => {
    const handler = handlers[message.kind];
    if (handler === undefined) throw new Error(`no handler for ${message.kind}`);
    const answer: Answer = { number: message.number, answer: await handler() };
    process.send?.(answer);
  });
  process.on('disconnect', () => process.exit(0));
}

function answerTo(question: Question, started: StartedProcess): Promise<unknown> {
  const child: ChildProcess = started.child;
  return new Promise((resolve, reject) => {
    const onMessage = (message: Answer) => {
      if (message.number === question.number) finish(() => resolve(message.answer));
    };
    const fail = (why: string) => {
      finish(() =>
        reject(new Error(`${started.name}, asked "${question.kind}": ${why}; see ${started.logFile}`)),
      );
    };
    const onExit = () => fail('ended');
    const timer = setTimeout(() => fail(`no answer in ${ANSWER_WITHIN_MS} ms`), ANSWER_WITHIN_MS);
    function finish(settle: () => void): void {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
      settle();
    }
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}
