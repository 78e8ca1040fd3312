import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { SourceText } from '../../diagnostics/source.ts';
import { diagnosticAt } from '../finding.ts';

/**
 * Characters that have no business in a configuration file: control characters (YAML 1.2.2, 5.1), halves of
 * surrogate pairs, U+FFFD, which a decoder leaves where the bytes were not UTF-8, and carriage returns without line
 * feed, which only some readers take for the end of a line.
 */
const REFUSED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufeff\ufffd-\uffff]|\p{Cs}|\r(?!\n)/u;

const BYTE_ORDER_MARK = 0xfeff;
const REPLACEMENT = 0xfffd;
const CARRIAGE_RETURN = 0x0d;

/** The first character that may not be there, if there is one. */
export function refusedCharacter(source: SourceText): Diagnostic | null {
  const start = source.text.search(REFUSED);
  if (start === -1) return null;
  const code = source.text.codePointAt(start)!;
  const span = { source, start, end: start + 1 };
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  if (code === BYTE_ORDER_MARK) {
    const message = 'The file holds a byte order mark (U+FEFF).';
    return diagnosticAt(span, 'PT3003', message, 'Save it as UTF-8 without a byte order mark.');
  }
  if (code === REPLACEMENT) {
    const message = 'The file is not valid UTF-8 here, or holds the character U+FFFD.';
    return diagnosticAt(span, 'PT3003', message, 'Save it as UTF-8.');
  }
  if (code === CARRIAGE_RETURN) {
    const message = 'The file holds a carriage return without a line feed.';
    return diagnosticAt(span, 'PT3003', message, 'Save it with line feeds (LF, or CR LF) as ends of lines.');
  }
  const message = `The file holds the character ${name}, which YAML does not allow.`;
  return diagnosticAt(
    span,
    'PT3003',
    message,
    `Remove it, or write it as an escape in a quoted text: "\\u${name.slice(2)}".`,
  );
}
