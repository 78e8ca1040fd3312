/** Members of a request by which a token costs more than the price of its model says. */
import type { JsonDocument, JsonNode } from '../base/json/document.ts';
import type { Dearer } from '../model/model-call.ts';

/** Null: none of them is there, or it says what is usual, or cheaper. */
export function dearerBy(document: JsonDocument): Dearer | null {
  for (const { member, dearer, usual } of CHOSEN) {
    const value = document.member(document.root, member);
    // a number is the speed of speech
    if (value !== undefined && document.typeOf(value) === 'string' && !isOneOf(document, value, usual))
      return dearer;
  }
  if (hasOtherMedia(document)) return 'media';
  const prediction = document.member(document.root, 'prediction');
  return prediction !== undefined && document.typeOf(prediction) !== 'null' ? 'prediction' : null;
}

/**
 * OpenAI, "Priority processing"; Anthropic, "Service tiers", "Fast mode" and "Data residency"; Groq, "Service tiers". What is not known
 * may be dearer.
 */
const CHOSEN: readonly {
  readonly member: string;
  readonly dearer: Dearer;
  readonly usual: readonly string[];
}[] = [
  {
    member: 'service_tier',
    dearer: 'service_tier',
    usual: ['auto', 'default', 'flex', 'batch', 'standard', 'standard_only', 'on_demand'],
  },
  { member: 'speed', dearer: 'speed', usual: ['standard'] },
  { member: 'inference_geo', dearer: 'place', usual: ['global'] },
];

function hasOtherMedia(document: JsonDocument): boolean {
  const voice = document.member(document.root, 'audio');
  if (voice !== undefined && document.typeOf(voice) === 'object') return true;
  const modalities = document.member(document.root, 'modalities');
  if (modalities === undefined || document.typeOf(modalities) !== 'array') return false;
  for (let each = document.first(modalities); each !== undefined; each = document.next(each))
    if (document.typeOf(each) !== 'string' || !document.isText(each, 'text')) return true;
  return false;
}

function isOneOf(document: JsonDocument, value: JsonNode, texts: readonly string[]): boolean {
  for (const text of texts) if (document.isText(value, text)) return true;
  return false;
}
