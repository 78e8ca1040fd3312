/** What fits alert rules on a data thread: counted by rule and key, told in one message a turn of the thread's clock. */
import type { AlertSink } from '../pipeline/alerts.ts';

/** Requests that fitted a rule, of one key. */
export interface AlertMatch {
  /** See `AlertSpec.identity`. */
  readonly identity: string;
  /** See `AlertSpec.keys`; `['others']` where the thread could keep no more of them apart. */
  readonly key: readonly string[];
  readonly requests: number;
  /** Of the first of them; null where the rule says none. */
  readonly text: string | null;
}

/** As much of a value as tells keys apart and may be shown. */
const KEY_CHARACTERS_MAX = 200;
const OTHER_KEYS: readonly string[] = ['others'];

export class AlertMatches implements AlertSink {
  readonly #keptMax: number;
  readonly #send: (matches: readonly AlertMatch[]) => void;
  #matches = new Map<string, AlertMatch & { requests: number }>();

  /** `keptMax`: the limit `alertMatchesPerThread`. */
  constructor(keptMax: number, send: (matches: readonly AlertMatch[]) => void) {
    this.#keptMax = keptMax;
    this.#send = send;
  }

  matched(identity: string, key: readonly unknown[], describe: (() => string) | null): void {
    const texts = key.map((value) => String(value).slice(0, KEY_CHARACTERS_MAX));
    const match = this.#known(identity, texts) ?? this.#begun(identity, texts, describe);
    match.requests++;
  }

  /** To be called by the clock of the thread, and before it ends. */
  tell(): void {
    if (this.#matches.size === 0) return;
    const matches = [...this.#matches.values()];
    this.#matches = new Map();
    this.#send(matches);
  }

  #known(identity: string, key: readonly string[]) {
    return this.#matches.get(nameOf(identity, key));
  }

  /** Beyond the bound there is at most one more of each rule that has keys, and one of each that has none. */
  #begun(identity: string, key: readonly string[], describe: (() => string) | null) {
    const isFull = this.#matches.size >= this.#keptMax && key.length > 0;
    const kept = isFull ? OTHER_KEYS : key;
    const known = isFull ? this.#known(identity, kept) : undefined;
    if (known !== undefined) return known;
    const match = { identity, key: kept, requests: 0, text: describe === null ? null : describe() };
    this.#matches.set(nameOf(identity, kept), match);
    return match;
  }
}

function nameOf(identity: string, key: readonly string[]): string {
  return key.length === 0 ? identity : JSON.stringify([identity, ...key]);
}
