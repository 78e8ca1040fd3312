/**
 * What a request cost, as the answer of its service tells it. Nothing else of the answer is looked at; what can't be read tells
 * nothing, and the whole reserve is spent.
 */

import { contentCoding } from '../model/content-coding.ts';
import { isJson } from '../model/media-type.ts';
import { toldNano } from '../model/told-amounts.ts';
import type { CostSource } from '../model/world.ts';
import type { ResponseHead } from '../pipeline/upstream.ts';
import { BodyBuffer, type BufferedBytes } from './body-buffer.ts';

export class ResponseCost {
  readonly #source: CostSource;
  readonly #currency: string;
  readonly #bytesMax: number;
  readonly #body: BodyBuffer;
  #reads: 'nothing' | 'body' = 'nothing';
  #nano: number | null = null;

  constructor(source: CostSource, currency: string, buffered: BufferedBytes, bytesMax: number) {
    this.#source = source;
    this.#currency = currency;
    this.#bytesMax = bytesMax;
    this.#body = new BodyBuffer(buffered);
  }

  head({ fields, status }: ResponseHead): void {
    if (this.#source.kind === 'header') {
      const text = onlyValue(fields, this.#source.name);
      this.#nano = text === null ? null : toldNano(text, this.#currency);
    } else if (status !== PARTIAL_CONTENT && isJson(fields) && contentCoding(fields) === 'identity') {
      this.#reads = 'body';
    }
  }

  /** A piece of the body as the service sent it; `last`: there is no more. */
  data(chunk: Uint8Array, last: boolean): void {
    if (this.#reads === 'nothing') return;
    const fits = this.#body.length + chunk.length <= this.#bytesMax && this.#body.append(chunk);
    if (!fits || last) this.#reads = 'nothing';
    if (fits && last) this.#nano = this.#read();
    if (!fits || last) this.#body.free();
  }

  /** In nano-units; null: it was not told. Holds nothing any more. */
  end(): number | null {
    this.#body.free();
    return this.#nano;
  }

  #read(): number | null {
    if (this.#source.kind !== 'body') return null;
    const value = memberOf(parsed(this.#body.view()), this.#source.path);
    return typeof value === 'number' || typeof value === 'string'
      ? toldNano(String(value), this.#currency)
      : null;
  }
}

const PARTIAL_CONTENT = 206;

/** What stands in two fields is told twice, which is not at all. */
function onlyValue(fields: readonly string[], name: string): string | null {
  let value: string | null = null;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== name) continue;
    if (value !== null) return null;
    value = fields[index + 1]!;
  }
  return value;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // no JSON: nothing is told
    return null;
  }
}

function memberOf(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return null;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}
