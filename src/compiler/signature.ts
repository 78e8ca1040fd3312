import { assert } from '../base/assert.ts';
import type { Stopwatch } from '../base/stopwatch.ts';
import { elementPath, listOf } from '../model/facts.ts';
import { memberNames, pathBelow } from '../model/member-path.ts';
import type { Route } from '../model/world.ts';
import type { BodyProgram, ProgramConstant, RouteProgram } from '../pipeline/program.ts';
import { canonicalJson, digestOfText } from './digests.ts';
import type { FunctionCode, FunctionCodes, ProgramParts } from './function-code.ts';
import { generateDecisions } from './generate/generate.ts';
import type { Numbering } from './numbers.ts';
import { ProgramPart } from './program-part.ts';
import {
  bodyOf,
  type FieldsRead,
  fieldsOf,
  type PartReads,
  readsOfDecisions,
  readsOfShaping,
} from './reads.ts';
import type { ResidualProgram } from './residual.ts';
import { memberName, parameterNamesOf } from './route-facts.ts';
import type { ShapingParts } from './shaping-parts.ts';

/**
 * What the routes that look alike run. Kept from one compilation to the next as long as its rules are the same: what was
 * made of it once is made anew only where numbers have changed.
 */
export class Signature {
  /** What its routes look like. */
  readonly sight: string;
  readonly program: ResidualProgram;
  readonly #stopwatch: Stopwatch;
  /** What the rules that decide have become where only others have changed; null where it is made anew. */
  readonly #decided: Decided | null;
  #generated: Generated | null = null;
  #code: FunctionCode | null = null;
  #digest: string | null = null;
  #made: Made | null = null;

  /** `decidesAs`: a signature whose rules differ from these in those only that shape. */
  constructor(
    sight: string,
    program: ResidualProgram,
    stopwatch: Stopwatch,
    decidesAs: Signature | null = null,
  ) {
    this.sight = sight;
    this.program = program;
    this.#stopwatch = stopwatch;
    this.#decided = decidesAs === null ? null : (decidesAs.#generated ?? decidesAs.#decided);
  }

  /** Those of which something is left here. */
  get policies(): readonly string[] {
    return this.program.policies;
  }

  /** Null as long as nobody has asked for it. */
  get codeSoFar(): FunctionCode | null {
    return this.#code;
  }

  /** To be called before all that follows. */
  codeAmong(codes: FunctionCodes, shapings: ShapingParts): FunctionCode {
    this.#generated ??= this.#stopwatch.policies(
      'compiling',
      () => generatedOf(this.program, shapings, this.#decided),
      () => this.policies,
    );
    this.#code ??= codes.codeOf(this.#generated);
    return this.#code;
  }

  /** Of everything that its programs have and their routes don't say, numbers apart: those follow from it. */
  get digest(): string {
    this.#digest ??= this.#makeDigest();
    return this.#digest;
  }

  /** The program of one of its routes. `earlier`: any that the route has had. */
  programOf(route: Route, service: number, earlier: RouteProgram | null): RouteProgram {
    const { inBody, read, usesRouteName } = this.#parts;
    const { made } = this;
    return {
      route,
      service,
      function: made.functionNumber,
      constants: usesRouteName ? made.nameless.with(0, route.name) : made.nameless,
      parameterNames: earlier?.parameterNames ?? parameterNamesOf(route.match.path),
      headersRead: read.headers,
      queryRead: read.query,
      body: bodyProgram(route, inBody, read.body),
    };
  }

  /** `functionNumber`: the place of the code among those of the rule set. */
  make(functionNumber: number, numbering: Numbering): void {
    const { decisions, shaping } = this.#parts;
    const constants = [decisions.constants(numbering), shaping.constants(numbering)];
    const before = this.#made;
    const isSame =
      before?.functionNumber === functionNumber &&
      constants.every((list, at) => list === before.constants[at]);
    if (!isSame) this.#made = { functionNumber, constants, nameless: [null, ...constants] };
  }

  /** What was made last. The same object while all its numbers are. */
  get made(): Made {
    assert(this.#made !== null, 'numbers are given first');
    return this.#made;
  }

  get #parts(): Generated {
    assert(this.#generated !== null, 'the code is made first');
    return this.#generated;
  }

  #makeDigest(): string {
    assert(this.#code !== null, 'the code is made first');
    const { decisions, shaping, inBody, read } = this.#parts;
    return digestOfText(canonicalJson([this.#code.digest, decisions.digest, shaping.digest, inBody, read]));
  }
}

/** What depends on the rules alone. */
interface Generated extends ProgramParts {
  readonly decisionsRead: PartReads;
  readonly usesRouteName: boolean;
  readonly inBody: readonly string[];
  readonly read: FieldsRead;
}

/** What the rules that decide have become. */
type Decided = Pick<Generated, 'decisions' | 'decisionsRead' | 'inBody'>;

/** Places of members in the body are in the code of all that read it, so they must be the same in what is `decided`. */
function generatedOf(residual: ResidualProgram, shapings: ShapingParts, decided: Decided | null): Generated {
  const decisionsRead = decided?.decisionsRead ?? readsOfDecisions(residual);
  const shapingRead = readsOfShaping(residual);
  const inBody = bodyOf(decisionsRead, shapingRead);
  const isDecided = decided !== null && decided.inBody.join('\n') === inBody.join('\n');
  const decisions = isDecided ? decided.decisions : new ProgramPart(generateDecisions(residual, inBody));
  const shaping = shapings.of(residual, inBody);
  const usesRouteName = decisions.generated.usesRouteName || shaping.generated.usesRouteName;
  const read = fieldsOf(decisionsRead, shapingRead);
  return { decisions, shaping, decisionsRead, usesRouteName, inBody, read };
}

/** What depends on numbers too. */
export interface Made {
  readonly functionNumber: number;
  /** Of each part. */
  readonly constants: readonly (readonly ProgramConstant[])[];
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
