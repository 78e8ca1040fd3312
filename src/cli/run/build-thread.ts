import { parentPort } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { SourceText } from '../../diagnostics/source.ts';
import { type FromBuildThread, LocalBuilder, type ToBuildThread } from './project-builder.ts';
import { formOf } from './ready-form.ts';

/** Entry of the thread that checks and compiles beside the control thread: see `ThreadBuilder`. */
const port = parentPort;
assert(port !== null, 'this module runs as a worker');
const builder = new LocalBuilder();

port.on('message', async ({ texts, folder, wallMs, former }: ToBuildThread) => {
  const sources = texts.map(({ path, text }) => new SourceText(path, text));
  const built = await builder.build(sources, folder, wallMs, former);
  port.postMessage(formOf(built, sources) satisfies FromBuildThread);
});
