import type { ProgramConstant } from '../pipeline/program.ts';
import { canonicalJson, digestOfText } from './digests.ts';
import type { GeneratedPart } from './generate/generate.ts';
import {
  type CounterNumber,
  type Numbering,
  numbered,
  numberOf,
  numbersIn,
  type RuleNumber,
} from './numbers.ts';

/** A part of the generated code with its constants. Kept from one compilation to the next as long as its rules are the same. */
export class ProgramPart {
  readonly generated: GeneratedPart;
  readonly #numbers: readonly (RuleNumber | CounterNumber)[];
  /** Of the constant at the same place. */
  readonly #hasNumbers: readonly boolean[];
  #text: string | null = null;
  #digest: string | null = null;
  #made: { readonly numbers: readonly number[]; readonly constants: readonly ProgramConstant[] } | null =
    null;

  constructor(generated: GeneratedPart) {
    this.generated = generated;
    const numbers = generated.constants.map(numbersIn);
    this.#hasNumbers = numbers.map((each) => each.length > 0);
    this.#numbers = numbers.flat();
  }

  /** All of its code: parts of equal text are equal but for their constants. */
  get text(): string {
    const { lines, entries, usesRouteName } = this.generated;
    this.#text ??= [JSON.stringify([entries, usesRouteName]), ...lines].join('\n');
    return this.#text;
  }

  /** Of the constants, numbers apart: those follow from the rest. */
  get digest(): string {
    this.#digest ??= digestOfText(canonicalJson(this.generated.constants));
    return this.#digest;
  }

  /** With the numbers of a rule set. The same object while all of them are. */
  constants(numbering: Numbering): readonly ProgramConstant[] {
    const numbers = this.#numbers.map((number) => numberOf(number, numbering));
    const before = this.#made;
    if (before !== null && numbers.every((number, at) => number === before.numbers[at]))
      return before.constants;
    const constants = this.generated.constants.map((constant, at) =>
      this.#hasNumbers[at] === true ? numbered(constant, numbering) : (constant as ProgramConstant),
    );
    this.#made = { numbers, constants };
    return constants;
  }
}
