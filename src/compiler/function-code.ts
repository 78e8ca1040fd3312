import { digestOfText } from './digests.ts';

/** The code of one function of a rule set. Programs of equal code have the same object, so it is compared and hashed once. */
export class FunctionCode {
  readonly text: string;
  #digest: string | null = null;

  constructor(text: string) {
    this.text = text;
  }

  get digest(): string {
    this.#digest ??= digestOfText(this.text);
    return this.#digest;
  }
}

/** The codes of a rule set: those that are there already, and those that are made. */
export class FunctionCodes {
  readonly #known = new Map<string, FunctionCode>();

  constructor(known: Iterable<FunctionCode>) {
    for (const code of known) this.#known.set(code.text, code);
  }

  codeOf(text: string): FunctionCode {
    let code = this.#known.get(text);
    if (code === undefined) {
      code = new FunctionCode(text);
      this.#known.set(text, code);
    }
    return code;
  }
}
