import { LIMIT_DEFAULTS, type LimitValues } from '../base/limits.ts';
import type { SourceText } from '../diagnostics/source.ts';
import { buildLimits } from './build/settings.ts';
import type { Checked, Files } from './build/sources.ts';
import type { EnforcementDocument, PortunusDocument, RoutesDocument, TenantsDocument } from './documents.ts';
import { diagnosticAt } from './finding.ts';
import { type FileKind, kindOf, unknownKind } from './kinds.ts';
import type { Ledger } from './ledger.ts';
import { checkShape } from './shape/check-shape.ts';
import { prune } from './shape/prune.ts';
import { readYaml } from './text/read.ts';
import { withoutSecrets } from './text/without-secrets.ts';

interface DocumentOf {
  readonly portunus: PortunusDocument;
  readonly routes: RoutesDocument;
  readonly tenants: TenantsDocument;
  readonly enforcement: EnforcementDocument;
}

/** All files of a project by kind, each read and checked against its schema. */
export type CheckedFiles = { readonly [Kind in FileKind]: Files<DocumentOf[Kind]> };

/** Reads and checks all files. portunus.yaml comes first: its limits bound the reading of the others. */
export function checkFiles(
  sources: readonly SourceText[],
  ledger: Ledger,
): { readonly checked: CheckedFiles; readonly limits: LimitValues } {
  const portunus = checkKind('portunus', sources, LIMIT_DEFAULTS, ledger);
  const settings = portunus.checked[0];
  const limits = settings === undefined ? LIMIT_DEFAULTS : buildLimits(settings);
  checkPresence(sources, limits, ledger);
  const checked = {
    portunus,
    routes: checkKind('routes', sources, limits, ledger),
    tenants: checkKind('tenants', sources, limits, ledger),
    enforcement: checkKind('enforcement', sources, limits, ledger),
  };
  return { checked, limits };
}

function checkPresence(sources: readonly SourceText[], limits: LimitValues, ledger: Ledger): void {
  if (!sources.some((source) => kindOf(source.path) === 'portunus')) {
    const help = 'Make one with the line `portunus: 1`, or let `portunus init` write a small project.';
    ledger.addGeneral(diagnosticAt(null, 'PT3111', 'The project folder has no portunus.yaml.', help));
  }
  if (sources.length > limits.configurationFiles) {
    const message = `The project has ${sources.length} configuration files; it may have ${limits.configurationFiles}.`;
    ledger.addGeneral(
      diagnosticAt(null, 'PT3004', message, 'Join files, or raise limits.configurationFiles.'),
    );
  }
  for (const source of sources) {
    if (kindOf(source.path) !== null) continue;
    const { source: masked, diagnostics } = withoutSecrets(source);
    ledger.add(source.path, [unknownKind(masked), ...diagnostics]);
  }
}

function checkKind<Kind extends FileKind>(
  kind: Kind,
  sources: readonly SourceText[],
  limits: LimitValues,
  ledger: Ledger,
): Files<DocumentOf[Kind]> {
  const ofKind = sources.filter((source) => kindOf(source.path) === kind);
  const checked = ofKind.flatMap((source) => checkFile<DocumentOf[Kind]>(kind, source, limits, ledger) ?? []);
  return { checked, complete: checked.length === ofKind.length };
}

/** Null when nothing in the file can be used. */
function checkFile<Document>(
  kind: FileKind,
  source: SourceText,
  limits: LimitValues,
  ledger: Ledger,
): Checked<Document> | null {
  const { file, value, diagnostics } = readYaml(source, limits);
  ledger.add(source.path, diagnostics);
  if (value === undefined) return null;
  const root = value ?? {};
  const shape = checkShape(kind, root, file, limits.diagnosticsPerFile);
  for (const finding of shape.findings) ledger.report(finding);
  ledger.omit(source.path, shape.omitted);
  if (!isMap(root)) return null;
  const defined = namesIn(kind, root);
  if (shape.findings.length > 0 && !prune(kind, root)) return null;
  return { file, document: root as Document, defined, sound: shape.sound };
}

/** Sections that hold definitions which others refer to. */
const SECTIONS: Readonly<Record<FileKind, readonly string[]>> = {
  portunus: [],
  routes: ['services', 'routes'],
  tenants: ['tenants'],
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
