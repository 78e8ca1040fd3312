/**
 * `Portunus-Warning`, in place of `Warning`, which RFC 9111 made obsolete: a list of structured fields (RFC 9651), one
 * item for each rule: `"keys/old";code="key_old";detail="Rotate your key: it is 91 days old"`. A text that is not plain ASCII is a
 * Display String (3.3.8), as in `detail=%"caf%c3%a9"`.
 */
import type { Warning } from '../pipeline/context.ts';
import type { ServedRules } from './served-rules.ts';

/** Clients and proxies refuse long header sections: what does not fit is only in the access record. */
export const WARNING_FIELD_CHARACTERS_MAX = 2_048;

/** The field line, or '' when nobody is to hear any of it. Rules of shadowed policies are not told. */
export function warningField(warnings: readonly Warning[], rules: Pick<ServedRules, 'rule'>): string {
  let value = '';
  for (const { rule, code, detail } of warnings) {
    const info = rules.rule(rule);
    if (info === null || info.mode === 'shadow') continue;
    const named = `${value === '' ? '' : ', '}${structuredText(info.shownName)};code=${structuredText(code)}`;
    const whole = `${named};detail=${structuredText(detail)}`;
    if (value.length + whole.length <= WARNING_FIELD_CHARACTERS_MAX) value += whole;
    else if (value.length + named.length <= WARNING_FIELD_CHARACTERS_MAX) value += named;
  }
  return value === '' ? '' : `portunus-warning: ${value}\r\n`;
}

/** A String (RFC 9651, 3.3.3) where its characters allow it, else a Display String. */
function structuredText(text: string): string {
  return PLAIN.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `%"${percentEncoded(text)}"`;
}

const PLAIN = /^[\x20-\x7e]*$/;

/** RFC 9651, 4.1.11: bytes of UTF-8 that are not printable ASCII, and `%` and `"`, as `%` and two lower-case digits. */
function percentEncoded(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x22 && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return encoded;
}
