import { setTimeout as delay } from 'node:timers/promises';
import { answerQuestions } from '../conversation.ts';
import type { OpenLoopReport, OpenLoopSpec } from '../open-loop.ts';
import { KeepAliveClient, type PlannedRequest } from './keep-alive-client.ts';
import { Ledger } from './ledger.ts';
import { pace } from './pace.ts';
import { StreamClient } from './stream-client.ts';
import { WaitingLine } from './waiting-line.ts';

/** The open-loop generator, a program of its own so that its pauses and the bench's don't meet. */
const POST_BODY_BYTES = 1_024;
/** Requests that may be due and wait for a connection; more means that nothing is answered any more. */
const WAITING_MAX = 100_000;
const FINISH_WITHIN_MS = 15_000;

const spec = JSON.parse(process.argv[2]!) as OpenLoopSpec;
const ledger = new Ledger();
const fields = Object.entries({ host: `127.0.0.1:${spec.port}`, ...spec.headers })
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
const free: KeepAliveClient[] = [];
const waiting = new WaitingLine<PlannedRequest>(WAITING_MAX);
let nextId = 0;
let sending = false;

const clients = Array.from(
  { length: spec.connections },
  () => new KeepAliveClient(spec.port, fields, ledger, serveNext),
);
const streams = Array.from({ length: spec.streams }, () => new StreamClient(spec, fields, ledger, takeId));

answerQuestions({
  begin: () => {
    sending = true;
    free.push(...clients);
    for (const stream of streams) stream.begin();
    pace(spec.requestsPerSecond, send, () => sending);
    return null;
  },
  report: (): OpenLoopReport => ledger.report(),
  finish: async (): Promise<OpenLoopReport> => {
    sending = false;
    await Promise.all(streams.map((stream) => stream.finish(FINISH_WITHIN_MS)));
    const deadline = performance.now() + FINISH_WITHIN_MS;
    while (free.length < clients.length && performance.now() < deadline) await delay(20);
    for (const client of clients) client.close();
    return ledger.report();
  },
});

function send(dueMs: number): void {
  const planned = plan(takeId(), dueMs);
  const client = free.pop();
  if (client !== undefined) client.send(planned);
  else if (!waiting.join(planned)) ledger.failed('not sent: too many requests wait for a connection');
}

/** A client has its answer: it takes the request that has waited longest, or waits itself. */
function serveNext(client: KeepAliveClient): void {
  const planned = waiting.next();
  if (planned === null) free.push(client);
  else client.send(planned);
}

function takeId(): number {
  nextId += 1;
  return nextId - 1;
}

function plan(id: number, dueMs: number): PlannedRequest {
  const isPost = id % 10 < spec.postsOfTen;
  return {
    id,
    dueMs,
    method: isPost ? 'POST' : 'GET',
    path: spec.itemPath,
    body: isPost ? postBody(id) : '',
  };
}

function postBody(id: number): string {
  const begin = `{"id":${id},"text":"`;
  return `${begin}${'x'.repeat(POST_BODY_BYTES - begin.length - 2)}"}`;
}
