/**
 * A provider behind the upstream port, in virtual time: calls take a while to come to it, it enforces what the scenario says of its
 * accounts, and its answers are those of OpenAI's chat API, whole or as events.
 */
import type {
  ResponseHead,
  UpstreamCall,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamService,
} from '../../src/pipeline/upstream.ts';
import { type LoadedCall, sizeOf } from './load.ts';
import { type Change, keysOf, type Scenario, type ScenarioProvider } from './scenario.ts';
import { type LimitReading, TrueLimits } from './true-limits.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface ProviderCounts {
  calls: number;
  /** Refused because a limit was met. */
  throttled: number;
  unauthorised: number;
  failed: number;
}

export interface SimulatedProviderOptions {
  readonly spec: ScenarioProvider;
  readonly changes: Scenario['changes'];
  readonly load: readonly LoadedCall[];
  readonly time: VirtualTime;
  readonly random: () => number;
  /** Written: when it took which call. */
  readonly acceptedMs: number[];
}

/** The field that says which call of the load it is. */
export const CALL_FIELD = 'x-bench-call';

export class SimulatedProvider implements UpstreamService {
  readonly counts: ProviderCounts = { calls: 0, throttled: 0, unauthorised: 0, failed: 0 };
  readonly #options: SimulatedProviderOptions;
  readonly #limits = new Map<string, TrueLimits>();
  /** By key. */
  readonly #accounts = new Map<string, TrueLimits>();
  readonly #revoked = new Set<string>();
  #isOut = false;

  constructor(options: SimulatedProviderOptions) {
    this.#options = options;
    for (const account of options.spec.accounts) {
      const limits = new TrueLimits(account.windows);
      this.#limits.set(account.name, limits);
      for (const key of keysOf(account)) this.#accounts.set(key, limits);
    }
    for (const change of options.changes) options.time.at(change.atMs, () => this.#change(change));
  }

  #change(change: Change): void {
    const { time, spec } = this.#options;
    if (change.kind === 'revoked') this.#revoked.add(change.key);
    else if (change.kind === 'limits')
      this.#limits.get(change.account)?.scale(change.factor, time.monotonicMs());
    else if (change.provider === spec.name) {
      this.#isOut = true;
      time.at(change.untilMs, () => {
        this.#isOut = false;
      });
    }
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const { time, load } = this.#options;
    const key = fieldIn(request.fieldLines, 'authorization').replace('Bearer ', '');
    const call = load[Number(fieldIn(request.fieldLines, CALL_FIELD))]!;
    const exchange = { handler, isOver: false, isSent: false };
    return {
      get unsent() {
        return !exchange.isSent;
      },
      write: () => true,
      end: () => {
        exchange.isSent = true;
        time.after(this.#leg(), () => this.#arrives(key, call, exchange));
      },
      abort() {
        exchange.isOver = true;
      },
      pause() {},
      resume() {},
    };
  }

  /** A provider that is away says so to every call. */
  outForMs(): number {
    return 0;
  }

  tunnel(): never {
    throw new Error('calls to models open no WebSockets');
  }

  retire(): void {}

  #arrives(key: string, call: LoadedCall, exchange: Exchange): void {
    const { spec, time } = this.#options;
    this.counts.calls++;
    if (this.#isOut) {
      this.counts.failed++;
      this.#refuse(exchange, 503, OVERLOADED, []);
      return;
    }
    const limits = this.#accounts.get(key);
    if (limits === undefined || this.#revoked.has(key)) {
      this.counts.unauthorised++;
      this.#refuse(exchange, 401, UNKNOWN_KEY, []);
      return;
    }
    const nowMs = time.monotonicMs();
    const asked = { requests: 1, tokens: sizeOf(call, 'tokens', 'reserved') };
    const full = limits.take(asked, nowMs);
    const fields = spec.tellsLimits ? limits.read(nowMs).flatMap(fieldsOf) : [];
    if (full !== null) {
      this.counts.throttled++;
      const error = { message: `Please try again in ${duration(full.waitMs)}.`, type: full.unit };
      const retry = spec.tellsLimits ? ['retry-after-ms', String(Math.ceil(full.waitMs))] : [];
      this.#refuse(exchange, 429, { error: { ...error, code: 'rate_limit_exceeded' } }, [
        ...fields,
        ...retry,
      ]);
      return;
    }
    this.#serve(call, limits, fields, exchange);
  }

  #serve(call: LoadedCall, limits: TrueLimits, fields: readonly string[], exchange: Exchange): void {
    const { spec, time, acceptedMs } = this.#options;
    acceptedMs[call.id] = time.monotonicMs();
    const beginsMs = this.#between(150, 600);
    const endsMs = beginsMs + call.outputTokens * this.#between(3, 8);
    const usage = { prompt_tokens: call.promptTokens, completion_tokens: call.outputTokens };
    time.after(endsMs, () => {
      if (spec.tokensCounted === 'used')
        limits.giveBack(call.maxTokens - call.outputTokens, time.monotonicMs());
    });
    if (call.streams) {
      // One connection keeps the order.
      const headMs = beginsMs + this.#leg();
      const events = `data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`;
      this.#answer(exchange, headMs, (handler) =>
        handler.onHead(headOf(200, ['content-type', 'text/event-stream', ...fields]), NOTHING, false),
      );
      this.#answer(exchange, Math.max(headMs, endsMs + this.#leg()), (handler) =>
        handler.onData(Buffer.from(events), true),
      );
    } else
      this.#answer(exchange, endsMs + this.#leg(), (handler) =>
        handler.onHead(
          headOf(200, ['content-type', 'application/json', ...fields]),
          Buffer.from(JSON.stringify({ choices: [], usage })),
          true,
        ),
      );
  }

  #refuse(exchange: Exchange, status: number, body: unknown, fields: readonly string[]): void {
    const head = headOf(status, ['content-type', 'application/json', ...fields]);
    this.#answer(exchange, this.#between(2, 20) + this.#leg(), (handler) =>
      handler.onHead(head, Buffer.from(JSON.stringify(body)), true),
    );
  }

  #answer(exchange: Exchange, inMs: number, tell: (handler: UpstreamHandler) => void): void {
    this.#options.time.after(inMs, () => {
      if (!exchange.isOver) tell(exchange.handler);
    });
  }

  /** Between gateway and provider, one way: mostly short, and now and then not. */
  #leg(): number {
    return this.#options.random() < 0.02 ? this.#between(40, 120) : this.#between(...LEG_MS);
  }

  #between(least: number, most: number): number {
    return least + this.#options.random() * (most - least);
  }
}

interface Exchange {
  readonly handler: UpstreamHandler;
  isOver: boolean;
  isSent: boolean;
}

const LEG_MS = [8, 30] as const;
const NOTHING = new Uint8Array(0);
const OVERLOADED = { error: { message: 'The server had an error.', type: 'server_error', code: null } };
const UNKNOWN_KEY = {
  error: { message: 'Incorrect API key provided.', type: 'invalid_request_error', code: 'invalid_api_key' },
};

function headOf(status: number, fields: readonly string[]): ResponseHead {
  return { status, fields, bodyBytes: -1, hasBody: true, untilClose: false, endpoint: 0, attempts: 1 };
}

/** As OpenAI tells them; of windows other than a minute it tells nothing. */
function fieldsOf({ unit, windowMs, amount, left, resetMs }: LimitReading): string[] {
  if (windowMs !== 60_000) return [];
  return [
    `x-ratelimit-limit-${unit}`,
    String(Math.floor(amount)),
    `x-ratelimit-remaining-${unit}`,
    String(left),
    `x-ratelimit-reset-${unit}`,
    duration(resetMs),
  ];
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Math.ceil(ms)}ms` : `${Math.ceil(ms) / 1_000}s`;
}

function fieldIn(lines: string, name: string): string {
  const line = lines.split('\r\n').find((one) => one.toLowerCase().startsWith(`${name}:`)) ?? '';
  return line.slice(name.length + 1).trim();
}
