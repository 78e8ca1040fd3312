/** The field lines of an answer: what the service sent, less what was for its hop, plus what the gateway says. */
import { moneyText } from '../model/money.ts';
import type { HeaderEdits, RequestContext } from '../pipeline/context.ts';
import type { FieldLines } from './client-stream.ts';
import { RESPONSE_FIELDS_DROPPED } from './field-kinds.ts';
import { BAD_VALUE, classifyValue, isToken, PLAIN_VALUE, toByteString } from './field-text.ts';
import { isEdited } from './request-fields.ts';
import type { ServedRules } from './served-rules.ts';
import { warningField } from './warning-field.ts';

/** Lines that every answer has: the request's id, and what rules warn of. */
export function ownFieldLines(
  requestId: string,
  context: RequestContext,
  rules: Pick<ServedRules, 'rule'> | null,
): string {
  const lines = `x-request-id: ${requestId}\r\nvia: 1.1 portunus\r\n`;
  if (context.warnings === null || rules === null) return lines;
  return lines + warningField(context.warnings, rules);
}

/** Lines of the limits that an admitted request was counted by. */
export function limitFieldLines({ rateLimit, rateLimitPolicy }: RequestContext): string {
  let lines = '';
  if (rateLimit !== '') lines += `ratelimit: ${rateLimit}\r\n`;
  if (rateLimitPolicy !== '') lines += `ratelimit-policy: ${rateLimitPolicy}\r\n`;
  return lines;
}

/** What the call to a model cost, where that is known by now. */
export function costLine({ shapedCall }: RequestContext): string {
  const nano = shapedCall === null ? null : shapedCall.use.costNano;
  return nano === null ? '' : `portunus-cost: ${moneyText(nano, undefined)}\r\n`;
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
  for (const list of [edits.set, edits.added]) {
    for (let index = 0; index < list.length; index += 2) {
      const value = list[index + 1]!;
      const kind = classifyValue(value);
      if (kind === BAD_VALUE) return null;
      if (kind !== PLAIN_VALUE) wide = true;
      lines += `${list[index]!}: ${kind === PLAIN_VALUE ? value : toByteString(value)}\r\n`;
    }
  }
  // uWebSockets.js would write text as UTF-8 and so double every byte above 0x7F.
  return wide ? Buffer.from(lines, 'latin1') : lines;
}
