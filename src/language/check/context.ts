import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { type FactDefinition, factsOf } from '../../model/facts.ts';
import type { World } from '../../model/world.ts';
import type { DefineNode, LiteralNode, PolicyFileNode } from '../ast.ts';
import { defineTwice } from '../problems/names.ts';
import { type Asked, type NameKind, nothingAsked } from './asked.ts';
import type { FileAuthority } from './authorities.ts';
import type { Calendars } from './calendars.ts';
import type { PolicySuccessor } from './deprecations.ts';
import type { KnownNames } from './names.ts';

/** What the project knows, prepared for look-ups: one per check of a project. */
export interface ProjectNames {
  readonly world: World;
  readonly calendars: Calendars;
  readonly facts: ReadonlyMap<string, FactDefinition>;
  /** Facts below `team` that no team lacks. */
  readonly ofEveryTeam: ReadonlySet<string>;
  /** Names of one kind with their places, each kind listed when it is first asked about. */
  readonly names: Map<NameKind, KnownNames>;
}

/** What checking one file needs: the project, the file's own names, and where problems go. */
export interface CheckContext {
  readonly project: ProjectNames;
  readonly defines: ReadonlyMap<string, DefineNode>;
  /** What `it` stands for while the items of a defined list are asked; null elsewhere. */
  readonly item: DefinedItem | null;
  /** Zone of periods where a rule names none. */
  readonly zone: string;
  readonly authority: FileAuthority;
  /** Whether facts of the response are known where something stands; if not, what asks too early. */
  readonly response: 'known' | { readonly tooEarlyFor: string };
  /** Whether rules ask about each pool that a call could go to, or what asks and can't. */
  readonly target: 'known' | { readonly tooEarlyFor: string };
  /** Whether pools and their keys are asked, and no request; if not, what asks about requests. */
  readonly pools: 'known' | { readonly tooEarlyFor: string };
  /** Of the policy being checked. */
  readonly successor: PolicySuccessor;
  /** Routes of which it was said, for the policy being checked, that nothing describes their bodies. */
  readonly undescribed: Set<string>;
  /** Grows while the file is checked. */
  readonly asked: Asked;
  readonly report: (problem: Diagnostic) => void;
}

/** One of a list that is fixed. */
export interface DefinedItem {
  /** Name of the list. */
  readonly list: string;
  readonly value: LiteralNode;
}

export function projectNames(world: World, calendars: Calendars): ProjectNames {
  // built-in facts come first in the list, and the first of a name wins: a declared attribute cannot replace one
  const facts = new Map([...factsOf(world)].reverse().map((fact) => [fact.path, fact]));
  const attributes = Object.entries(world.attributes.team).filter(([, attribute]) => !attribute.optional);
  const ofEveryTeam = new Set(['team', 'team.name', ...attributes.map(([name]) => `team.${name}`)]);
  return { world, calendars, facts, ofEveryTeam, names: new Map() };
}

export function fileContext(
  project: ProjectNames,
  file: PolicyFileNode,
  authority: FileAuthority,
  report: CheckContext['report'],
): CheckContext {
  const defines = new Map<string, DefineNode>();
  for (const define of file.defines) {
    const { value, span } = define.name;
    const first = defines.get(value);
    if (first === undefined) defines.set(value, define);
    else report(defineTwice(span, value, first.name.span));
  }
  const zone = file.zone ?? project.world.zone;
  const policy = {
    successor: 'none',
    undescribed: new Set<string>(),
    response: { tooEarlyFor: 'applies to' },
    target: { tooEarlyFor: 'applies to' },
    pools: { tooEarlyFor: 'applies to' },
  } as const;
  return { project, defines, item: null, zone, authority, ...policy, asked: nothingAsked(), report };
}
