import type { JsonFaultCode } from './faults.ts';

/** What one text may hold. All are inclusive; RFC 8259 section 9 lets a reader set them. */
export interface JsonBounds {
  /** Bytes of the whole text; at most 2^31 - 1, as offsets are kept in 32 bits. */
  readonly bytesMax: number;
  /** Objects and arrays around the innermost value; 0 allows only a bare literal, number or string. */
  readonly depthMax: number;
  /** Values plus member names: what bounds the memory of a document, 24 bytes each. */
  readonly nodesMax: number;
  /** Members of one object. */
  readonly membersMax: number;
  /** Bytes of one string or name as written, without its quotes. */
  readonly stringBytesMax: number;
  /** Characters of one number as written. */
  readonly numberBytesMax: number;
}

/** Where the scanner stands in a text, and the fault that stopped it. */
export class ReadingHead {
  readonly bytes: Uint8Array;
  readonly bounds: JsonBounds;
  at = 0;
  fault: JsonFaultCode | undefined = undefined;
  faultAt = 0;
  /** Nothing was taken so far that is, or stands for, more than ASCII. */
  isAscii = true;

  constructor(bytes: Uint8Array, bounds: JsonBounds) {
    this.bytes = bytes;
    this.bounds = bounds;
  }

  /** The byte under the head, or {@link NO_BYTE} behind the end. */
  peek(): number {
    return this.at < this.bytes.length ? this.bytes[this.at]! : NO_BYTE;
  }

  /** Records the fault; answers false, so that a taking function can end with it. */
  refuse(code: JsonFaultCode, offset: number): false {
    this.fault = code;
    this.faultAt = offset;
    return false;
  }

  /** White space is these four bytes alone (RFC 8259 section 2); U+00A0 and the like are not. */
  skipWhiteSpace(): void {
    const { bytes } = this;
    let at = this.at;
    while (at < bytes.length) {
      const byte = bytes[at]!;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
      at++;
    }
    this.at = at;
  }
}

export const NO_BYTE = -1;
