/**
 * What leaves of a caller's body: every byte as it came, but for the name of the model, the bound of its answer, and the wish for usage
 * at the end of a stream.
 */
import type { Operation } from '../ai/operations.ts';
import type { JsonDocument, JsonNode } from '../base/json/document.ts';
import { editJson, type JsonEdit, removeMember, setMember, setMembers } from '../base/json/edit.ts';

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
  document: JsonDocument,
  { outputCaps }: Pick<Operation, 'outputCaps'>,
  { model, outputCap, capMember, asksForUsage }: BodyChanges,
): Uint8Array {
  const members: Record<string, Uint8Array> = {};
  const edits: JsonEdit[] = [];
  if (model !== null) members.model = json(model);
  if (outputCap !== null && capMember !== null) {
    if (!says(document, capMember, outputCap)) members[capMember] = json(outputCap);
    // a provider that knows both refuses both at once, and one that knows but this one would not be bound by the other
    const other = memberOf(
      document,
      outputCaps.filter((name) => name !== capMember),
    );
    if (other !== null) edits.push(removeMember(document, document.root, other));
  }
  if (asksForUsage) {
    const options = document.member(document.root, 'stream_options');
    if (options === undefined || document.typeOf(options) !== 'object')
      members.stream_options = json({ include_usage: true });
    else edits.push(setMember(document, options, 'include_usage', json(true)));
  }
  edits.push(...setMembers(document, document.root, members));
  return edits.length === 0 ? document.bytes : editJson(document.bytes, edits);
}

function says(document: JsonDocument, name: string, count: number): boolean {
  const node = document.member(document.root, name);
  return node !== undefined && document.typeOf(node) === 'number' && document.number(node) === count;
}

function memberOf(document: JsonDocument, names: readonly string[]): JsonNode | null {
  for (let name = document.first(document.root); name !== undefined; name = document.next(name))
    if (names.some((one) => document.isText(name!, one))) return name;
  return null;
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
