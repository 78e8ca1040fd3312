/**
 * Accounts of the mock provider and their limits, enforced as OpenAI and Anthropic do: token buckets that refill evenly, one set
 * for each account and model, whatever key is used.
 */
import type { KeyPlace } from './key-places.ts';

export const LIMIT_NAMES = ['rps', 'rpm', 'tpm', 'itpm', 'otpm', 'rpd', 'tpd'] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];
export type Limits = Readonly<Partial<Record<LimitName, number>>>;

export interface AccountOptions {
  readonly name: string;
  readonly keys: readonly string[];
  /** Where its keys have to be shown; absent: where the dialect's SDKs do. */
  readonly keysAt?: KeyPlace;
  /** Of each model. */
  readonly limits: Limits;
  /** Of one model, by its name: in place of those of each. */
  readonly modelLimits?: Readonly<Record<string, Limits>>;
  /** Tokens that are paid for; absent: no end to them. */
  readonly creditTokens?: number;
}

/** What a call takes: its prompt, and the most that its answer may have. */
export interface Asked {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface LimitState {
  readonly name: LimitName;
  readonly amount: number;
  /** Never negative, as providers tell it. */
  readonly remaining: number;
  /** Until it is full again. */
  readonly resetMs: number;
}

export interface AccountCounts {
  requests: number;
  refused: number;
  unauthorised: number;
  inputTokens: number;
  outputTokens: number;
}

interface Bucket {
  amount: number;
  left: number;
  atMs: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Of each limit: how long until all of it has come back, and what of a call counts against it. */
const KINDS: Readonly<
  Record<
    LimitName,
    {
      readonly windowMs: number;
      readonly counts: 'calls' | 'tokens';
      readonly needOf: (asked: Asked) => number;
    }
  >
> = {
  rps: { windowMs: 1_000, counts: 'calls', needOf: () => 1 },
  rpm: { windowMs: MINUTE_MS, counts: 'calls', needOf: () => 1 },
  tpm: { windowMs: MINUTE_MS, counts: 'tokens', needOf: allTokens },
  itpm: { windowMs: MINUTE_MS, counts: 'tokens', needOf: ({ inputTokens }) => inputTokens },
  otpm: { windowMs: MINUTE_MS, counts: 'tokens', needOf: ({ outputTokens }) => outputTokens },
  rpd: { windowMs: DAY_MS, counts: 'calls', needOf: () => 1 },
  tpd: { windowMs: DAY_MS, counts: 'tokens', needOf: allTokens },
};

function allTokens({ inputTokens, outputTokens }: Asked): number {
  return inputTokens + outputTokens;
}

/** Whether a limit is one of calls, or of their tokens; and of which time. */
export function limitKind(name: LimitName): {
  readonly counts: 'calls' | 'tokens';
  readonly per: 'second' | 'minute' | 'day';
} {
  const { counts, windowMs } = KINDS[name];
  return { counts, per: windowMs === DAY_MS ? 'day' : windowMs === MINUTE_MS ? 'minute' : 'second' };
}

export class Account {
  readonly name: string;
  readonly counts: AccountCounts = {
    requests: 0,
    refused: 0,
    unauthorised: 0,
    inputTokens: 0,
    outputTokens: 0,
  };
  readonly revoked = new Set<string>();
  #limits: Limits;
  #modelLimits: Readonly<Record<string, Limits>>;
  #creditTokens: number;
  readonly #buckets = new Map<
    string,
    { readonly name: LimitName; readonly model: string; readonly bucket: Bucket }
  >();

  constructor({ name, limits, modelLimits, creditTokens }: AccountOptions) {
    this.name = name;
    this.#limits = limits;
    this.#modelLimits = modelLimits ?? {};
    this.#creditTokens = creditTokens ?? Number.POSITIVE_INFINITY;
  }

  get hasCredit(): boolean {
    return this.#creditTokens > 0;
  }

  pay(tokens: number): void {
    this.#creditTokens += tokens;
  }

  /** What is in use stays in use. */
  setLimits(limits: Limits, modelLimits: Readonly<Record<string, Limits>> = {}): void {
    this.#limits = limits;
    this.#modelLimits = modelLimits;
    for (const { name, model, bucket } of this.#buckets.values()) {
      const amount = this.#limitsOf(model)[name];
      if (amount === undefined) continue;
      bucket.left += amount - bucket.amount;
      bucket.amount = amount;
    }
  }

  /** The limit that has no room for the call, with the wait until it will – without end where it never has; null: all had, and it is taken. */
  take(
    model: string,
    asked: Asked,
    nowMs: number,
  ): { readonly limit: LimitName; readonly waitMs: number } | null {
    const names = this.#names(model);
    for (const name of names) {
      const bucket = this.#bucket(name, model, nowMs);
      const { needOf, windowMs } = KINDS[name];
      const missing = needOf(asked) - bucket.left;
      if (missing <= 0) continue;
      const isTooLarge = needOf(asked) > bucket.amount;
      return {
        limit: name,
        waitMs: isTooLarge ? Number.POSITIVE_INFINITY : (missing * windowMs) / bucket.amount,
      };
    }
    for (const name of names) this.#bucket(name, model, nowMs).left -= KINDS[name].needOf(asked);
    return null;
  }

  /** The answer had this many tokens less than the call had asked for. */
  giveBack(model: string, unused: Asked, nowMs: number): void {
    for (const name of this.#names(model)) {
      const { counts, needOf } = KINDS[name];
      if (counts === 'calls') continue;
      const bucket = this.#bucket(name, model, nowMs);
      bucket.left = Math.min(bucket.amount, bucket.left + needOf(unused));
    }
  }

  use(inputTokens: number, outputTokens: number): void {
    this.counts.inputTokens += inputTokens;
    this.counts.outputTokens += outputTokens;
    this.#creditTokens -= inputTokens + outputTokens;
  }

  states(model: string, nowMs: number): LimitState[] {
    return this.#names(model).map((name) => {
      const { amount, left } = this.#bucket(name, model, nowMs);
      const remaining = Math.max(0, Math.floor(left));
      return { name, amount, remaining, resetMs: ((amount - left) * KINDS[name].windowMs) / amount };
    });
  }

  #limitsOf(model: string): Limits {
    return Object.hasOwn(this.#modelLimits, model)
      ? { ...this.#limits, ...this.#modelLimits[model] }
      : this.#limits;
  }

  #names(model: string): LimitName[] {
    const limits = this.#limitsOf(model);
    return LIMIT_NAMES.filter((name) => limits[name] !== undefined);
  }

  #bucket(name: LimitName, model: string, nowMs: number): Bucket {
    const place = `${name} ${model}`;
    let bucket = this.#buckets.get(place)?.bucket;
    if (bucket === undefined) {
      const amount = this.#limitsOf(model)[name]!;
      bucket = { amount, left: amount, atMs: nowMs };
      this.#buckets.set(place, { name, model, bucket });
    }
    const back = ((nowMs - bucket.atMs) * bucket.amount) / KINDS[name].windowMs;
    bucket.left = Math.min(bucket.amount, bucket.left + back);
    bucket.atMs = nowMs;
    return bucket;
  }
}
