/**
 * What leaves of a caller's body: every byte as it came, but for the name of the model, the bound of its answer, and the wish for usage
 * at the end of a stream.
 */
import type { Operation } from '../ai/operations.ts';
import { FormDocument } from '../base/form-data.ts';
import type { JsonDocument, JsonNode } from '../base/json/document.ts';
import {
  editJson,
  type JsonEdit,
  removeMember,
  replaceMember,
  setMember,
  setMembers,
} from '../base/json/edit.ts';

export interface BodyChanges {
  /** Null: as the caller wrote it. */
  readonly model: string | null;
  /** Null: as the caller wrote it. */
  readonly outputCap: number | null;
  /** The member that the provider knows it by; null: the operation has none. */
  readonly capMember: string | null;
  readonly asksForUsage: boolean;
}

export function outgoingBody(
  document: JsonDocument | FormDocument,
  { outputCaps }: Pick<Operation, 'outputCaps'>,
  { model, outputCap, capMember, asksForUsage }: BodyChanges,
): Uint8Array {
  if (document instanceof FormDocument) return outgoingForm(document, model);
  const members: Record<string, string> = {};
  const edits: JsonEdit[] = [];
  if (model !== null) members.model = JSON.stringify(model);
  if (outputCap !== null && capMember !== null) {
    const own = document.member(document.root, capMember);
    // a provider that knows both refuses both at once, and one that knows but this one would not be bound by the other
    const other = memberOf(document, outputCaps, capMember);
    if (other !== null && own === undefined)
      edits.push(replaceMember(document, other, capMember, String(outputCap)));
    else if (other !== null) edits.push(removeMember(document, document.root, other));
    const isSaid = own === undefined ? other !== null : says(document, own, outputCap);
    if (!isSaid) members[capMember] = String(outputCap);
  }
  if (asksForUsage) {
    const options = document.member(document.root, 'stream_options');
    if (options === undefined || document.typeOf(options) !== 'object')
      members.stream_options = '{"include_usage":true}';
    else edits.push(setMember(document, options, 'include_usage', 'true'));
  }
  for (const edit of setMembers(document, document.root, members)) edits.push(edit);
  return edits.length === 0 ? document.bytes : editJson(document.bytes, edits);
}

/** Forms have neither a bound of their answer nor a wish for usage. */
function outgoingForm(form: FormDocument, model: string | null): Uint8Array {
  const [part] = form.named('model');
  return model === null || part === undefined
    ? form.bytes
    : form.withContent(part, new TextEncoder().encode(model));
}

function says(document: JsonDocument, node: JsonNode, count: number): boolean {
  return document.typeOf(node) === 'number' && document.number(node) === count;
}

/** The first member of one of these names, but for one. */
function memberOf(document: JsonDocument, names: readonly string[], but: string): JsonNode | null {
  for (let member = document.first(document.root); member !== undefined; member = document.next(member))
    for (const name of names) if (name !== but && document.isText(member, name)) return member;
  return null;
}
