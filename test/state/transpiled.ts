/**
 * The sources as JavaScript in a folder of their own, for worker threads: vitest transforms only what its own threads
 * import, and `dist` may be older than the sources.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

export interface Transpiled {
  /** URL of a module by its path under `src`, such as `state/shared-counters.ts`. */
  readonly urlOf: (module: string) => string;
  remove(): void;
}

export function transpile(rooms: readonly string[]): Transpiled {
  const folder = mkdtempSync(join(tmpdir(), 'portunus-transpiled-'));
  const source = fileURLToPath(new URL('../../src', import.meta.url));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const room of rooms) {
    for (const name of readdirSync(join(source, room), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || /\.(test|cases)\.ts$/.test(name)) continue;
      const target = join(folder, room, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, toJavaScript(readFileSync(join(source, room, name), 'utf8')));
    }
  }
  return {
    urlOf: (module) => pathToFileURL(join(folder, module.replace(/\.ts$/, '.js'))).href,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function toJavaScript(source: string): string {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  return outputText;
}
