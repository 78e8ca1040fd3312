import { assert } from '../base/assert.ts';
import type { Stopwatch } from '../base/stopwatch.ts';
import { elementPath, listOf } from '../model/facts.ts';
import { memberNames, pathBelow } from '../model/member-path.ts';
import type { Route } from '../model/world.ts';
import type { BodyProgram, ProgramConstant, RouteProgram } from '../pipeline/program.ts';
import { canonicalJson, digestOfText } from './digests.ts';
import type { FunctionCode, FunctionCodes } from './function-code.ts';
import { type GeneratedProgram, generateProgram } from './generate/generate.ts';
import {
  type CounterNumber,
  type Numbering,
  numbered,
  numberOf,
  numbersIn,
  type RuleNumber,
} from './numbers.ts';
import { bodyRead, type FieldsRead, fieldsRead } from './reads.ts';
import type { ResidualProgram } from './residual.ts';
import { memberName, parameterNamesOf } from './route-facts.ts';

/**
 * What the routes that look alike run. Kept from one compilation to the next as long as its rules are the same: what was
 * made of it once is made anew only where numbers have changed.
 */
export class Signature {
  /** What its routes look like. */
  readonly sight: string;
  readonly program: ResidualProgram;
  readonly #stopwatch: Stopwatch;
  #generated: Generated | null = null;
  #code: FunctionCode | null = null;
  #digest: string | null = null;
  #made: Made | null = null;

  constructor(sight: string, program: ResidualProgram, stopwatch: Stopwatch) {
    this.sight = sight;
    this.program = program;
    this.#stopwatch = stopwatch;
  }

  /** Those of which something is left here. */
  get policies(): readonly string[] {
    return this.program.policies;
  }

  /** Null as long as nobody has asked for it. */
  get codeSoFar(): FunctionCode | null {
    return this.#code;
  }

  codeAmong(codes: FunctionCodes): FunctionCode {
    this.#code ??= codes.codeOf(this.#generate().program.code);
    return this.#code;
  }

  /** Of everything that its programs have and their routes don't say, numbers apart: those follow from it. */
  get digest(): string {
    this.#digest ??= this.#makeDigest();
    return this.#digest;
  }

  /** The program of one of its routes. `earlier`: any that the route has had. */
  programOf(route: Route, service: number, earlier: RouteProgram | null): RouteProgram {
    const { program, inBody, read } = this.#generate();
    const { made } = this;
    return {
      route,
      service,
      function: made.functionNumber,
      constants: program.usesRouteName ? [route.name, made.constants] : made.nameless,
      parameterNames: earlier?.parameterNames ?? parameterNamesOf(route.match.path),
      headersRead: read.headers,
      queryRead: read.query,
      body: bodyProgram(route, inBody, read.body),
    };
  }

  /** `functionNumber`: the place of the code among those of the rule set. */
  make(functionNumber: number, numbering: Numbering): void {
    const { program, numbers, hasNumbers } = this.#generate();
    const now = numbers.map((number) => numberOf(number, numbering));
    const before = this.#made;
    const isSame =
      before?.functionNumber === functionNumber && now.every((number, at) => number === before.numbers[at]);
    if (isSame) return;
    const constants = program.constants.map((constant, at) =>
      hasNumbers[at] === true ? numbered(constant, numbering) : (constant as ProgramConstant),
    );
    this.#made = {
      functionNumber,
      numbers: now,
      constants,
      nameless: [null, constants],
    };
  }

  /** What was made last. The same object while all its numbers are. */
  get made(): Made {
    assert(this.#made !== null, 'numbers are given first');
    return this.#made;
  }

  #generate(): Generated {
    this.#generated ??= this.#stopwatch.policies(
      'compiling',
      () => generatedOf(this.program),
      () => this.policies,
    );
    return this.#generated;
  }

  #makeDigest(): string {
    assert(this.#code !== null, 'the code is made first');
    const { program, inBody, read } = this.#generate();
    return digestOfText(canonicalJson([this.#code.digest, program.constants, inBody, read]));
  }
}

/** What depends on the rules alone. */
interface Generated {
  readonly program: GeneratedProgram;
  readonly numbers: readonly (RuleNumber | CounterNumber)[];
  /** Of the constant at the same place. */
  readonly hasNumbers: readonly boolean[];
  readonly inBody: readonly string[];
  readonly read: FieldsRead;
}

function generatedOf(residual: ResidualProgram): Generated {
  const inBody = bodyRead(residual);
  const program = generateProgram(residual, inBody);
  const numbers = program.constants.map(numbersIn);
  const hasNumbers = numbers.map((each) => each.length > 0);
  return { program, numbers: numbers.flat(), hasNumbers, inBody, read: fieldsRead(residual) };
}

/** What depends on numbers too. */
export interface Made {
  readonly functionNumber: number;
  readonly numbers: readonly number[];
  readonly constants: readonly ProgramConstant[];
  readonly nameless: readonly ProgramConstant[];
}

/** `deciding`: paths that enforced rules depend on. */
function bodyProgram(
  { requestBody }: Route,
  paths: readonly string[],
  deciding: readonly string[],
): BodyProgram | null {
  if (requestBody === null) return null;
  const members = paths.map((path) => ({
    paths: listsOf(memberName(path)),
    type: requestBody.members[memberName(path)]!.type,
    deciding: deciding.includes(path),
  }));
  return { members };
}

/** `items[].price` lies in each element of `items`. */
function listsOf(member: string): string[][] {
  const list = listOf(member);
  if (list === '') return [memberNames(member)];
  return [...listsOf(list), memberNames(pathBelow(member, elementPath(list)))];
}
