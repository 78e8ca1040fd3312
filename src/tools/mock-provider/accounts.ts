/**
 * Accounts of the mock provider and their limits, enforced as OpenAI and Anthropic do: token buckets that refill evenly, one set
 * for each account and model, whatever key is used.
 */
export const LIMIT_NAMES = ['rpm', 'tpm', 'itpm', 'otpm', 'rpd'] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];
export type Limits = Readonly<Partial<Record<LimitName, number>>>;

export interface AccountOptions {
  readonly name: string;
  readonly keys: readonly string[];
  /** Of each model. */
  readonly limits: Limits;
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

const WINDOW_MS: Readonly<Record<LimitName, number>> = {
  rpm: 60_000,
  tpm: 60_000,
  itpm: 60_000,
  otpm: 60_000,
  rpd: 86_400_000,
};

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
  #creditTokens: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor({ name, limits, creditTokens }: AccountOptions) {
    this.name = name;
    this.#limits = limits;
    this.#creditTokens = creditTokens ?? Number.POSITIVE_INFINITY;
  }

  get hasCredit(): boolean {
    return this.#creditTokens > 0;
  }

  pay(tokens: number): void {
    this.#creditTokens += tokens;
  }

  /** What is in use stays in use. */
  setLimits(limits: Limits): void {
    this.#limits = limits;
    for (const [place, bucket] of this.#buckets) {
      const amount = limits[place.split(' ')[0] as LimitName];
      if (amount === undefined) continue;
      bucket.left += amount - bucket.amount;
      bucket.amount = amount;
    }
  }

  /** The limit that has no room for the call, with the wait until it will; null: all had, and it is taken. */
  take(
    model: string,
    asked: Asked,
    nowMs: number,
  ): { readonly limit: LimitName; readonly waitMs: number } | null {
    const names = this.#names();
    for (const name of names) {
      const bucket = this.#bucket(name, model, nowMs);
      const missing = needOf(name, asked) - bucket.left;
      if (missing > 0) return { limit: name, waitMs: (missing * WINDOW_MS[name]) / bucket.amount };
    }
    for (const name of names) this.#bucket(name, model, nowMs).left -= needOf(name, asked);
    return null;
  }

  /** The answer had this many tokens less than the call had asked for. */
  giveBack(model: string, unused: Asked, nowMs: number): void {
    for (const name of this.#names()) {
      if (name === 'rpm' || name === 'rpd') continue;
      const bucket = this.#bucket(name, model, nowMs);
      bucket.left = Math.min(bucket.amount, bucket.left + needOf(name, unused));
    }
  }

  use(inputTokens: number, outputTokens: number): void {
    this.counts.inputTokens += inputTokens;
    this.counts.outputTokens += outputTokens;
    this.#creditTokens -= inputTokens + outputTokens;
  }

  states(model: string, nowMs: number): LimitState[] {
    return this.#names().map((name) => {
      const { amount, left } = this.#bucket(name, model, nowMs);
      const remaining = Math.max(0, Math.floor(left));
      return { name, amount, remaining, resetMs: ((amount - left) * WINDOW_MS[name]) / amount };
    });
  }

  #names(): LimitName[] {
    return LIMIT_NAMES.filter((name) => this.#limits[name] !== undefined);
  }

  #bucket(name: LimitName, model: string, nowMs: number): Bucket {
    const place = `${name} ${model}`;
    let bucket = this.#buckets.get(place);
    if (bucket === undefined) {
      const amount = this.#limits[name]!;
      bucket = { amount, left: amount, atMs: nowMs };
      this.#buckets.set(place, bucket);
    }
    const back = ((nowMs - bucket.atMs) * bucket.amount) / WINDOW_MS[name];
    bucket.left = Math.min(bucket.amount, bucket.left + back);
    bucket.atMs = nowMs;
    return bucket;
  }
}

function needOf(name: LimitName, { inputTokens, outputTokens }: Asked): number {
  switch (name) {
    case 'rpm':
    case 'rpd':
      return 1;
    case 'itpm':
      return inputTokens;
    case 'otpm':
      return outputTokens;
    case 'tpm':
      return inputTokens + outputTokens;
  }
}
