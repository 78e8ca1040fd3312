import { below, type Here, keyAt, type Report } from '../finding.ts';
import { clip } from '../show.ts';

export interface Field {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

/** Header fields, each named once. */
export function buildFields(
  documents: Readonly<Record<string, string>>,
  here: Here,
  report: Report,
): readonly Field[] {
  const values = new Map<string, string>();
  for (const [written, value] of Object.entries(documents)) {
    const name = written.toLowerCase();
    if (values.has(name)) {
      report({
        code: 'PT3304',
        message: `The header field "${clip(written)}" is named twice.`,
        target: keyAt(below(here, written)),
        help: 'Keep one of them: names of header fields are the same in capitals and small letters.',
      });
    } else values.set(name, value);
  }
  return Array.from(values, ([name, value]) => ({ name, value }));
}
