/** Calls to models with everything around them scripted: providers answer what a test says, and time passes when it says so. */
import { SERVICE_SETTINGS } from '../../test/upstream/service-settings.ts';
import { AS_THE_DIALECT } from '../ai/usage-fields.cases.ts';
import { assert } from '../base/assert.ts';
import { LIMIT_DEFAULTS, type LimitValues } from '../base/limits.ts';
import { err, ok } from '../base/result.ts';
import type { Models as Configured, ErrorRule, KeyLimit, Model, Pool, Provider } from '../model/pools.ts';
import type { CallOperation } from '../model/route-calls.ts';
import type { BodyDecoders } from '../pipeline/body-decoding.ts';
import type { BoundModels } from '../pipeline/key-pool.ts';
import type { CountedPrompt, ModelRequest, NoModelRequest, PoolChoice } from '../pipeline/model-request.ts';
import type { TargetLimits } from '../pipeline/target-limits.ts';
import type {
  ResponseHead,
  UpstreamCall,
  UpstreamError,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamService,
} from '../pipeline/upstream.ts';
import { ThreadModelServices } from './model-services.ts';
import { createPoolMemory } from './pool-memory.ts';
import { PoolRegistry, type PreparedPools, type RenewedKeys, type SavedPools } from './pool-registry.ts';

/** As the next read does: pieces of an answer die with the call. */
function overwrite(bytes: Buffer): void {
  bytes.fill('#');
}

export class ProviderCall implements UpstreamCall {
  readonly request: UpstreamRequest;
  readonly handler: UpstreamHandler;
  readonly provider: string;
  unsent = false;
  aborted = false;
  body = '';

  constructor(provider: string, request: UpstreamRequest, handler: UpstreamHandler) {
    this.provider = provider;
    this.request = request;
    this.handler = handler;
  }

  /** The secret that it was sent with. */
  get key(): string {
    return /authorization: Bearer (\S+)\r\n/.exec(this.request.fieldLines)?.[1] ?? '';
  }

  write(chunk: Uint8Array): boolean {
    this.body += Buffer.from(chunk).toString();
    return true;
  }
  end(): void {}
  pause(): void {}
  resume(): void {}
  abort(): void {
    this.aborted = true;
  }

  answer(status: number, body: unknown, fields: readonly string[] = []): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    this.head(status, text, true, ['content-type', 'application/json', ...fields]);
  }

  head(status: number, text: string, last: boolean, fields: readonly string[]): void {
    assert(!this.aborted, 'an aborted call is answered');
    const bytes = Buffer.from(text);
    const head = {
      status,
      fields,
      bodyBytes: -1,
      hasBody: true,
      untilClose: false,
      endpoint: 0,
      attempts: 1,
    };
    this.handler.onHead(head, bytes, last);
    overwrite(bytes);
  }

  stream(text: string, last = false): void {
    const bytes = Buffer.from(text);
    this.handler.onData(bytes, last);
    overwrite(bytes);
  }

  fail(error: Partial<UpstreamError> = {}): void {
    this.handler.onError({
      code: 'upstream_closed_in_answer',
      detail: '',
      endpoint: 0,
      attempts: 1,
      unprocessed: false,
      refusedStatus: 0,
      ...error,
    });
  }
}

/** What the caller of a model got. */
export class Caller implements UpstreamHandler {
  head: ResponseHead | null = null;
  body = '';
  ended = false;
  error: UpstreamError | null = null;

  onHead(head: ResponseHead, chunk: Uint8Array, last: boolean): void {
    assert(!this.ended && this.head === null, 'one answer');
    this.head = head;
    this.onData(chunk, last);
  }
  onData(chunk: Uint8Array, last: boolean): void {
    assert(!this.ended, 'nothing after the end');
    this.body += Buffer.from(chunk).toString();
    this.ended = last;
  }
  onDrain(): void {}
  onError(error: UpstreamError): void {
    assert(!this.ended, 'nothing after the end');
    this.error = error;
    this.ended = true;
  }
}

export interface ModelsOptions {
  readonly pools: readonly (Partial<Omit<Pool, 'keys'>> & { name: string; keys: readonly KeyOptions[] })[];
  readonly provider?: Partial<Provider>;
  readonly model?: Partial<Model>;
  readonly limits?: Partial<LimitValues>;
  /** Null: no secret is there. */
  readonly secretPrefix?: string | null;
  /** Secrets that lie in files, by the names of the keys; they may be changed. */
  readonly files?: Map<string, string>;
  /** Secrets of the store, by the names of the keys; they may be changed. */
  readonly rotated?: Map<string, RotatedSecret>;
  /** A further model of the same pools. */
  readonly second?: string;
  readonly secondModel?: ModelsOptions['model'];
  readonly random?: () => number;
  readonly decoders?: BodyDecoders;
  readonly nowMs?: number;
  readonly wallAheadMs?: number;
  /** Names of keys that people had disabled before the process began. */
  readonly disabled?: readonly string[];
  readonly restores?: { readonly saved: SavedPools; readonly shiftMs: number };
}

export interface RotatedSecret {
  readonly present: string;
  readonly former: string | null;
  readonly sinceMs: number;
  readonly untilMs: number;
}

export interface KeyOptions {
  readonly name: string;
  readonly account?: string;
  readonly limits?: readonly KeyLimit[];
  readonly priority?: number;
  readonly weight?: number;
}

export class Models {
  readonly calls: ProviderCall[] = [];
  /** Of providers that are left alone, by their names. */
  readonly outForMs = new Map<string, number>();
  readonly models: Configured;
  readonly registry: PoolRegistry;
  /** Prompts that are being counted, and what to say of each: how many tokens it has, or null. */
  readonly counting: { readonly prompt: CountedPrompt; readonly tell: (tokens: number | null) => void }[] =
    [];
  /** Most that are. */
  countedMax = 10;
  nowMs: number;
  /** How far the wall clock is ahead of where it was. */
  wallAheadMs = 0;
  readonly #prepared: PreparedPools;
  readonly #thread: ThreadModelServices;
  /** What sends calls to them. */
  readonly bound: BoundModels;
  readonly #due: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor(options: ModelsOptions) {
    this.nowMs = options.nowMs ?? 1_000;
    this.wallAheadMs = options.wallAheadMs ?? 0;
    const limits = { ...LIMIT_DEFAULTS, ...options.limits };
    const memory = createPoolMemory(limits, 1);
    const clock = { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs + this.wallAheadMs };
    this.registry = new PoolRegistry({
      memory,
      sizes: limits,
      clock,
      readSecret: (reference) => {
        if (reference.in === 'file') {
          const text = options.files?.get(reference.path);
          return text === undefined ? err('no such file') : ok(Buffer.from(text));
        }
        const rotated = reference.in === 'store' ? options.rotated?.get(reference.name) : undefined;
        if (rotated !== undefined) return ok(Buffer.from(rotated.present));
        return options.secretPrefix === null
          ? err('it is not set')
          : ok(Buffer.from(`${options.secretPrefix ?? 'secret'}-of-${reference.name}`));
      },
      setAside: (_pool, key) => (options.disabled?.includes(key) === true ? 'disabled' : null),
      readFormer: (reference) => {
        const rotated = reference.in === 'store' ? options.rotated?.get(reference.name) : undefined;
        if (rotated === undefined || rotated.former === null) return null;
        return { ...rotated, value: Buffer.from(rotated.former) };
      },
    });
    if (options.restores !== undefined)
      this.registry.restore(options.restores.saved, options.restores.shiftMs);
    const pools = new Map(options.pools.map((pool) => [pool.name, poolOf(pool, options)]));
    const providers = new Map(
      [...pools.values()].map(({ provider }) => [provider, providerOf(provider, options.provider)]),
    );
    const model: Model = {
      name: 'gpt',
      upstreamName: 'gpt',
      pools: [...pools.keys()],
      tags: [],
      price: null,
      datedPrices: [],
      poolPrices: [],
      contextTokens: null,
      outputTokensMax: null,
      answerTokensMost: null,
      searches: false,
      tokenizer: null,
      place: 'test.yaml:1',
      ...options.model,
    };
    const models = { providers, pools, models: new Map([[model.name, model]]) };
    if (options.second !== undefined)
      models.models.set(options.second, {
        ...model,
        name: options.second,
        upstreamName: options.second,
        ...options.secondModel,
      });
    this.models = models;
    const prepared = this.registry.prepare(models);
    if (!prepared.ok) throw new Error(prepared.error);
    this.#prepared = prepared.value;
    this.registry.activate(models);
    const services = new Map(
      [...providers.keys()].map((name): [string, UpstreamService] => [
        name,
        {
          dispatch: (request, handler) => {
            this.calls.push(new ProviderCall(name, request, handler));
            return this.calls.at(-1)!;
          },
          tunnel: () => {
            throw new Error('no WebSockets');
          },
          outForMs: () => this.outForMs.get(name) ?? 0,
          retire() {},
        },
      ]),
    );
    this.#thread = new ThreadModelServices({
      memory,
      limits,
      thread: 0,
      clock,
      random: { fill: () => {}, uint32: options.random ?? (() => 0) },
      countPrompt: (prompt) =>
        this.counting.length === this.countedMax
          ? null
          : new Promise((tell) => void this.counting.push({ prompt, tell })),
      decoders: options.decoders ?? { decode: () => null },
      later: (delayMs, run) => void this.#due.push({ atMs: this.nowMs + delayMs, run }),
    });
    this.bound = this.#thread.bind(models, prepared.value, services);
  }

  /** As the control thread does every two seconds. */
  renewSecrets(): RenewedKeys {
    const renewed = this.registry.renew(this.models);
    this.tellKeys(renewed);
    this.registry.renewed(renewed, this.models);
    return renewed;
  }

  /** As the data thread hears it. */
  tellKeys(renewed: unknown): void {
    this.#thread.renewKeys(renewed);
  }

  /** Places in queues. */
  get waiting(): number {
    return this.#thread.waiting;
  }

  /** The calls since the last time that this was asked. */
  newCalls(): ProviderCall[] {
    return this.calls.splice(0);
  }

  call(
    body: unknown,
    operation: CallOperation = 'openai/chat',
    request: Partial<UpstreamRequest> = {},
    pools: PoolChoice | null = null,
  ): Caller & { call: UpstreamCall } {
    const caller = new Caller();
    const plan = this.read(body, operation);
    if ('code' in plan) throw new Error(plan.sentence);
    return Object.assign(caller, { call: this.send(plan, caller, operation, request, pools) });
  }

  send(
    plan: ModelRequest,
    caller: Caller,
    operation: CallOperation = 'openai/chat',
    request: Partial<UpstreamRequest> = {},
    pools: PoolChoice | null = null,
    limits: TargetLimits | null = null,
  ): UpstreamCall {
    const service = this.bound.service(operation);
    const call = service.send(plan, pools, { ...REQUEST, ...request }, caller, limits);
    this.pass(0);
    return call;
  }

  as(plan: ModelRequest, model: string, operation: CallOperation = 'openai/chat'): ModelRequest | null {
    return this.bound.service(operation).as(plan, model);
  }

  capped(plan: ModelRequest, outputTokens: number, operation: CallOperation): ModelRequest {
    const capped = this.bound.service(operation).capped(plan, outputTokens);
    if ('code' in capped) throw new Error(capped.sentence);
    return capped;
  }

  prompt(plan: ModelRequest, operation: CallOperation = 'openai/chat'): CountedPrompt | null {
    return this.bound.service(operation).prompt(plan);
  }

  counted(plan: ModelRequest, promptTokens: number, operation: CallOperation = 'openai/chat'): ModelRequest {
    return this.bound.service(operation).counted(plan, promptTokens);
  }

  read(
    body: unknown,
    operation: CallOperation = 'openai/chat',
    boundary: string | null = null,
  ): ModelRequest | NoModelRequest {
    const text = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    return this.bound.service(operation).read(text, boundary);
  }

  /** The lane of the model that calls with this secret are counted in. */
  laneOf(secret: string): number {
    for (const { keys } of this.#prepared.pools)
      for (const key of keys) if (key.secret === secret) return Object.values(key.lanes)[0]!.at(-1)!;
    throw new Error(`no key has the secret ${secret}`);
  }

  /** The first of the prompts that are being counted has so many tokens; null: they could not be counted. */
  async tellCount(tokens: number | null): Promise<void> {
    this.counting.shift()!.tell(tokens);
    await Promise.resolve();
    this.pass(0);
  }

  /** Time passes, and what is due runs. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = this.#due.reduce((first, { atMs }) => Math.min(first, atMs), Number.POSITIVE_INFINITY);
      if (next > endMs) break;
      this.nowMs = Math.max(this.nowMs, next);
      const at = this.#due.findIndex(({ atMs }) => atMs === next);
      this.#due.splice(at, 1)[0]!.run();
    }
    this.nowMs = endMs;
  }
}

const REQUEST: UpstreamRequest = {
  method: 'POST',
  target: '/v1/chat/completions',
  fieldLines: 'content-type: application/json\r\n',
  idLines: '',
  host: null,
  bodyBytes: 0,
  repeatable: false,
  connectMs: 1,
  firstByteMs: 1,
  idleMs: 1,
  tenant: null,
  priority: 'normal',
  share: 1,
};

export const HELLO = { model: 'gpt', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 10 };
export const ANSWER = { id: 'c', choices: [], usage: { prompt_tokens: 9, completion_tokens: 3 } };
export const TWO_KEYS = [{ name: 'pool', keys: [{ name: 'a' }, { name: 'b' }] }];

export function perMinute(unit: KeyLimit['unit'], amount: number): KeyLimit {
  return {
    unit,
    kind: 'bucket',
    amount,
    windowMs: 60_000,
    source: 'declared',
    model: null,
    per: 'model',
    zone: null,
  };
}

function poolOf(
  options: ModelsOptions['pools'][number],
  { files, rotated }: Pick<ModelsOptions, 'files' | 'rotated'>,
): Pool {
  return {
    provider: 'one',
    choose: 'headroom',
    sticky: null,
    queue: { upToMs: 0, waiting: 100 },
    rotationHook: null,
    place: 'test.yaml:1',
    ...options,
    keys: options.keys.map(({ name, account, limits, priority, weight }) => ({
      name,
      account: account ?? name,
      secret:
        files?.has(name) === true
          ? { in: 'file', path: name }
          : { in: rotated?.has(name) === true ? 'store' : 'environment', name },
      priority: priority ?? 1,
      weight: weight ?? 1,
      limits: limits ?? [],
      place: 'test.yaml:1',
    })),
  };
}

const ERRORS: readonly ErrorRule[] = [
  { statuses: [429], codes: ['insufficient_quota'], messageContains: null, means: 'out-of-credit' },
  { statuses: [429], codes: [], messageContains: null, means: 'throttled' },
  { statuses: [401], codes: [], messageContains: null, means: 'unauthorised' },
  { statuses: [], codes: ['context_length_exceeded'], messageContains: null, means: 'context-too-long' },
  { statuses: [500, 503], codes: [], messageContains: null, means: 'overloaded' },
];

function providerOf(name: string, changes: Partial<Provider> = {}): Provider {
  return {
    name,
    dialect: 'openai',
    service: {
      name,
      owner: null,
      endpoints: [],
      timeouts: { connectMs: 1, firstByteMs: 2, idleMs: 3, totalMs: 4 },
      tls: { caFile: null, certificateFile: null, keyFile: null, serverName: null },
      ...SERVICE_SETTINGS,
      place: 'test.yaml:1',
    },
    region: null,
    auth: { header: 'authorization', prefix: 'Bearer ' },
    headers: [],
    limitHeaders: [
      {
        unit: 'requests',
        windowMs: 60_000,
        limit: 'x-ratelimit-limit-requests',
        remaining: 'x-ratelimit-remaining-requests',
        reset: 'x-ratelimit-reset-requests',
        resetFormat: 'duration',
      },
    ],
    retryHeaders: [{ name: 'retry-after', format: 'seconds' }],
    errors: ERRORS,
    tokensCounted: 'used',
    dailyZone: null,
    outputCapMember: 'max_completion_tokens',
    modelMembers: [],
    streamUsage: 'asked',
    usage: AS_THE_DIALECT,
    place: 'test.yaml:1',
    ...changes,
  };
}
