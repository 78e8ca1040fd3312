import { compileRules } from '../compiler/compile.ts';
import { checkEnforcement, loadWorld } from '../config/load.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { type SourceText, spanAt } from '../diagnostics/source.ts';
import { checkPolicies } from '../language/check.ts';
import { dueFindings } from '../language/due.ts';
import type { CheckedPolicies } from '../language/typed.ts';
import type { World } from '../model/world.ts';
import type { RuleBundle } from '../pipeline/program.ts';

/** One project folder, checked and compiled. `built` is null when there is any error. */
export interface BuiltProject {
  readonly built: {
    readonly world: World;
    readonly policies: CheckedPolicies;
    readonly bundle: RuleBundle;
  } | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The whole way from texts to a rule set, as `check`, `start` and every reload take it. Pure: `wallMs` is the time for
 * findings about what is due.
 */
export function buildProject(
  texts: readonly SourceText[],
  projectFolder: string,
  wallMs: number,
): BuiltProject {
  const isPolicy = (text: SourceText): boolean => text.path.endsWith('.policy');
  const loaded = loadWorld(
    texts.filter((text) => !isPolicy(text)),
    { projectFolder },
  );
  if (loaded.world === null) return { built: null, diagnostics: loaded.diagnostics };
  const checked = checkPolicies(texts.filter(isPolicy), loaded.world);
  const names = new Set(checked.policies.policies.map(({ name }) => name));
  const found = [...loaded.diagnostics, ...checked.diagnostics, ...checkEnforcement(texts, names)];
  if (hasError(found)) return { built: null, diagnostics: found };
  const byPath = new Map(texts.map((text) => [text.path, text]));
  const compiled = compileRules(checked.policies, loaded.world, (place) => spanAt(place, byPath));
  const diagnostics = [...found, ...compiled.diagnostics, ...dueFindings(checked.policies, wallMs)];
  if (hasError(diagnostics)) return { built: null, diagnostics };
  return { built: { world: loaded.world, policies: checked.policies, bundle: compiled.bundle }, diagnostics };
}

export function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}
