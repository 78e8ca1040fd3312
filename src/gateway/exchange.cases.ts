/** Both sides of an exchange, simulated: they note what is done to them, and object to what may not be done. */

import { SERVICE_SETTINGS } from '../../test/upstream/service-settings.ts';
import { assert } from '../base/assert.ts';
import { LIMIT_DEFAULTS, type LimitValues } from '../base/limits.ts';
import type { CallActuals } from '../model/model-call.ts';
import { NO_MODELS } from '../model/pools.ts';
import type { Route, Service } from '../model/world.ts';
import { type CounterBinding, NOBODY_WAITS, type Reservation } from '../pipeline/counters.ts';
import type { IdentitySource, SignatureVerifier } from '../pipeline/identity.ts';
import type { BoundModels } from '../pipeline/key-pool.ts';
import type { ModelService, PoolChoice, SentModelCall } from '../pipeline/model-request.ts';
import { CONTINUE } from '../pipeline/outcome.ts';
import type { RoutePipeline, RuleBundle } from '../pipeline/program.ts';
import type { AccessRecord } from '../pipeline/record.ts';
import type {
  ResponseHead,
  Upstream,
  UpstreamErrorCode,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamTunnel,
} from '../pipeline/upstream.ts';
import type { AlertMatch } from './alert-matches.ts';
import { CertificateIdentities } from './certificate-identities.ts';
import type { ClientHandler, ClientStream, FieldLines } from './client-stream.ts';
import { DroppedMemory } from './dropped-memory.ts';
import { Exchange } from './exchange.ts';
import { ExchangeThread, type ExchangeThreadParts } from './exchange-thread.ts';
import { IdentityCache } from './identity-cache.ts';
import { EPOCH_CELLS } from './messages.ts';
import { BundlePacker, unpackBundle } from './packed-bundle.ts';
import type { PromptToCount } from './prompt-counts.ts';
import { buildRuleVersion } from './rule-version.ts';
import type { ServedRules } from './served-rules.ts';
import { TokenIdentities } from './token-identities.ts';
import { VersionStore } from './version-store.ts';

export class SimulatedClient implements ClientStream {
  handler: ClientHandler | null = null;
  contained = false;
  wantsBody = false;
  paused = false;
  /** What the next writes and endings answer. */
  hasRoom = true;
  status = 0;
  fields = '';
  body = '';
  state: 'open' | 'begun' | 'flushing' | 'done' | 'broken' = 'open';
  keptReading = 0;

  address(): string {
    return '192.0.2.1';
  }

  attach(handler: ClientHandler): void {
    this.handler = handler;
  }

  contain(): void {
    this.contained = true;
  }

  readBody(): void {
    this.wantsBody = true;
  }

  answer(status: number, fieldLines: FieldLines, body: Uint8Array | string): boolean {
    this.#head(status, fieldLines);
    this.body = typeof body === 'string' ? body : text(body);
    return this.#end();
  }

  answerWithoutBody(status: number, fieldLines: FieldLines): boolean {
    this.#head(status, fieldLines);
    return this.#end();
  }

  begin(status: number, fieldLines: FieldLines): void {
    this.#head(status, fieldLines);
  }

  write(chunk: Uint8Array): boolean {
    assert(this.state === 'begun', `write while ${this.state}`);
    this.body += text(chunk);
    return this.hasRoom;
  }

  end(): boolean {
    assert(this.state === 'begun', `end while ${this.state}`);
    return this.#end();
  }

  canUpgrade = false;

  upgrade(): void {
    throw new Error('open WebSockets are tested over real sockets');
  }

  pauseBody(): void {
    this.#assertLive('pauseBody');
    this.paused = true;
  }

  resumeBody(): void {
    this.#assertLive('resumeBody');
    this.paused = false;
  }

  keepReading(): void {
    this.#assertLive('keepReading');
    this.keptReading++;
  }

  abort(): void {
    this.#assertLive('abort');
    this.state = 'broken';
  }

  /** The socket has room again. */
  drain(): void {
    this.hasRoom = true;
    if (this.state === 'flushing') this.state = 'done';
    this.handler!.onWritable();
  }

  disconnect(): void {
    this.state = 'broken';
    this.handler!.onAborted();
  }

  #head(status: number, fieldLines: FieldLines): void {
    assert(this.state === 'open', `an answer while ${this.state}`);
    this.state = 'begun';
    this.status = status;
    this.fields = typeof fieldLines === 'string' ? fieldLines : text(fieldLines);
  }

  #end(): boolean {
    this.state = this.hasRoom ? 'done' : 'flushing';
    return this.hasRoom;
  }

  #assertLive(call: string): void {
    assert(this.state !== 'done' && this.state !== 'broken', `${call} while ${this.state}`);
  }
}

export class ScriptedCall implements SentModelCall {
  readonly request: UpstreamRequest;
  readonly handler: UpstreamHandler;
  /** Of a call to a model. */
  readonly pools: PoolChoice | null;
  readonly model: string | null;
  state: 'open' | 'over' | 'aborted' = 'open';
  body = '';
  bodyEnded = false;
  paused = false;
  hasRoom = true;
  hasHead = false;
  unsent = false;
  isWaiting = false;
  sent = '';

  constructor(
    request: UpstreamRequest,
    handler: UpstreamHandler,
    pools: PoolChoice | null = null,
    model: string | null = null,
  ) {
    this.request = request;
    this.handler = handler;
    this.pools = pools;
    this.model = model;
  }

  write(chunk: Uint8Array): boolean {
    assert(this.state !== 'aborted', 'write after abort');
    assert(!this.bodyEnded, 'write after the end of the body');
    this.body += text(chunk);
    return this.hasRoom;
  }

  end(): void {
    assert(this.state !== 'aborted' && !this.bodyEnded, 'the end of the body, after it or after abort');
    this.bodyEnded = true;
  }

  abort(): void {
    assert(this.state === 'open', `abort while ${this.state}`);
    this.state = 'aborted';
  }

  breakOff(): boolean {
    return false;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  head(last: boolean, chunk: string, head: Partial<ResponseHead> = {}): void {
    this.hasHead = true;
    this.sent = chunk;
    if (last) this.state = 'over';
    const whole = {
      status: 200,
      fields: [],
      bodyBytes: -1,
      hasBody: true,
      untilClose: false,
      endpoint: 0,
      attempts: 1,
      ...head,
    };
    const piece = bytes(chunk);
    this.handler.onHead(whole, piece, last);
    overwrite(piece);
  }

  data(chunk: string, last: boolean): void {
    this.sent += chunk;
    if (last) this.state = 'over';
    const piece = bytes(chunk);
    this.handler.onData(piece, last);
    overwrite(piece);
  }

  fail(
    service: 'unprocessed' | 'unknown' = 'unknown',
    code: UpstreamErrorCode = 'upstream_closed_in_answer',
  ): void {
    this.state = 'over';
    this.handler.onError({
      code,
      detail: 'The service broke off.',
      endpoint: 0,
      attempts: 2,
      unprocessed: service === 'unprocessed',
      refusedStatus: 0,
    });
  }
}

export interface Simulation {
  readonly thread: ExchangeThread;
  readonly records: AccessRecord[];
  /** What fitted alert rules. */
  readonly told: AlertMatch[];
  readonly calls: ScriptedCall[];
  readonly releases: Reservation[];
  /** Those that were given back whole. */
  readonly cancelled: Reservation[];
  /** What reservations were settled with, before they were released. */
  readonly settled: {
    readonly reservation: Reservation;
    /** Of money; -1: nobody told it. */
    readonly actual: number;
    readonly actuals: CallActuals;
  }[];
  /** What waiting exchanges asked for. */
  readonly wakes: { readonly exchange: { wake(): void }; readonly delayMs: number }[];
  /** Prompts that are to be counted. */
  readonly counts: PromptToCount[];
  nowMs: number;
  request(method: string, target: string, fields?: string[], client?: SimulatedClient): SimulatedClient;
}

export interface SimulationOptions {
  /** By how much the thread is late, seen at each sweep. */
  readonly delayMs?: number;
  readonly routes: readonly Route[];
  readonly pipeline?: Partial<RoutePipeline>;
  readonly limits?: Partial<LimitValues>;
  readonly server?: Partial<ExchangeThreadParts['server']>;
  readonly signatures?: SignatureVerifier;
  readonly bundle?: Partial<RuleBundle>;
  /** Counters that are more than told what is settled and released. */
  readonly counters?: Pick<CounterBinding, 'settleEstimates' | 'release'>;
  /** What reads the bodies of calls to models; where they are sent is `calls`. */
  readonly readCall?: ModelService['read'];
  /** In their place: what sends them to providers of its own. */
  readonly models?: BoundModels;
  /** What is to be counted of their prompts. */
  readonly promptOf?: ModelService['prompt'];
}

/** An admitted request holds a reservation, so that its release can be counted. */
export const RESERVE: RoutePipeline['admit'] = (context) => {
  context.reservation = { entries: 1 };
  return CONTINUE;
};

export function simulate(options: SimulationOptions): Simulation {
  const calls: ScriptedCall[] = [];
  const records: AccessRecord[] = [];
  const told: AlertMatch[] = [];
  const releases: Reservation[] = [];
  const cancelled: Reservation[] = [];
  const settled: Simulation['settled'] = [];
  const wakes: { exchange: { wake(): void }; delayMs: number }[] = [];
  const counts: PromptToCount[] = [];
  const epochs = new SharedArrayBuffer(4 * EPOCH_CELLS.count);
  const cells = new Int32Array(epochs);
  const identities = new IdentityCache(10);
  const versions = new VersionStore(epochs, identities, () => {}, new DroppedMemory());
  versions.addRules(buildVersion(options, calls, { releases, cancelled, settled }));
  versions.addDirectory(1, IDENTITIES);
  cells[EPOCH_CELLS.rules] = 1;
  cells[EPOCH_CELLS.directory] = 1;
  const simulation: Simulation = {
    thread: new ExchangeThread({
      clock: { monotonicMs: () => simulation.nowMs, wallMs: () => simulation.nowMs },
      random: { fill: () => {}, uint32: () => 0x12345678 },
      limits: { ...LIMIT_DEFAULTS, ...options.limits },
      server: {
        refuseChunkedRequests: false,
        forwardedFields: 'none',
        mergeSlashes: true,
        tellCosts: false,
        certificates: null,
        traces: null,
        ...options.server,
      },
      versions,
      identities,
      tokens: new TokenIdentities({ verify: () => Promise.resolve('invalid') }, 10, 10),
      certificates: new CertificateIdentities({ verify: () => 'malformed' }, 10, []),
      signatures: options.signatures ?? NO_SIGNATURES,
      records: { write: (record) => void records.push({ ...record }) },
      eventLoopDelayMs: () => options.delayMs ?? 0,
      tellCrossings: () => {},
      tellAlerts: (matches) => void told.push(...matches),
      askCount: (prompt) => void counts.push(prompt),
      later: (delayMs, run) => void wakes.push({ exchange: { wake: run }, delayMs }),
    }),
    records,
    told,
    calls,
    releases,
    cancelled,
    settled,
    wakes,
    counts,
    nowMs: 1_000,
    request(method, target, fields = ['host', 'a.test'], client = new SimulatedClient()) {
      const [path, query] = target.split('?') as [string, string | undefined];
      new Exchange(simulation.thread, client).begin({
        method,
        path,
        query: query ?? '',
        fields,
      });
      return client;
    },
  };
  return simulation;
}

function buildVersion(
  options: SimulationOptions,
  calls: ScriptedCall[],
  { releases, cancelled, settled }: Pick<Simulation, 'releases' | 'cancelled' | 'settled'>,
) {
  const unused = (): never => {
    throw new Error('these bundles have no counters');
  };
  const binding = {
    createBatch: unused,
    take: unused,
    look: unused,
    reserve: unused,
    hold: unused,
    cancel: (reservation: Reservation) => void cancelled.push(reservation),
    settle: unused,
    settleEstimates(reservation: Reservation, actuals: CallActuals) {
      assert(!releases.includes(reservation), 'a reservation is settled before it is released');
      settled.push({ reservation, actual: actuals.money ?? -1, actuals });
      options.counters?.settleEstimates(reservation, actuals);
    },
    swap: unused,
  };
  const upstream: Upstream = {
    service: () => ({
      dispatch(request, handler) {
        calls.push(new ScriptedCall(request, handler));
        return calls.at(-1)!;
      },
      tunnel: () => SILENT_TUNNEL,
      outForMs: () => 0,
      retire() {},
    }),
    resolved: unused,
    load: unused,
    close() {},
  };
  const steps = buildRuleVersion({
    epoch: 1,
    endpointSlots: new Int32Array(),
    rules: served(bundleOf(options)),
    counters: {
      bind: () => ({
        ...binding,
        release: (reservation) => {
          releases.push(reservation);
          options.counters?.release(reservation);
        },
      }),
    },
    upstream,
    instantiate: () => ({ ...PERMIT_ALL, ...options.pipeline }),
    turns: NOBODY_WAITS,
    hashKey: () => {},
    combineKey: () => {},
    bodies: { compileSchema: () => () => null, limits: LIMIT_DEFAULTS },
    alerts: { matched() {} },
    models: {
      bind: () =>
        options.models ?? {
          list: () => upstream.service({} as Service, []),
          service: () => ({
            ...upstream.service({} as Service, []),
            read: options.readCall ?? unused,
            as: (call, name) =>
              name === NOT_OFFERED ? null : { ...call, model: { ...call.model, name }, use: { ...call.use } },
            takesForms: false,
            capped: (call, outputTokens) => ({ ...call, facts: { ...call.facts, outputCap: outputTokens } }),
            prompt: options.promptOf ?? (() => null),
            counted: (call, tokens) => ({
              ...call,
              prompt: 'counted',
              bounds: { ...call.bounds, 'input-tokens': tokens },
            }),
            send(call, pools, request, handler) {
              calls.push(new ScriptedCall(request, handler, pools, call.model.name));
              return calls.at(-1)!;
            },
          }),
        },
      renewKeys: unused,
    },
    preparedPools: null,
  });
  return atOnce(steps);
}

/** A model of no operation. */
export const NOT_OFFERED = 'not offered';

/** Of a service that never answers the handshake. */
const SILENT_TUNNEL: UpstreamTunnel = {
  unsent: false,
  buffered: 0,
  send() {},
  pause() {},
  resume() {},
  close() {},
  abort() {},
};

function served(bundle: RuleBundle): ServedRules {
  const packed = new BundlePacker().pack(bundle);
  assert(packed.ok, 'the routes of a test are right');
  return atOnce(unpackBundle(packed.value));
}

function atOnce<Value>(steps: Generator<void, Value>): Value {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

export function simulatedRoute(path: string, rest: Partial<Route> = {}): Route {
  return {
    name: 'route',
    service: 'service',
    ai: null,
    match: { methods: [], path, hosts: [], headers: [] },
    upstreamPath: null,
    state: 'published',
    version: 'v1',
    cost: null,
    tags: [],
    auth: 'none',
    identify: { keys: true, issuers: [], certificates: false, signatures: false },
    maxBodyBytes: 1_000,
    requestBody: null,
    repeatUnsafeMethods: false,
    websocket: null,
    priority: null,
    summary: null,
    place: 'test.yaml:1',
    ...rest,
  };
}

function bundleOf({ routes, bundle }: SimulationOptions): RuleBundle {
  return {
    hash: '0123456789abcdef',
    poolRules: { alerts: [], rotations: [] },
    routes: routes.map((route) => ({
      route,
      service: 0,
      function: 0,
      constants: [],
      parameterNames: [...route.match.path.matchAll(/\{([^}.]+)/g)].map((found) => found[1]!),
      headersRead: ['x-read'],
      queryRead: ['read'],
      body: null,
    })),
    services: [
      {
        name: 'service',
        owner: null,
        endpoints: [],
        timeouts: { connectMs: 1, firstByteMs: 2, idleMs: 3, totalMs: 10_000 },
        tls: { caFile: null, certificateFile: null, keyFile: null, serverName: null },
        ...SERVICE_SETTINGS,
        place: 'test.yaml:1',
      },
    ],
    models: NO_MODELS,
    functions: [],
    rules: [
      {
        policy: 'limits',
        rule: 'minute',
        shownName: 'limits/shown',
        kind: 'limit',
        place: 'x',
        mode: 'enforce',
        reviewDueDay: null,
      },
    ],
    counters: [],
    alerts: [],
    ...bundle,
  };
}

const PERMIT_ALL: RoutePipeline = {
  match: () => CONTINUE,
  authorise: () => CONTINUE,
  readBody: null,
  judgeBody: () => CONTINUE,
  admit: RESERVE,
  targetLimits: null,
  shapeRequest: () => {},
  shapeResponse: () => {},
  requestTransform: null,
  outputCap: null,
  requestMasks: null,
  responseMasks: null,
  maskRequest: null,
  responseTransform: null,
  alerts: null,
  alertsReadAddress: false,
  totalTimeoutMs: () => Number.POSITIVE_INFINITY,
  cacheForMs: null,
  poolsFor: () => null,
  barredPools: () => null,
  refuseTargets: () => null,
};

const NO_SIGNATURES: SignatureVerifier = {
  accepted: 'sig=("@path")',
  verify: () => ({ fault: 'signature_invalid', detail: 'No.' }),
};

/** Keys `good…` are valid; `good-until-1100` is until then. */
const IDENTITIES: IdentitySource = {
  identifyByName(name, wallMs) {
    const found = IDENTITIES.identify(Buffer.from(name).toString(), wallMs);
    if (typeof found === 'string') return found;
    const { expiresMs } = found.identity.credential;
    return expiresMs !== null && expiresMs <= wallMs ? 'expired' : found;
  },
  secretsOf: () => [],
  identify(key) {
    if (!key.startsWith('good')) return 'unknown';
    const keyHash = { high: 0, low: 0 };
    const identity = {
      tenant: { name: 'acme', plan: 'gold', priority: 'normal' as const, share: 3, attributes: {}, keyHash },
      team: { name: 'red', attributes: {}, keyHash },
      consumer: { name: 'app', attributes: {}, keyHash, roles: [], subscriptions: new Set<string>() },
      credential: {
        name: 'key',
        kind: 'key' as const,
        keyHash,
        createdMs: 0,
        expiresMs: key === 'good-until-1100' ? 1_100 : null,
      },
    };
    return { identity, slot: 0, state: 0 };
  },
  holds: () => true,
  named: () => null,
};

/** As the next read does: pieces of an answer die with the call. */
function overwrite(piece: Uint8Array): void {
  piece.fill(0x23);
}

function bytes(value: string): Uint8Array {
  return Buffer.from(value, 'latin1');
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString('latin1');
}
