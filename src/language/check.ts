import { NO_STOPWATCH, type Stopwatch } from '../base/stopwatch.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText } from '../diagnostics/source.ts';
import { DAY_MS } from '../model/local-time.ts';
import type { World } from '../model/world.ts';
import type { PolicyNode } from './ast.ts';
import type { Asked } from './check/asked.ts';
import { modelsAsWritten } from './check/asked-models.ts';
import { authorityOf, EVERYTHING, type FolderWithout } from './check/authorities.ts';
import { type Calendars, calendarsText, projectCalendars } from './check/calendars.ts';
import { fileContext, type ProjectNames, projectNames } from './check/context.ts';
import { checkPolicy } from './check/policies.ts';
import { isReadWhole } from './check/read-whole.ts';
import { routeIndexOf } from './check/route-index.ts';
import { modelsWithoutBound } from './check/unbounded-models.ts';
import { allChecked, WorldChange } from './check/world-change.ts';
import { compareCodePoints } from './order.ts';
import { type ParsedPolicyFile, parsePolicyFile } from './parse.ts';
import { folderWithoutAuthority } from './problems/authorities.ts';
import { policyTwice } from './problems/names.ts';
import { presentable } from './problems/presentable.ts';
import { boundedReport } from './problems/problem.ts';
import type { CheckedPolicies, CheckedPolicy } from './typed.ts';

export interface PolicyCheck {
  /** The policies without errors. With any error in `diagnostics` the project as a whole is refused by its reader. */
  readonly policies: CheckedPolicies;
  /** By file, then place; at most one per line and 50 per file. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The one door of this room: policy files of a project, checked against its world. Never throws. `today`, in days since
 * 1970-01-01, lets it find what ends soon; null when that is not asked.
 */
export function checkPolicies(
  files: readonly SourceText[],
  world: World,
  today: number | null = null,
): PolicyCheck {
  return checkParsedPolicies(
    files.map((source) => parsePolicyFile(source, world.limits.nestingDepth)),
    world,
    new PolicyMemory(),
    today,
  );
}

/**
 * The same for files already parsed. With the `memory` of an earlier check, a file that is the same object is not
 * looked at again as long as no calendar changed, nor anything of the world that it asked about.
 */
export function checkParsedPolicies(
  files: readonly ParsedPolicyFile[],
  world: World,
  memory: PolicyMemory = new PolicyMemory(),
  today: number | null = null,
): PolicyCheck {
  const ordered = [...files].sort((a, b) => compareCodePoints(a.source.path, b.source.path));
  const ofCalendars = ordered.map((): Diagnostic[] => []);
  const reported = ordered.map(({ file }, at) => ({ file, report: boundedReport(ofCalendars[at]!) }));
  const calendars = projectCalendars(reported, world.zone, today);
  const kept = memory.keptFor(world, calendars);
  const policies: CheckedPolicy[] = [];
  const names = new Map<string, PolicyNode>();
  const found = ordered.map((parsed, at) => {
    const { checked, problems } = kept.check(parsed);
    const found = [...problems, ...ofCalendars[at]!];
    const report = boundedReport(found);
    for (const { node, policy } of checked) {
      const first = names.get(node.name.value);
      if (first !== undefined) report(policyTwice(node.span, node.name.value, first.span));
      else if (policy !== null) policies.push(policy);
      names.set(node.name.value, first ?? node);
    }
    return { source: parsed.source, found, report };
  });
  kept.finish();
  const ofModels = [
    ...modelsAsWritten(policies, world.routes),
    ...modelsWithoutBound(policies, world.routes, world.models, momentOf(today)),
  ];
  for (const problem of ofModels)
    found.find(({ source }) => source === problem.span?.source)?.report(problem);
  const diagnostics = found.flatMap((each) => presentable(each.found));
  return {
    policies: { policies: policies.sort((a, b) => compareCodePoints(a.name, b.name)) },
    diagnostics,
  };
}

/** Where no day is asked about, every price that files say is known. */
function momentOf(today: number | null): number {
  return today === null ? Number.POSITIVE_INFINITY : today * DAY_MS;
}

/** What was found in files in the world in which they were checked last. Forgets files with the garbage collector. */
export class PolicyMemory {
  readonly #stopwatch: Stopwatch;
  #last: CheckedFiles | null = null;

  constructor(stopwatch: Stopwatch = NO_STOPWATCH) {
    this.#stopwatch = stopwatch;
  }

  keptFor(world: World, calendars: Calendars): CheckedFiles {
    const text = calendarsText(calendars);
    const last = this.#last !== null && this.#last.calendars === text ? this.#last : null;
    if (last !== null && last.world === world) return last;
    this.#last = new CheckedFiles(world, calendars, last, this.#stopwatch);
    return this.#last;
  }
}

/** What a file is by itself, whatever the others hold. */
interface FileCheck {
  /** `policy` is null when there is an error in it. */
  readonly checked: readonly { readonly node: PolicyNode; readonly policy: CheckedPolicy | null }[];
  readonly problems: readonly Diagnostic[];
  readonly asked: Asked;
}

/** The checks of files in one world, with one set of calendars: each file may name those of all others. */
class CheckedFiles {
  readonly world: World;
  readonly calendars: string;
  readonly #files = new WeakMap<ParsedPolicyFile, FileCheck>();
  /** Prepared when the first file is checked. */
  #project: ProjectNames | null = null;
  readonly #calendars: Calendars;
  #before: CheckedFiles | null;
  readonly #stopwatch: Stopwatch;
  #change: WorldChange | null | undefined;

  constructor(world: World, calendars: Calendars, before: CheckedFiles | null, stopwatch: Stopwatch) {
    this.#stopwatch = stopwatch;
    this.world = world;
    this.calendars = calendarsText(calendars);
    this.#calendars = calendars;
    this.#before = before;
  }

  check(parsed: ParsedPolicyFile): FileCheck {
    const known = this.#files.get(parsed) ?? this.#stillTrue(parsed) ?? this.#checkFile(parsed);
    this.#files.set(parsed, known);
    return known;
  }

  /** To be called when all files have been checked: the world before is needed no more. */
  finish(): void {
    this.#before = null;
  }

  get #names(): ProjectNames {
    this.#project ??= projectNames(this.world, this.#calendars);
    return this.#project;
  }

  /** What was found in the world before, if nothing has changed that the file depends on. */
  #stillTrue(parsed: ParsedPolicyFile): FileCheck | null {
    if (this.#before === null) return null;
    const found = this.#before.#files.get(parsed);
    if (found === undefined || found.problems.length > 0) return null;
    if (this.#change === undefined) this.#change = WorldChange.between(this.#before.#names, this.#names);
    const policies = allChecked(found.checked);
    return policies !== null && this.#change?.keeps(policies, found.asked) === true ? found : null;
  }

  #checkFile(parsed: ParsedPolicyFile): FileCheck {
    const project = this.#names;
    const index = routeIndexOf(this.world);
    const problems = [...parsed.diagnostics];
    const report = boundedReport(problems);
    const found = authorityOf(project, parsed.source.path);
    if ('suggestion' in found) report(withoutAuthority(parsed, found));
    const authority = 'scopes' in found ? found : EVERYTHING;
    const context = fileContext(project, parsed.file, authority, report);
    const checked: { readonly node: PolicyNode; readonly policy: CheckedPolicy | null }[] = [];
    for (const node of parsed.file.policies) {
      if (report.isFull()) break;
      const policy = this.#stopwatch.policies(
        'checking',
        () => checkPolicy(context, node, index),
        () => [node.name.value],
      );
      checked.push({ node, policy: !isReadWhole(node, parsed.diagnostics) ? null : policy });
    }
    return { checked, problems, asked: context.asked };
  }
}

/** Told once for each file, at its first word. */
function withoutAuthority({ source }: ParsedPolicyFile, { folder, suggestion }: FolderWithout): Diagnostic {
  return folderWithoutAuthority(
    { source, start: 0, end: Math.min(1, source.text.length) },
    folder,
    suggestion,
  );
}
