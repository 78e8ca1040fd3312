import { LIMIT_DEFAULTS, type LimitValues } from '../../src/base/limits.ts';
import type { Endpoint, Service } from '../../src/model/world.ts';
import type {
  ResponseHead,
  Upstream,
  UpstreamCall,
  UpstreamError,
  UpstreamRequest,
  UpstreamService,
} from '../../src/pipeline/upstream.ts';
import { createUpstream } from '../../src/upstream/client.ts';
import { createEndpointMemory } from '../../src/upstream/endpoint-memory.ts';
import { SERVICE_SETTINGS } from './service-settings.ts';

/** A client whose time stands still until the test moves it. */
export class ClientHarness {
  nowMs = 1_000_000;
  readonly upstream: Upstream;
  /** Of endpoints. */
  readonly memory: SharedArrayBuffer;
  #tick: (() => void) | null = null;
  #seed = 42;
  #slots = 0;

  constructor(
    limits: Partial<LimitValues> = {},
    files: Readonly<Record<string, string>> = {},
    memory = createEndpointMemory(SLOTS),
  ) {
    this.memory = memory;
    this.upstream = createUpstream({
      clock: { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs },
      random: {
        fill: (target) => target.fill(0),
        uint32: () => {
          this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
          return this.#seed;
        },
      },
      limits: { ...LIMIT_DEFAULTS, ...limits },
      endpoints: this.memory,
      readFile: (path) => files[path] ?? '',
      ticker: (tick) => {
        this.#tick = tick;
        return () => {
          this.#tick = null;
        };
      },
    });
  }

  /** Whether anything is being watched: a client without connections needs no timer. */
  get isTicking(): boolean {
    return this.#tick !== null;
  }

  /** With a tick before most of it is over, as they come every 50 ms: deadlines count from the next one. */
  advance(ms: number): void {
    this.#tick?.();
    this.nowMs += ms;
    this.#tick?.();
  }

  service(...ports: (number | Partial<Endpoint>)[]): UpstreamService {
    return this.open(serviceOf(...ports));
  }

  /** With new slots for its endpoints. */
  open(service: Service): UpstreamService {
    return this.upstream.service(
      service,
      service.endpoints.map(() => this.#slots++),
    );
  }
}

export function serviceOf(...ports: (number | Partial<Endpoint>)[]): Service {
  return {
    name: 'orders',
    owner: null,
    endpoints: ports.map((port) => ({
      protocol: 'http',
      host: '127.0.0.1',
      port: 0,
      basePath: '',
      weight: 1,
      ...(typeof port === 'number' ? { port } : port),
    })),
    timeouts: { connectMs: 1_000, firstByteMs: 10_000, idleMs: 30_000, totalMs: 60_000 },
    tls: { caFile: null, certificateFile: null, keyFile: null, serverName: null },
    ...SERVICE_SETTINGS,
    place: 'portunus.yaml:1:1',
  };
}

const SLOTS = 100;

/** What became of a call. */
export interface Outcome {
  readonly head: ResponseHead | null;
  readonly body: string;
  readonly error: UpstreamError | null;
}

export interface Exchange {
  readonly call: UpstreamCall;
  readonly outcome: Promise<Outcome>;
  /** Resolves with the head, or with null after an error. */
  readonly head: Promise<ResponseHead | null>;
  /** Resolves when the call may be written to again. */
  drained(): Promise<void>;
  /** Calls of the handler after its last one: must stay 0. */
  readonly callsAfterEnd: () => number;
  readonly body: () => string;
}

export function request(changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: 'GET',
    target: '/items?x=1',
    fieldLines: 'x-test: 1\r\n',
    idLines: '',
    host: null,
    bodyBytes: 0,
    repeatable: false,
    connectMs: 1_000,
    firstByteMs: 10_000,
    idleMs: 30_000,
    tenant: null,
    priority: 'normal',
    share: 1,
    ...changes,
  };
}

/** A POST with this body, as long as it is declared. */
export function post(body: string, changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return request({ method: 'POST', bodyBytes: Buffer.byteLength(body, 'latin1'), ...changes });
}

/** Dispatches and, when given, sends the body in one piece. */
export function exchange(service: UpstreamService, what: UpstreamRequest, body = ''): Exchange {
  let head: ResponseHead | null = null;
  let text = '';
  let isOver = false;
  let callsAfterEnd = 0;
  const drains: (() => void)[] = [];
  let settle: (outcome: Outcome) => void = () => undefined;
  let settleHead: (head: ResponseHead | null) => void = () => undefined;
  const outcome = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });
  const headArrived = new Promise<ResponseHead | null>((resolve) => {
    settleHead = resolve;
  });
  const count = () => {
    if (isOver) callsAfterEnd++;
  };
  const take = (chunk: Uint8Array, last: boolean) => {
    text += Buffer.from(chunk).toString('latin1');
    if (!last) return;
    isOver = true;
    settle({ head, body: text, error: null });
  };
  const call = service.dispatch(what, {
    onHead(received, chunk, last) {
      count();
      head = received;
      settleHead(received);
      take(chunk, last);
    },
    onData(chunk, last) {
      count();
      take(chunk, last);
    },
    onDrain() {
      count();
      for (const drained of drains.splice(0)) drained();
    },
    onError(error) {
      count();
      isOver = true;
      settleHead(null);
      settle({ head, body: text, error });
    },
  });
  if (body !== '') call.write(Buffer.from(body, 'latin1'));
  if (body !== '' && what.bodyBytes !== 0) call.end();
  return {
    call,
    outcome,
    head: headArrived,
    drained: () => new Promise((resolve) => drains.push(resolve)),
    callsAfterEnd: () => callsAfterEnd,
    body: () => text,
  };
}

/** Lets pending input and output happen: `count` turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
