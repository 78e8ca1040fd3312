import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText } from '../diagnostics/source.ts';
import type { World } from '../model/world.ts';
import type { PolicyNode } from './ast.ts';
import { authorityOf, EVERYTHING, type FolderWithout } from './check/authorities.ts';
import { type Calendars, calendarsText, projectCalendars } from './check/calendars.ts';
import { fileContext, type ProjectNames, projectNames } from './check/context.ts';
import { checkPolicy } from './check/policies.ts';
import { isReadWhole } from './check/read-whole.ts';
import { type RouteIndex, routeIndexOf } from './check/route-index.ts';
import { compareCodePoints } from './order.ts';
import { type ParsedPolicyFile, parsePolicyFile } from './parse.ts';
import { folderWithoutAuthority } from './problems/authorities.ts';
import { policyTwice } from './problems/names.ts';
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
    newPolicyMemory(),
    today,
  );
}

/**
 * The same for files already parsed. With the `memory` of an earlier check, a file that is the same object is not
 * looked at again as long as the world is the same object too and no calendar changed.
 */
export function checkParsedPolicies(
  files: readonly ParsedPolicyFile[],
  world: World,
  memory: PolicyMemory = newPolicyMemory(),
  today: number | null = null,
): PolicyCheck {
  const ordered = [...files].sort((a, b) => compareCodePoints(a.source.path, b.source.path));
  const ofCalendars = ordered.map((): Diagnostic[] => []);
  const reported = ordered.map(({ file }, at) => ({ file, report: boundedReport(ofCalendars[at]!) }));
  const calendars = projectCalendars(reported, world.zone, today);
  const kept = keptFor(world, calendars, memory);
  const checkFile = fileChecker(world, calendars);
  const policies: CheckedPolicy[] = [];
  const names = new Map<string, PolicyNode>();
  const diagnostics = ordered.flatMap((parsed, at) => {
    const { checked, problems } = kept.get(parsed) ?? checkFile(parsed);
    kept.set(parsed, { checked, problems });
    const found = [...problems, ...ofCalendars[at]!];
    const report = boundedReport(found);
    for (const { node, policy } of checked) {
      const first = names.get(node.name.value);
      if (first !== undefined) report(policyTwice(node.span, node.name.value, first.span));
      else if (policy !== null) policies.push(policy);
      names.set(node.name.value, first ?? node);
    }
    return presentable(found);
  });
  return {
    policies: { policies: policies.sort((a, b) => compareCodePoints(a.name, b.name)) },
    diagnostics,
  };
}

/** What was found in files, by the world in which they were checked. Forgets with the garbage collector. */
export type PolicyMemory = WeakMap<World, KeptChecks>;

interface KeptChecks {
  /** The calendars with which the files were checked: each file may name those of all others. */
  readonly calendars: string;
  readonly files: WeakMap<ParsedPolicyFile, FileCheck>;
}

export function newPolicyMemory(): PolicyMemory {
  return new WeakMap();
}

function keptFor(world: World, calendars: Calendars, memory: PolicyMemory): KeptChecks['files'] {
  const text = calendarsText(calendars);
  let kept = memory.get(world);
  if (kept?.calendars !== text) {
    kept = { calendars: text, files: new WeakMap() };
    memory.set(world, kept);
  }
  return kept.files;
}

/** What a file is by itself, whatever the others hold. */
interface FileCheck {
  /** `policy` is null when there is an error in it. */
  readonly checked: readonly { readonly node: PolicyNode; readonly policy: CheckedPolicy | null }[];
  readonly problems: readonly Diagnostic[];
}

/** Prepares what all files need when the first file is checked. */
function fileChecker(world: World, calendars: Calendars): (parsed: ParsedPolicyFile) => FileCheck {
  let prepared: { readonly project: ProjectNames; readonly index: RouteIndex } | undefined;
  return (parsed) => {
    prepared ??= { project: projectNames(world, calendars), index: routeIndexOf(world) };
    const problems = [...parsed.diagnostics];
    const report = boundedReport(problems);
    const found = authorityOf(prepared.project, parsed.source.path);
    if ('suggestion' in found) report(withoutAuthority(parsed, found));
    const authority = 'scopes' in found ? found : EVERYTHING;
    const context = fileContext(prepared.project, parsed.file, authority, report);
    const checked: { readonly node: PolicyNode; readonly policy: CheckedPolicy | null }[] = [];
    for (const node of parsed.file.policies) {
      if (report.isFull()) break;
      const policy = checkPolicy(context, node, prepared.index);
      checked.push({ node, policy: !isReadWhole(node, parsed.diagnostics) ? null : policy });
    }
    return { checked, problems };
  };
}

/** Told once for each file, at its first word. */
function withoutAuthority({ source }: ParsedPolicyFile, { folder, suggestion }: FolderWithout): Diagnostic {
  return folderWithoutAuthority(
    { source, start: 0, end: Math.min(1, source.text.length) },
    folder,
    suggestion,
  );
}

const DIAGNOSTICS_PER_FILE_MAX = 50;

/**
 * At most one diagnostic per line and a bounded number per file. Of several on a line: errors before warnings, what
 * could not be read before unknown names, these before what does not fit together (each often explains the next), and
 * then the first.
 */
function presentable(problems: readonly Diagnostic[]): readonly Diagnostic[] {
  const lines = new Map<number, Diagnostic>();
  for (const problem of problems) {
    const line = problem.span === null ? 0 : problem.span.source.position(problem.span.start).line;
    const other = lines.get(line);
    if (other === undefined || before(problem, other)) lines.set(line, problem);
  }
  return [...lines]
    .sort(([a], [b]) => a - b)
    .slice(0, DIAGNOSTICS_PER_FILE_MAX)
    .map(([, problem]) => problem);
}

function before(a: Diagnostic, b: Diagnostic): boolean {
  if (rank(a) !== rank(b)) return rank(a) < rank(b);
  return (a.span?.start ?? 0) < (b.span?.start ?? 0);
}

function rank({ code, severity }: Diagnostic): number {
  if (severity === 'warning') return 3;
  const group = ['PT01', 'PT11'].findIndex((prefix) => code.startsWith(prefix));
  return group === -1 ? 2 : group;
}
