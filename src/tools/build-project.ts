import { LIMIT_DEFAULTS } from '../base/limits.ts';
import { compileRules } from '../compiler/compile.ts';
import { tooLarge, tooMany } from '../config/file-bounds.ts';
import { isPolicyFile } from '../config/kinds.ts';
import { checkEnforcement } from '../config/load.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { type SourceText, spanAt } from '../diagnostics/source.ts';
import { checkParsedPolicies } from '../language/check.ts';
import { checkTests, isTestFile } from '../language/check-tests.ts';
import {
  dueFindings,
  type UnchangedDays,
  unchangedDays,
  unchangedDaysOfHolidays,
  unchangedDaysOfPrices,
} from '../language/due.ts';
import type { ParsedPolicyFile } from '../language/parse.ts';
import type { CheckedPolicies } from '../language/typed.ts';
import type { CheckedTest } from '../language/typed-tests.ts';
import { DAY_MS } from '../model/local-time.ts';
import type { World } from '../model/world.ts';
import type { RuleBundle } from '../pipeline/program.ts';
import { ProjectMemory } from './project-memory.ts';
import {
  type FormerLimits,
  NO_FORMER_LIMITS,
  NONE_REPLACED,
  type ReplacedLimit,
  replacedLimits,
} from './replaced-limits.ts';

/** One project folder, checked and compiled. `built` is null when there is any error. */
export interface BuiltProject {
  readonly built: {
    readonly world: World;
    readonly policies: CheckedPolicies;
    /** Made when first asked for. */
    readonly bundle: RuleBundle;
    /** The days on which the same texts bring the same findings; made when first asked for. */
    readonly days: readonly UnchangedDays[];
    /** See `ReplacedLimits.limits`. */
    readonly replaced: readonly ReplacedLimit[];
  } | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** The same with its tests: everything that `check` looks at. */
export interface CheckedProject extends BuiltProject {
  /** Those without a mistake. */
  readonly tests: readonly CheckedTest[];
}

/**
 * The whole way from texts to a rule set, as `start` and every reload take it: tests are left out. Pure: `wallMs` is the
 * time for findings about what is due. With the `memory` of an earlier call the answer is the same, and comes sooner. `former`: of
 * the version that the rule set is to take the place of.
 */
export function buildProject(
  texts: readonly SourceText[],
  projectFolder: string,
  wallMs: number,
  memory: ProjectMemory = new ProjectMemory(),
  former: FormerLimits = NO_FORMER_LIMITS,
): BuiltProject {
  const files = texts.filter(({ path }) => !isTestFile(path));
  return build(files, projectFolder, wallMs, () => [], memory, former);
}

/** {@link buildProject}, and the tests of the project. */
export function checkProject(
  texts: readonly SourceText[],
  projectFolder: string,
  wallMs: number,
  memory: ProjectMemory = new ProjectMemory(),
): CheckedProject {
  let tests: readonly CheckedTest[] = [];
  const project = build(
    texts,
    projectFolder,
    wallMs,
    (files, world) => {
      const checked = checkTests(files, world);
      tests = checked.tests;
      return checked.diagnostics;
    },
    memory,
  );
  return { ...project, tests };
}

type FurtherCheck = (files: readonly ParsedPolicyFile[], world: World) => readonly Diagnostic[];

function build(
  texts: readonly SourceText[],
  projectFolder: string,
  wallMs: number,
  further: FurtherCheck,
  memory: ProjectMemory,
  former: FormerLimits = NO_FORMER_LIMITS,
): BuiltProject {
  const isPolicy = (text: SourceText): boolean => isPolicyFile(text.path);
  const { stopwatch } = memory;
  const loaded = stopwatch.stage('configuration', () =>
    memory.loadWorld(
      texts.filter((text) => !isPolicy(text)),
      projectFolder,
    ),
  );
  const { world } = loaded;
  const limits = world?.limits ?? LIMIT_DEFAULTS;
  const bounded = texts.filter(isPolicy).map((text) => ({ text, beyond: tooLarge(text, limits) }));
  const beyond = bounded.flatMap((one) => (one.beyond === null ? [] : [one.beyond]));
  const readable = bounded.flatMap((one) => (one.beyond === null ? [one.text] : []));
  const files = stopwatch.stage('reading', () => memory.parse(readable, limits.nestingDepth));
  // Names and types of policies mean nothing without the world; what is wrong with their writing is told all the same.
  if (world === null) {
    const written = files.flatMap((file) => file.diagnostics);
    return { built: null, diagnostics: [...loaded.diagnostics, ...beyond, ...written] };
  }
  const many = tooMany(texts.length, limits);
  const checked = stopwatch.stage('checking', () =>
    checkParsedPolicies(files, world, memory.policies, Math.floor(wallMs / DAY_MS)),
  );
  const names = new Set(checked.policies.policies.map(({ name }) => name));
  const found = [
    ...loaded.diagnostics,
    ...(many === null ? [] : [many]),
    ...beyond,
    ...checked.diagnostics,
    ...further(files, world),
    ...checkEnforcement(texts, names, memory.files),
  ];
  if (hasError(found)) return { built: null, diagnostics: found };
  const byPath = new Map(texts.map((text) => [text.path, text]));
  const compile = (policies: CheckedPolicies) =>
    stopwatch.stage('compiling', () =>
      compileRules(policies, world, (place) => spanAt(place, byPath), memory.compiled),
    );
  let replaced = stopwatch.stage('checking', () =>
    replacedLimits(former, { files, checked: checked.policies, world, memory: memory.policies }),
  );
  let compiled = compile({ ...checked.policies, replaced: replaced.policies });
  if (replaced.limits.length > 0 && hasError(compiled.diagnostics)) {
    // What is right by itself is not refused for what is to go, such as a limit too many on one route.
    replaced = NONE_REPLACED;
    compiled = compile(checked.policies);
  }
  const diagnostics = [...found, ...compiled.diagnostics, ...dueFindings(checked.policies, world, wallMs)];
  if (hasError(diagnostics)) return { built: null, diagnostics };
  const { policies } = checked;
  const built = {
    world,
    policies,
    replaced: replaced.limits,
    get bundle() {
      return stopwatch.stage('compiling', () => compiled.bundle);
    },
    get days() {
      return [
        ...unchangedDays(policies, wallMs),
        ...unchangedDaysOfHolidays(files, wallMs),
        ...unchangedDaysOfPrices(world, wallMs),
      ];
    },
  };
  return { built, diagnostics };
}

export function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}
