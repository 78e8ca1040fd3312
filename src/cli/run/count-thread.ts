import { parentPort } from 'node:worker_threads';
import { type CountTexts, loadEncoding } from '../../ai/token-count.ts';
import { assert } from '../../base/assert.ts';
import type { Encoding } from '../../model/tokenizers.ts';
import type { FromCountThread, ToCountThread } from './prompt-counter.ts';

/** Entry of the thread that counts tokens of prompts: see `PromptCounter`. */
const port = parentPort;
assert(port !== null, 'this module runs as a worker');
const encodings = new Map<Encoding, Promise<CountTexts>>();

port.on('message', async ({ id, encoding, texts }: ToCountThread) => {
  const loading = encodings.get(encoding) ?? loadEncoding(encoding);
  encodings.set(encoding, loading);
  const count = await loading;
  port.postMessage({ id, tokens: count(texts) } satisfies FromCountThread);
});
