import { nearest } from '../../diagnostics/suggest.ts';
import { type Here, keyAt, type Report, type Target } from '../finding.ts';
import { didYouMean } from '../show.ts';
import type { Checked, Files } from './sources.ts';

/** What a reference may name. */
export interface KnownNames {
  /** What it is, in messages: `service`. */
  readonly what: string;
  readonly names: ReadonlySet<string> | ReadonlyMap<string, unknown>;
  /** False when a file that may define more could not be read: then nothing is said about unknown names. */
  readonly complete: boolean;
}

/** The names that a kind of definition has in all files, also of definitions that are wrong otherwise. */
export interface NameTable extends KnownNames {
  readonly names: ReadonlyMap<string, Here>;
}

/** Collects definitions from one section of all files and reports names that are defined twice. */
export function collectNames<Document>(
  what: string,
  files: Files<Document>,
  section: keyof Document & string,
  report: Report,
): NameTable {
  const names = new Map<string, Here>();
  for (const file of files.checked) {
    for (const [name, here] of definedIn(file, section)) {
      const first = names.get(name);
      if (first === undefined) names.set(name, here);
      else reportTwice(what, name, here, first, report);
    }
  }
  return { what, names, complete: files.complete };
}

type Defined = readonly (readonly [name: string, here: Here])[];
const DEFINED = new WeakMap<Checked<unknown>, Map<string, Defined>>();

/** Made once for a reading: most files are the same the next time. */
function definedIn(file: Checked<unknown>, section: string): Defined {
  const sections = DEFINED.get(file) ?? new Map<string, Defined>();
  DEFINED.set(file, sections);
  let defined = sections.get(section);
  if (defined === undefined) {
    defined = (file.defined[section] ?? []).map((name) => [name, { file: file.file, path: [section, name] }]);
    sections.set(section, defined);
  }
  return defined;
}

function reportTwice(what: string, name: string, here: Here, first: Here, report: Report): void {
  report({
    code: 'PT3202',
    message: `The ${what} "${name}" is defined twice.`,
    target: keyAt(here),
    help: 'Keep one of them, or give one another name.',
    related: [{ target: keyAt(first), message: 'first defined here' }],
  });
}

/** Whether a reference leads somewhere; reports it when it does not. */
export function checkReference(name: string, known: KnownNames, target: Target, report: Report): void {
  if (known.names.has(name) || !known.complete) return;
  const otherwise = 'Define it, or name one that exists.';
  report({
    code: 'PT3201',
    message: `There is no ${known.what} "${name}".`,
    target,
    help: didYouMean(nearest(name, known.names.keys()), otherwise),
  });
}

interface Definition<Section> {
  readonly name: string;
  readonly here: Here;
  readonly definition: Section[keyof Section];
  readonly sound: Checked<unknown>['sound'];
}

/** Definitions of one section: the first of each name. */
export function* definitionsOf<Document, Section extends keyof Document & string>(
  files: Files<Document>,
  section: Section,
  table: NameTable,
): Generator<Definition<Document[Section]>> {
  for (const { file, document, sound } of files.checked) {
    for (const [name, definition] of Object.entries(document[section] as object)) {
      const here = table.names.get(name);
      if (here?.file === file) yield { name, here, definition, sound };
    }
  }
}
