import { NO_STOPWATCH, type Stopwatch } from '../base/stopwatch.ts';
import { CompileMemory } from '../compiler/compile-memory.ts';
import { FileMemory } from '../config/check-files.ts';
import { type LoadedWorld, loadWorld } from '../config/load.ts';
import type { SourceText } from '../diagnostics/source.ts';
import { PolicyMemory } from '../language/check.ts';
import { type ParsedPolicyFile, parsePolicyFile } from '../language/parse.ts';

/**
 * What stays true of a project when one of its files changes: readings of the other files, and the world while no YAML
 * file changes. Every part is kept by the content that it was made from, so an answer never depends on what was asked
 * before. Holds one version of each file of the last project asked about.
 */
export class ProjectMemory {
  readonly files = new FileMemory();
  readonly policies: PolicyMemory;
  readonly compiled: CompileMemory;
  readonly stopwatch: Stopwatch;
  #parsed = new Map<string, ParsedPolicyFile & { readonly nestingDepthMax: number }>();
  #world: {
    readonly sources: readonly SourceText[];
    readonly folder: string;
    readonly loaded: LoadedWorld;
  } | null = null;

  constructor(stopwatch: Stopwatch = NO_STOPWATCH) {
    this.stopwatch = stopwatch;
    this.policies = new PolicyMemory(stopwatch);
    this.compiled = new CompileMemory(stopwatch);
  }

  loadWorld(sources: readonly SourceText[], folder: string): LoadedWorld {
    const last = this.#world;
    if (last !== null && last.folder === folder && sameTexts(last.sources, sources)) return last.loaded;
    const loaded = loadWorld(sources, { projectFolder: folder }, this.files);
    this.#world = { sources, folder, loaded };
    const present = new Set(sources.map(({ path }) => path));
    const { readings } = this.files;
    for (const path of readings.keys()) if (!present.has(path)) readings.delete(path);
    return loaded;
  }

  parse(sources: readonly SourceText[], nestingDepthMax: number): readonly ParsedPolicyFile[] {
    const before = this.#parsed;
    this.#parsed = new Map();
    return sources.map((source) => {
      const known = before.get(source.path);
      const isSame = known?.source.text === source.text && known.nestingDepthMax === nestingDepthMax;
      const parsed = isSame ? known : { ...this.#parse(source, nestingDepthMax), nestingDepthMax };
      this.#parsed.set(source.path, parsed);
      return parsed;
    });
  }

  #parse(source: SourceText, nestingDepthMax: number): ParsedPolicyFile {
    return this.stopwatch.policies(
      'reading',
      () => parsePolicyFile(source, nestingDepthMax),
      ({ file }) => file.policies.map(({ name }) => name.value),
    );
  }
}

function sameTexts(a: readonly SourceText[], b: readonly SourceText[]): boolean {
  return (
    a.length === b.length && a.every(({ path, text }, at) => path === b[at]!.path && text === b[at]!.text)
  );
}
