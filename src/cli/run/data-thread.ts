import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { combineKey, createHashKey } from '../../base/half-sip-hash.ts';
import { instantiateRoute } from '../../compiler/instantiate.ts';
import { compileRequestSchema } from '../../config/request-schema.ts';
import { startDataThread } from '../../gateway/data-thread.ts';
import type { DataThreadStart, FromDataThread } from '../../gateway/messages.ts';
import { createCertificateVerifier } from '../../governance/client-certificates.ts';
import { createIdentitySource } from '../../governance/identity-source.ts';
import { createSignatureVerifier } from '../../governance/request-signatures.ts';
import { createTokenVerifier } from '../../governance/token-verifier.ts';
import { createRecordWriter } from '../../observe/record-ring.ts';
import { watchThread } from '../../observe/thread-watch.ts';
import { ThreadModelServices } from '../../pools/model-services.ts';
import type { PoolMemory } from '../../pools/pool-memory.ts';
import type { CounterMemory } from '../../state/counter-layout.ts';
import { LateCorrections } from '../../state/late-corrections.ts';
import { createTakeJournal, type TakeJournalStart } from '../../state/rates/take-journal.ts';
import { createSeenSignatures } from '../../state/seen-signatures.ts';
import { createSharedCounters } from '../../state/shared-counters.ts';
import { createUpstream } from '../../upstream/client.ts';
import { eventLoopDelay, systemClock, systemRandom } from './system-clock.ts';

/** Entry of a data thread: wires the parts that one thread needs. */
assert(parentPort !== null, 'this module runs as a worker');

const port = parentPort;
const start = workerData as DataThreadStart;
const clock = systemClock();
const random = systemRandom();
const hashKey = createHashKey(start.keyHashSecret);
const late = new LateCorrections();
const journal = createTakeJournal(start.takeJournal as TakeJournalStart);

const thread = startDataThread({
  start,
  port,
  clock,
  random,
  upstream: createUpstream({
    clock,
    random,
    limits: start.limits,
    endpoints: start.endpoints,
    readFile: (path) => readFileSync(path, 'utf8'),
    beforeWrites: () => journal.flush(),
  }),
  instantiate: instantiateRoute,
  bindCounters: (memory, leases, thresholds) =>
    createSharedCounters(memory as CounterMemory, leases, thresholds, late, journal),
  makeUpLate: () => late.makeUp(),
  identities: (snapshot) => createIdentitySource(snapshot, hashKey),
  tokens: createTokenVerifier(start.server.tokenIssuers, {
    clock,
    onKeys: (issuer, why) => port.postMessage({ kind: 'issuer-told', issuer, why } satisfies FromDataThread),
  }),
  certificates: createCertificateVerifier(start.clientAuthorities),
  signatures: createSignatureVerifier({
    settings: start.server.signatures,
    seen: createSeenSignatures(start.seenSignatures),
    startedMs: start.startedMs,
  }),
  records: createRecordWriter(start.recordRing),
  models: (later, countPrompt, decoders) =>
    new ThreadModelServices({
      memory: start.poolMemory as PoolMemory,
      limits: start.limits,
      thread: start.thread,
      clock,
      random,
      later,
      countPrompt,
      decoders,
    }),
  eventLoopDelayMs: eventLoopDelay(),
  hashKey,
  combineKey,
  compileSchema: compileRequestSchema,
});
watchThread(start.gauges, () => thread.load());
