/** What fits alert rules on a data thread: counted by rule and key, told in one message a turn of the thread's clock. */
import type { AlertSink, ShowKey } from '../pipeline/alerts.ts';

/** Requests that fitted a rule, of one key. */
export interface AlertMatch {
  /** See `AlertSpec.identity`. */
  readonly identity: string;
  /** Of the rules that it fitted: what its key is of may be another fact by now. */
  readonly epoch: number;
  /** See `AlertSpec.keys`; `['others']` where the thread could keep no more of them apart. */
  readonly key: readonly string[];
  /** The same as people may see it; null: as it is. */
  readonly shownKey: readonly string[] | null;
  readonly requests: number;
  /** Of the first of them; null where the rule says none. */
  readonly text: string | null;
}

type MatchedRule = Pick<AlertMatch, 'identity' | 'epoch'>;

/** `atMs`: the moment on the thread, by the monotonic clock. Whoever reads it may do so much later. */
export type SendMatches = (matches: readonly AlertMatch[], atMs: number) => void;

/** As much of a value as tells keys apart and may be shown. */
const KEY_CHARACTERS_MAX = 200;
const OTHER_KEYS: readonly string[] = ['others'];

export class AlertMatches {
  readonly #keptMax: number;
  readonly #send: SendMatches;
  #matches = new Map<string, AlertMatch & { requests: number }>();

  /** `keptMax`: the limit `alertMatchesPerThread`. */
  constructor(keptMax: number, send: SendMatches) {
    this.#keptMax = keptMax;
    this.#send = send;
  }

  /** What the rules of an epoch tell. */
  sinkOf(epoch: number): AlertSink {
    return {
      matched: (identity, key, describe, show) => {
        const texts = textsOf(key);
        const rule = { identity, epoch };
        const shown = () => (show === null ? null : show(key));
        const match = this.#known(rule, texts) ?? this.#begun(rule, texts, describe, shown);
        match.requests++;
      },
    };
  }

  /** To be called by the clock of the thread, and before it ends. */
  tell(nowMs: number): void {
    if (this.#matches.size === 0) return;
    const matches = [...this.#matches.values()];
    this.#matches = new Map();
    this.#send(matches, nowMs);
  }

  #known(rule: MatchedRule, key: readonly string[]) {
    return this.#matches.get(nameOf(rule, key));
  }

  /** Beyond the bound there is at most one more of each rule that has keys, and one of each that has none. */
  #begun(
    rule: MatchedRule,
    key: readonly string[],
    describe: (() => string) | null,
    shown: () => ReturnType<ShowKey>,
  ) {
    const isFull = this.#matches.size >= this.#keptMax && key.length > 0;
    const kept = isFull ? OTHER_KEYS : key;
    const known = isFull ? this.#known(rule, kept) : undefined;
    if (known !== undefined) return known;
    const told = isFull ? null : shown();
    const match = {
      ...rule,
      key: kept,
      shownKey: told === null ? null : textsOf(told),
      requests: 0,
      text: describe === null ? null : describe(),
    };
    this.#matches.set(nameOf(rule, kept), match);
    return match;
  }
}

function textsOf(key: readonly unknown[]): string[] {
  return key.map((value) => String(value).slice(0, KEY_CHARACTERS_MAX));
}

function nameOf({ identity, epoch }: MatchedRule, key: readonly string[]): string {
  return key.length === 0 ? `${epoch} ${identity}` : JSON.stringify([epoch, identity, ...key]);
}
