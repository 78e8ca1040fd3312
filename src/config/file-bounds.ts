/** What the project's own settings allow of its files. */
import type { LimitValues } from '../base/limits.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText } from '../diagnostics/source.ts';
import { diagnosticAt } from './finding.ts';

/** Null when the file is as large as it may be, or smaller. */
export function tooLarge(source: SourceText, limits: LimitValues): Diagnostic | null {
  const bytes = Buffer.byteLength(source.text);
  if (bytes <= limits.configurationFileBytes) return null;
  const message = `${source.path} has ${bytes} bytes; a file may have ${limits.configurationFileBytes}.`;
  const help = 'Split it into several files, or raise limits.configurationFileBytes.';
  return diagnosticAt(null, 'PT3004', message, help);
}

export function tooMany(files: number, limits: LimitValues): Diagnostic | null {
  if (files <= limits.configurationFiles) return null;
  const message = `The project has ${files} configuration files; it may have ${limits.configurationFiles}.`;
  return diagnosticAt(null, 'PT3004', message, 'Join files, or raise limits.configurationFiles.');
}
