import type { Json, JsonObject } from './references.ts';

/**
 * What the validator says against a document, as sentences that name the place. It points into a copy of the document that
 * it laid out itself, so its marked line is found again by laying the document out in the same way.
 */
export function faultsInWords(document: JsonObject, messages: readonly string[]): readonly string[] {
  const places: string[] = [];
  layOut(document, [], places);
  const sentences = [...new Set(messages.map((message) => faultInWords(message, places)))];
  const rest = sentences.length - FAULTS_SHOWN_MAX;
  return rest <= 0 ? sentences : [...sentences.slice(0, FAULTS_SHOWN_MAX), `And ${rest} more faults.`];
}

const FAULTS_SHOWN_MAX = 20;

function faultInWords(message: string, places: readonly string[]): string {
  const lines = message.trim().split('\n');
  const marked = lines.findIndex((line) => line.startsWith('> '));
  const place = places[Number(/^> +(\d+) \|/.exec(lines[marked] ?? '')?.[1]) - 1];
  const remark = /\^ (.+)$/.exec(lines[marked + 1] ?? '')?.[1];
  if (place === undefined || remark === undefined) return lines[0]!.trim();
  return `${place || 'the document'}: ${remark.replace(/ (?:to be )?here!$/, '').replace(/^(\S+) is missing$/, '"$1" is missing')}.`;
}

/** The place of each line of `JSON.stringify(value, null, 2)`: `paths → /pets → get`. */
function layOut(value: Json, place: readonly string[], places: string[]): void {
  places.push(place.join(' → '));
  if (typeof value !== 'object' || value === null) return;
  const entries = Array.isArray(value)
    ? value.map((item, at): [string, Json] => [`[${at + 1}]`, item])
    : Object.entries(value);
  for (const [name, item] of entries) if (item !== undefined) layOut(item, [...place, name], places);
  if (entries.length > 0) places.push(place.join(' → '));
}
