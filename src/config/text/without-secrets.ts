import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { SourceText } from '../../diagnostics/source.ts';
import { diagnosticAt } from '../finding.ts';
import { findSecrets, maskSecrets } from './secrets.ts';

/**
 * A file as everything after this sees it: secrets masked, and a finding for each. All offsets stay what they were, and
 * no message, excerpt or value can hold what is no longer in the text.
 */
export function withoutSecrets(original: SourceText): {
  readonly source: SourceText;
  readonly diagnostics: readonly Diagnostic[];
} {
  const secrets = findSecrets(original.text);
  if (secrets.length === 0) return { source: original, diagnostics: [] };
  const source = new SourceText(original.path, maskSecrets(original.text, secrets));
  const diagnostics = secrets.map(({ what, start, end }) => {
    const message = `This looks like ${what}; a secret may not stand in a configuration file. It is not shown here.`;
    const help =
      'Write env:NAME, file:PATH or store:NAME where a secret is asked for, and put it there; replace the secret itself, as whoever could read this file may have it.';
    return diagnosticAt({ source, start, end }, 'PT3401', message, help);
  });
  return { source, diagnostics };
}
