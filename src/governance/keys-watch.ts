/** Whether the keys of token issuers can be had. Each is asked for two things, and is in trouble while one of them can't be had. */
export type KeysTold = (issuer: string, why: string | null) => void;

type Asked = 'configuration' | 'keys';

export class KeysWatch {
  readonly #onChange: KeysTold;
  readonly #missing = new Map<string, Set<Asked>>();

  /** `onChange`: told of the first reason, and of the end. */
  constructor(onChange: KeysTold) {
    this.#onChange = onChange;
  }

  told(issuer: string, asked: Asked, why: string | null): void {
    const missing = this.#missing.get(issuer) ?? new Set();
    this.#missing.set(issuer, missing);
    const before = missing.size;
    if (why === null) missing.delete(asked);
    else missing.add(asked);
    if (before === 0 && why !== null) this.#onChange(issuer, why);
    if (before > 0 && missing.size === 0) this.#onChange(issuer, null);
  }
}
