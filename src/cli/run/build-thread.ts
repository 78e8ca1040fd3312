import { Session } from 'node:inspector';
import { parentPort } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { SourceText } from '../../diagnostics/source.ts';
import { type FromBuildThread, LocalBuilder, type ToBuildThread } from './project-builder.ts';
import { formOf } from './ready-form.ts';

/** Entry of the thread that checks and compiles beside the control thread: see `ThreadBuilder`. */
const port = parentPort;
assert(port !== null, 'this module runs as a worker');
const builder = new LocalBuilder();

/**
 * V8 keeps what a build has thrown away until it has grown by about as much as lives: some 50 MiB more with each edit of 100,000
 * routes. Nobody waits for this thread between two edits, so it is collected then, for a second of its time.
 */
const COLLECTED_AFTER_MS = 1_000;
/** What lives of a small project is not worth it. */
const COLLECTED_FROM_BYTES = 64 * 1024 * 1024;
const session = new Session();
session.connect();
let collection: NodeJS.Timeout | undefined;

function collect(): void {
  if (process.memoryUsage().heapUsed >= COLLECTED_FROM_BYTES) session.post('HeapProfiler.collectGarbage');
}

port.on('message', async ({ texts, folder, wallMs, former }: ToBuildThread) => {
  clearTimeout(collection);
  const sources = texts.map(({ path, text }) => new SourceText(path, text));
  const built = await builder.build(sources, folder, wallMs, former);
  port.postMessage(formOf(built, sources) satisfies FromBuildThread);
  collection = setTimeout(collect, COLLECTED_AFTER_MS);
});
