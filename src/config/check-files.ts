import { LIMIT_DEFAULTS, type LimitName, type LimitValues } from '../base/limits.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText } from '../diagnostics/source.ts';
import type { Route } from '../model/world.ts';
import type { ApartRoutes } from './build/overlaps.ts';
import type { RouteFileMemory } from './build/routes.ts';
import { buildLimits } from './build/settings.ts';
import type { Checked, Files } from './build/sources.ts';
import type { DirectoryMemory } from './build/tenants.ts';
import type {
  EnforcementDocument,
  PortunusDocument,
  ProvidersDocument,
  RoutesDocument,
  TenantsDocument,
} from './documents.ts';
import { tooMany } from './file-bounds.ts';
import { diagnosticAt, type Finding } from './finding.ts';
import { type FileKind, isSchemaFile, kindOf, unknownKind } from './kinds.ts';
import type { Ledger } from './ledger.ts';
import { checkShape } from './shape/check-shape.ts';
import { prune } from './shape/prune.ts';
import { readYaml } from './text/read.ts';
import { withoutSecrets } from './text/without-secrets.ts';

interface DocumentOf {
  readonly portunus: PortunusDocument;
  readonly routes: RoutesDocument;
  readonly tenants: TenantsDocument;
  readonly providers: ProvidersDocument;
  readonly enforcement: EnforcementDocument;
}

/** All files of a project by kind, each read and checked against its schema. */
export type CheckedFiles = { readonly [Kind in FileKind]: Files<DocumentOf[Kind]> };

/** Reads and checks all files. portunus.yaml comes first: its limits bound the reading of the others. */
export function checkFiles(
  sources: readonly SourceText[],
  ledger: Ledger,
  memory: FileMemory = new FileMemory(),
): { readonly checked: CheckedFiles; readonly limits: LimitValues } {
  const portunus = checkKind('portunus', sources, LIMIT_DEFAULTS, ledger, memory);
  const settings = portunus.checked[0];
  const limits = settings === undefined ? LIMIT_DEFAULTS : buildLimits(settings);
  checkPresence(sources, limits, ledger);
  const checked = {
    portunus,
    routes: checkKind('routes', sources, limits, ledger, memory),
    tenants: checkKind('tenants', sources, limits, ledger, memory),
    providers: checkKind('providers', sources, limits, ledger, memory),
    enforcement: checkKind('enforcement', sources, limits, ledger, memory),
  };
  return { checked, limits };
}

/** A text that stands for one file of tenants, with what its schema says of it. */
export function checkTenants(
  source: SourceText,
  limits: LimitValues,
  ledger: Ledger,
): { readonly files: Files<TenantsDocument>; readonly reading: readonly Finding[] } {
  const { diagnostics, findings, checked } = readFile('tenants', source, limits);
  ledger.add(source.path, diagnostics);
  const files = checked === null ? [] : [checked as Checked<TenantsDocument>];
  return { files: { checked: files, complete: true }, reading: findings };
}

function checkPresence(sources: readonly SourceText[], limits: LimitValues, ledger: Ledger): void {
  if (!sources.some((source) => kindOf(source.path) === 'portunus')) {
    const help = 'Make one with the line `portunus: 1`, or let `portunus init` write a small project.';
    ledger.addGeneral(diagnosticAt(null, 'PT3111', 'The project folder has no portunus.yaml.', help));
  }
  const many = tooMany(sources.length, limits);
  if (many !== null) ledger.addGeneral(many);
  for (const source of sources) {
    if (kindOf(source.path) !== null) continue;
    const { source: masked, diagnostics } = withoutSecrets(source);
    ledger.add(source.path, isSchemaFile(source.path) ? diagnostics : [unknownKind(masked), ...diagnostics]);
  }
}

function checkKind<Kind extends FileKind>(
  kind: Kind,
  sources: readonly SourceText[],
  limits: LimitValues,
  ledger: Ledger,
  memory: FileMemory,
): Files<DocumentOf[Kind]> {
  const ofKind = sources.filter((source) => kindOf(source.path) === kind);
  let lacksSection = false;
  const checked = ofKind.flatMap((source) => {
    const reading = readOnce(kind, source, limits, memory);
    ledger.add(source.path, reading.diagnostics);
    for (const finding of reading.findings) {
      ledger.report(finding);
      lacksSection ||= isUnknownSection(finding);
    }
    ledger.omit(source.path, reading.omitted);
    return reading.checked === null ? [] : [reading.checked as Checked<DocumentOf[Kind]>];
  });
  return { checked, complete: checked.length === ofKind.length && !lacksSection };
}

/** What a misspelt section defines is not known, so nothing is said about who refers to it. */
function isUnknownSection({ code, target }: Finding): boolean {
  return code === 'PT3101' && target.path.length === 1;
}

/** What was made of the files of a project, for the next time that some of them are the same. */
export class FileMemory {
  /** By path. A file of other text, or read under other limits, is read anew. */
  readonly readings = new Map<string, RememberedFile>();
  /** Of the last world. */
  routes: ReadonlyMap<string, Route> = new Map();
  readonly routeFiles: RouteFileMemory = new WeakMap();
  /** Null when some overlapped. */
  apart: ApartRoutes | null = null;
  directory: DirectoryMemory | null = null;
}

interface RememberedFile {
  readonly text: string;
  readonly limits: LimitValues;
  readonly reading: FileReading;
}

function readOnce(kind: FileKind, source: SourceText, limits: LimitValues, memory: FileMemory): FileReading {
  const known = memory.readings.get(source.path);
  if (known !== undefined && known.text === source.text && sameLimits(known.limits, limits))
    return known.reading;
  const reading = readFile(kind, source, limits);
  memory.readings.set(source.path, { text: source.text, limits, reading });
  return reading;
}

function sameLimits(a: LimitValues, b: LimitValues): boolean {
  return a === b || (Object.keys(a) as LimitName[]).every((name) => a[name] === b[name]);
}

/** A file by itself, whatever the others hold. */
interface FileReading {
  readonly diagnostics: readonly Diagnostic[];
  readonly findings: readonly Finding[];
  /** Findings beyond the limit, which nobody has described. */
  readonly omitted: number;
  /** Null when nothing in the file can be used. */
  readonly checked: Checked<unknown> | null;
}

function readFile(kind: FileKind, source: SourceText, limits: LimitValues): FileReading {
  const { file, value, diagnostics } = readYaml(source, limits);
  if (value === undefined) return { diagnostics, findings: [], omitted: 0, checked: null };
  const root = value ?? {};
  const { findings, omitted, sound } = checkShape(kind, root, file, limits.diagnosticsPerFile);
  const told = { diagnostics, findings, omitted };
  if (!isMap(root)) return { ...told, checked: null };
  const defined = namesIn(kind, root);
  const isUsable = findings.length === 0 || prune(kind, root);
  return { ...told, checked: isUsable ? { file, document: root, defined, sound } : null };
}

/** Sections that hold definitions which others refer to. */
const SECTIONS: Readonly<Record<FileKind, readonly string[]>> = {
  portunus: [],
  routes: ['services', 'routes'],
  tenants: ['tenants'],
  providers: ['providers', 'pools', 'models'],
  enforcement: [],
};

function namesIn(kind: FileKind, root: Container): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    SECTIONS[kind].map((section) => [section, isMap(root[section]) ? Object.keys(root[section]) : []]),
  );
}

type Container = Record<string, unknown>;

function isMap(value: unknown): value is Container {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
