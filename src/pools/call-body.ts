/** What leaves of a caller's body: every byte as it came, but for the name of the model and the wish for usage at the end of a stream. */
import type { JsonDocument } from '../base/json/document.ts';
import { editJson, type JsonEdit, setMember } from '../base/json/edit.ts';

export interface BodyChanges {
  /** Null: as the caller wrote it. */
  readonly model: string | null;
  readonly asksForUsage: boolean;
}

export function outgoingBody(document: JsonDocument, { model, asksForUsage }: BodyChanges): Uint8Array {
  const edits: JsonEdit[] = [];
  if (model !== null) edits.push(setMember(document, document.root, 'model', json(model)));
  if (asksForUsage) edits.push(usageEdit(document));
  return edits.length === 0 ? document.bytes : editJson(document.bytes, edits);
}

function usageEdit(document: JsonDocument): JsonEdit {
  const options = document.member(document.root, 'stream_options');
  return options === undefined || document.typeOf(options) !== 'object'
    ? setMember(document, document.root, 'stream_options', json({ include_usage: true }))
    : setMember(document, options, 'include_usage', json(true));
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
