/**
 * A ready project as plain data, for another thread or a file: no class, no function, and each source of findings once. Memory
 * that threads share stays shared.
 */
import { err, ok } from '../../base/result.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { SourceText, type Span } from '../../diagnostics/source.ts';
import type { PackedBundle } from '../../gateway/packed-bundle.ts';
import type { ReadyBundle, ReadyProject, ReadyVersion, ServedWorld } from './ready-project.ts';

export interface ReadyForm {
  readonly built: VersionForm | null;
  readonly findings: FindingsForm;
}

export interface VersionForm extends Pick<ReadyVersion, 'policyCount' | 'days' | 'replaced'> {
  readonly world: Omit<ServedWorld, 'routes'>;
  readonly routes: readonly string[];
  readonly bundle: Pick<
    ReadyBundle,
    'hash' | 'services' | 'models' | 'counters' | 'alerts' | 'poolRules' | 'ruleCount'
  >;
  /** A sentence where it can't be packed. */
  readonly packed: PackedBundle | string;
}

export interface FindingsForm {
  readonly sources: readonly SourceForm[];
  readonly diagnostics: readonly DiagnosticForm[];
}

/** `text`: null where it is that of the file. It differs where secrets were masked. */
interface SourceForm {
  readonly path: string;
  readonly text: string | null;
}
/** `source`: its number. */
interface SpanForm {
  readonly source: number;
  readonly start: number;
  readonly end: number;
}
interface DiagnosticForm extends Omit<Diagnostic, 'span' | 'related'> {
  readonly span: SpanForm | null;
  readonly related: readonly { readonly span: SpanForm; readonly message: string }[];
}

export function formOf({ built, diagnostics }: ReadyProject, texts: readonly SourceText[]): ReadyForm {
  return { built: built === null ? null : versionForm(built), findings: findingsForm(diagnostics, texts) };
}

/** The project again, of the same texts. */
export function fromForm({ built, findings }: ReadyForm, texts: readonly SourceText[]): ReadyProject {
  const diagnostics = diagnosticsOf(findings, texts);
  return { built: built === null ? null : versionOf(built, diagnostics), diagnostics };
}

function versionForm({ world, bundle, policyCount, days, replaced }: ReadyVersion): VersionForm {
  const { routes, ...others } = world;
  const { hash, services, models, counters, alerts, poolRules, ruleCount } = bundle;
  const packed = bundle.pack();
  return {
    world: others,
    routes: [...routes.keys()],
    bundle: { hash, services, models, counters, alerts, poolRules, ruleCount },
    packed: packed.ok ? packed.value : packed.error,
    policyCount,
    days,
    replaced,
  };
}

function versionOf(form: VersionForm, findings: readonly Diagnostic[]): ReadyVersion {
  const { packed, policyCount, days, replaced } = form;
  return {
    world: { ...form.world, routes: new Set(form.routes) },
    bundle: { ...form.bundle, pack: () => (typeof packed === 'string' ? err(packed) : ok(packed)) },
    policyCount,
    findings,
    days,
    replaced,
  };
}

function findingsForm(diagnostics: readonly Diagnostic[], texts: readonly SourceText[]): FindingsForm {
  const byPath = new Map(texts.map(({ path, text }) => [path, text]));
  const sources = new Map<SourceText, number>();
  const spanForm = ({ source, start, end }: Span): SpanForm => {
    const number = sources.get(source) ?? sources.size;
    sources.set(source, number);
    return { source: number, start, end };
  };
  const forms = diagnostics.map(({ span, related, ...others }) => ({
    ...others,
    span: span === null ? null : spanForm(span),
    related: related.map((each) => ({ message: each.message, span: spanForm(each.span) })),
  }));
  const all = [...sources.keys()].map(({ path, text }) => ({
    path,
    text: byPath.get(path) === text ? null : text,
  }));
  return { sources: all, diagnostics: forms };
}

function diagnosticsOf({ sources, diagnostics }: FindingsForm, texts: readonly SourceText[]): Diagnostic[] {
  const byPath = new Map(texts.map((text) => [text.path, text]));
  const all = sources.map(({ path, text }) =>
    text === null ? byPath.get(path)! : new SourceText(path, text),
  );
  const spanOf = ({ source, start, end }: SpanForm): Span => ({ source: all[source]!, start, end });
  return diagnostics.map(({ span, related, ...others }) => ({
    ...others,
    span: span === null ? null : spanOf(span),
    related: related.map((each) => ({ message: each.message, span: spanOf(each.span) })),
  }));
}
