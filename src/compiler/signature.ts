import type { Stopwatch } from '../base/stopwatch.ts';
import { elementPath, listOf } from '../model/facts.ts';
import type { Route } from '../model/world.ts';
import type { BodyProgram, ProgramConstant, RouteProgram } from '../pipeline/program.ts';
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

  get code(): string {
    return this.#generate().program.code;
  }

  /** The program of one of its routes. `functionNumber`: the place of the code among those of the rule set. */
  programOf(route: Route, service: number, functionNumber: number, numbering: Numbering): RouteProgram {
    const made = this.#make(functionNumber, numbering);
    const known = made.programs.get(route);
    if (known?.service === service) return known;
    const { program, inBody, read } = this.#generate();
    const routeProgram = {
      route,
      service,
      function: functionNumber,
      constants: program.usesRouteName ? [route.name, made.constants] : made.nameless,
      parameterNames: parameterNamesOf(route.match.path),
      headersRead: read.headers,
      queryRead: read.query,
      body: bodyProgram(route, inBody, read.body),
    };
    made.programs.set(route, routeProgram);
    return routeProgram;
  }

  #generate(): Generated {
    this.#generated ??= this.#stopwatch.policies(
      'compiling',
      () => generatedOf(this.program),
      () => this.policies,
    );
    return this.#generated;
  }

  #make(functionNumber: number, numbering: Numbering): Made {
    const { program, numbers } = this.#generate();
    const made = this.#made;
    if (made !== null && made.numbering === numbering) return made;
    const now = numbers.map((number) => numberOf(number, numbering));
    const isSame =
      made?.functionNumber === functionNumber && now.every((number, at) => number === made.numbers[at]);
    if (isSame) {
      made.numbering = numbering;
      return made;
    }
    const constants = program.constants.map((constant) => numbered(constant, numbering));
    this.#made = {
      numbering,
      functionNumber,
      numbers: now,
      constants,
      nameless: [null, constants],
      programs: new WeakMap(),
    };
    return this.#made;
  }
}

/** What depends on the rules alone. */
interface Generated {
  readonly program: GeneratedProgram;
  readonly numbers: readonly (RuleNumber | CounterNumber)[];
  readonly inBody: readonly string[];
  readonly read: FieldsRead;
}

function generatedOf(residual: ResidualProgram): Generated {
  const inBody = bodyRead(residual);
  const program = generateProgram(residual, inBody);
  const numbers = program.constants.flatMap(numbersIn);
  return { program, numbers, inBody, read: fieldsRead(residual) };
}

/** What depends on numbers too. */
interface Made {
  /** The last one that gave these numbers. */
  numbering: Numbering;
  readonly functionNumber: number;
  readonly numbers: readonly number[];
  readonly constants: readonly ProgramConstant[];
  readonly nameless: readonly ProgramConstant[];
  readonly programs: WeakMap<Route, RouteProgram>;
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
  if (list === '') return [member.split('.')];
  return [...listsOf(list), member.slice(elementPath(list).length + 1).split('.')];
}
