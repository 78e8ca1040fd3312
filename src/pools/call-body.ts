/**
 * What leaves of a caller's body: every byte as it came, but for the name of the model, the bound of its answer, and the wish for usage
 * at the end of a stream.
 */
import type { Operation } from '../ai/operations.ts';
import type { JsonDocument } from '../base/json/document.ts';
import { editJson, type JsonEdit, setMember, setMembers } from '../base/json/edit.ts';

export interface BodyChanges {
  /** Null: as the caller wrote it. */
  readonly model: string | null;
  /** Null: as the caller wrote it. */
  readonly outputCap: number | null;
  /** The member that says it where the caller has written none. */
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
  if (outputCap !== null) {
    const written = outputCaps.filter((name) => isSet(document, name));
    for (const name of written) {
      // a provider may go by any of them
      if (document.number(document.member(document.root, name)!) > outputCap) members[name] = json(outputCap);
    }
    if (written.length === 0 && capMember !== null) members[capMember] = json(outputCap);
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

function isSet(document: JsonDocument, name: string): boolean {
  const node = document.member(document.root, name);
  return node !== undefined && document.typeOf(node) === 'number';
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
