import { digestOfText } from './digests.ts';
import { codeOf } from './generate/generate.ts';
import type { ProgramPart } from './program-part.ts';

/** The parts of a program. */
export interface ProgramParts {
  readonly decisions: ProgramPart;
  readonly shaping: ProgramPart;
}

/** The code of one function of a rule set. Programs of equal code have the same object, so it is compared and hashed once. */
export class FunctionCode {
  readonly text: string;
  /** Of the parts: equal ones make equal code. */
  readonly decisions: string;
  readonly shaping: string;
  #digest: string | null = null;

  constructor({ decisions, shaping }: ProgramParts) {
    this.text = codeOf({ decisions: decisions.generated, shaping: shaping.generated });
    this.decisions = decisions.text;
    this.shaping = shaping.text;
  }

  get digest(): string {
    this.#digest ??= digestOfText(this.text);
    return this.#digest;
  }
}

/**
 * The codes of a rule set: those that are there already, and those that are made. Found by their parts: of ten thousand routes
 * some twenty run different code, and to put it together for each of them took a third of an edit that concerns all.
 */
export class FunctionCodes {
  readonly #known = new Map<string, Map<string, FunctionCode>>();

  constructor(known: Iterable<FunctionCode>) {
    for (const code of known) this.#add(code);
  }

  codeOf(parts: ProgramParts): FunctionCode {
    const { decisions, shaping } = parts;
    return this.#known.get(decisions.text)?.get(shaping.text) ?? this.#add(new FunctionCode(parts));
  }

  #add(code: FunctionCode): FunctionCode {
    const beside = this.#known.get(code.decisions) ?? new Map<string, FunctionCode>();
    this.#known.set(code.decisions, beside.set(code.shaping, code));
    return code;
  }
}
