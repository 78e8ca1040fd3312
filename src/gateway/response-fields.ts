/** The field lines of an answer: what the service sent, less what was for its hop, plus what the gateway says. */
import type { HeaderEdits, RequestContext } from '../pipeline/context.ts';
import type { RuleBundle } from '../pipeline/program.ts';
import { ruleName } from './access-record.ts';
import type { FieldLines } from './client-stream.ts';
import { RESPONSE_FIELDS_DROPPED } from './field-kinds.ts';
import { BAD_VALUE, classifyValue, isToken, PLAIN_VALUE, toByteString } from './field-text.ts';
import { isEdited } from './request-fields.ts';

/** Lines that every answer has, and those of an admitted request: its limits and warnings. */
export function ownFieldLines(
  requestId: string,
  context: RequestContext | null,
  bundle: RuleBundle | null,
): string {
  let lines = `x-request-id: ${requestId}\r\nvia: 1.1 portunus\r\n`;
  if (context === null || bundle === null) return lines;
  if (context.rateLimit !== '') lines += `ratelimit: ${context.rateLimit}\r\n`;
  if (context.rateLimitPolicy !== '') lines += `ratelimit-policy: ${context.rateLimitPolicy}\r\n`;
  if (context.warned !== null) lines += warnings(context.warned, bundle);
  return lines;
}

/**
 * `fields` are of one character per byte, as the upstream client reads them. Null when one of them, or a value that a
 * rule sets, would break out of its line: uWebSockets.js does not look.
 */
export function responseFieldLines(
  fields: readonly string[],
  edits: HeaderEdits,
  own: string,
): FieldLines | null {
  let lines = own;
  let wide = false;
  const edited = edits.removed.length > 0 || edits.set.length > 0;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    if (RESPONSE_FIELDS_DROPPED.has(name) || (edited && isEdited(name, edits))) continue;
    const value = fields[index + 1]!;
    const kind = classifyValue(value);
    if (kind === BAD_VALUE || !isToken(name)) return null;
    if (kind !== PLAIN_VALUE) wide = true;
    lines += `${name}: ${value}\r\n`;
  }
  for (let index = 0; index < edits.set.length; index += 2) {
    const value = edits.set[index + 1]!;
    const kind = classifyValue(value);
    if (kind === BAD_VALUE) return null;
    if (kind !== PLAIN_VALUE) wide = true;
    lines += `${edits.set[index]!}: ${kind === PLAIN_VALUE ? value : toByteString(value)}\r\n`;
  }
  // uWebSockets.js would write text as UTF-8 and so double every byte above 0x7F.
  return wide ? Buffer.from(lines, 'latin1') : lines;
}

function warnings(warned: readonly number[], bundle: RuleBundle): string {
  let lines = '';
  for (const rule of warned) {
    const name = ruleName(bundle, rule);
    lines += `x-portunus-warning: ${classifyValue(name) === PLAIN_VALUE ? name : encodeURIComponent(name)}\r\n`;
  }
  return lines;
}
