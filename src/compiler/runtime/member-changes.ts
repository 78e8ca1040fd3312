import { assert } from '../../base/assert.ts';
import type { JsonDocument, JsonNode } from '../../base/json/document.ts';
import { editJson, setMember } from '../../base/json/edit.ts';
import { scanJson } from '../../base/json/scan.ts';
import type { LimitValues } from '../../base/limits.ts';
import { dateText } from '../../model/local-time.ts';
import { memberNames } from '../../model/member-path.ts';
import type { ScalarValue } from '../../model/types.ts';
import type { BodyTransform } from '../../pipeline/body-transform.ts';
import { NUMBER_BYTES_MAX } from './body-reader.ts';

/** A member of the body: its path below the body, and the kind of its type. */
export interface ChangedMember {
  readonly name: string;
  readonly type: string;
}

type JsonLimits = Pick<LimitValues, 'requestJsonDepth' | 'requestJsonValues'>;

/**
 * What rules change of one body that was read whole. Every byte that is not of a changed value stays as the client sent it;
 * a member in an object that is not there is not added.
 */
export class MemberChanges implements BodyTransform {
  readonly heldBytes = 0;
  readonly #limits: JsonLimits;
  /** By name: rows of tables have constants of their own, so one member may be several objects. */
  readonly #values = new Map<string, { readonly type: string; readonly value: ScalarValue }>();

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  /** What a member is after the changes so far; undefined where nothing changes it. */
  valueOf({ name }: ChangedMember): ScalarValue | undefined {
    return this.#values.get(name)?.value;
  }

  set({ name, type }: ChangedMember, value: ScalarValue): void {
    this.#values.set(name, { type, value });
  }

  push(chunk: Uint8Array, last: boolean): Uint8Array {
    assert(last, 'a body that rules change is read whole');
    let text = chunk;
    // one after another: two members that are added to one object cannot be one list of edits
    for (const [name, { type, value }] of this.#values) {
      const path = memberNames(name);
      const document = this.#read(text);
      const owner = objectAt(document, path.slice(0, -1));
      if (owner === null) continue;
      const json = JSON.stringify(type === 'date' ? dateText(Number(value)) : value);
      text = editJson(text, [setMember(document, owner, path.at(-1)!, UTF_8.encode(json))]);
    }
    return text;
  }

  #read(text: Uint8Array): JsonDocument {
    const values = this.#limits.requestJsonValues + this.#values.size;
    const scanned = scanJson(text, {
      depthMax: this.#limits.requestJsonDepth,
      nodesMax: values,
      membersMax: values,
      numberBytesMax: NUMBER_BYTES_MAX,
      bytesMax: text.length,
      stringBytesMax: text.length,
    });
    assert(scanned.ok, 'the body was read before');
    return scanned.value;
  }
}

const UTF_8 = new TextEncoder();

function objectAt(document: JsonDocument, path: readonly string[]): JsonNode | null {
  const node = document.find(path);
  return node !== undefined && document.typeOf(node) === 'object' ? node : null;
}
