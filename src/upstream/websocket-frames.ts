/** Frames of WebSocket (RFC 6455, 5) as a client of a service reads and writes them. Knows no socket. */
import { isUtf8 } from 'node:buffer';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
export type MessageKind = 'text' | 'binary';

/** What frames carry. Payloads may be views that die with the call. */
export interface FrameSink {
  onMessage(payload: Uint8Array, kind: MessageKind): void;
  onPing(payload: Uint8Array): void;
  onPong(): void;
  /** `code` 1005: none was given. */
  onClose(code: number, reason: string): void;
}

/** Why a peer's frames can't be read on: the close code that says so to it, and words for the log. */
export interface FrameFault {
  readonly code: number;
  readonly words: string;
}

/** Reads what a server sends, in whatever pieces it comes. */
export class ServerFrames {
  fault: FrameFault | null = null;
  readonly #messageBytesMax: number;
  readonly #sink: FrameSink;
  readonly #head = Buffer.alloc(HEAD_BYTES_MAX);
  #headBytes = 0;
  #opcode = 0;
  #isFinal = false;
  /** Of the payload of this frame; -1 while its head is read. */
  #left = -1;
  /** Of this frame, where it comes in pieces. */
  #pieces: Buffer[] = [];
  /** Of a message in several frames; null between messages. */
  #fragments: Buffer[] | null = null;
  #fragmentBytes = 0;
  #messageKind: MessageKind = 'text';
  #closed = false;

  constructor(messageBytesMax: number, sink: FrameSink) {
    this.#messageBytesMax = messageBytesMax;
    this.#sink = sink;
  }

  /** False when nothing more may be read: after a fault or a close. */
  read(bytes: Uint8Array): boolean {
    let at = 0;
    while (!this.#closed && this.fault === null && (at < bytes.length || this.#left === 0)) {
      if (this.#left < 0) at = this.#readHead(bytes, at);
      else at = this.#readPayload(bytes, at);
    }
    return !this.#closed && this.fault === null;
  }

  #readHead(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && this.#headBytes < headLength(this.#head, this.#headBytes))
      this.#head[this.#headBytes++] = bytes[at++]!;
    if (this.#headBytes < headLength(this.#head, this.#headBytes)) return at;
    const length = payloadLength(this.#head);
    this.#headBytes = 0;
    this.#isFinal = (this.#head[0]! & FIN) !== 0;
    this.#opcode = this.#head[0]! & OPCODE_BITS;
    this.#checkHead(length);
    this.#left = length;
    return at;
  }

  #checkHead(length: number): void {
    const isControl = this.#opcode >= OPCODE.close;
    if ((this.#head[0]! & RESERVED) !== 0) this.#fail(PROTOCOL_ERROR, 'reserved bits are set');
    else if ((this.#head[1]! & MASKED) !== 0) this.#fail(PROTOCOL_ERROR, 'a server masks its frames');
    else if (this.#opcode > OPCODE.pong || (this.#opcode > OPCODE.binary && !isControl))
      this.#fail(PROTOCOL_ERROR, `the opcode ${this.#opcode} is not defined`);
    else if (isControl && (length > CONTROL_BYTES_MAX || !this.#isFinal))
      this.#fail(PROTOCOL_ERROR, 'a control frame is too long or in parts');
    else if (!isControl && (this.#opcode === OPCODE.continuation) !== (this.#fragments !== null))
      this.#fail(PROTOCOL_ERROR, 'a message begins within another, or goes on before it began');
    else if (!isControl && this.#fragmentBytes + length > this.#messageBytesMax)
      this.#fail(TOO_BIG, `a message is larger than ${this.#messageBytesMax} bytes`);
  }

  #readPayload(bytes: Uint8Array, from: number): number {
    const end = Math.min(bytes.length, from + this.#left);
    const piece = bytes.subarray(from, end);
    this.#left -= piece.length;
    if (this.#left > 0) {
      this.#pieces.push(Buffer.from(piece));
      return end;
    }
    const payload = this.#pieces.length === 0 ? piece : Buffer.concat([...this.#pieces, piece]);
    this.#pieces = [];
    this.#left = -1;
    if (this.#opcode >= OPCODE.close) this.#control(payload);
    else this.#data(payload);
    return end;
  }

  #data(payload: Uint8Array): void {
    if (this.#opcode !== OPCODE.continuation)
      this.#messageKind = this.#opcode === OPCODE.text ? 'text' : 'binary';
    if (!this.#isFinal) {
      this.#fragments ??= [];
      // Of empty ones there is no end, and no bound on bytes would meet them.
      if (payload.length > 0) this.#fragments.push(Buffer.from(payload));
      this.#fragmentBytes += payload.length;
      return;
    }
    const whole = this.#fragments === null ? payload : Buffer.concat([...this.#fragments, payload]);
    this.#fragments = null;
    this.#fragmentBytes = 0;
    if (this.#messageKind === 'text' && !isUtf8(whole)) this.#fail(BAD_TEXT, 'a text is not UTF-8');
    else this.#sink.onMessage(whole, this.#messageKind);
  }

  #control(payload: Uint8Array): void {
    if (this.#opcode === OPCODE.ping) this.#sink.onPing(payload);
    else if (this.#opcode === OPCODE.pong) this.#sink.onPong();
    else this.#close(payload);
  }

  #close(payload: Uint8Array): void {
    const code = payload.length === 0 ? NO_CODE : payload.length === 1 ? -1 : payload[0]! * 256 + payload[1]!;
    const reason = payload.subarray(2);
    if (code !== NO_CODE && !isSendable(code)) {
      this.#fail(PROTOCOL_ERROR, 'a close has no possible code');
    } else if (isUtf8(reason)) {
      this.#closed = true;
      this.#sink.onClose(code, Buffer.from(reason).toString());
    } else {
      this.#fail(BAD_TEXT, 'the reason of a close is not UTF-8');
    }
  }

  #fail(code: number, words: string): void {
    this.fault = { code, words };
  }
}

/** A whole frame as a client sends it. `mask` is 32 random bits (5.3: against caches between that know no WebSocket). */
export function clientFrame(opcode: number, payload: Uint8Array, mask: number): Buffer {
  const { length } = payload;
  const headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headBytes + 4 + length);
  frame[0] = FIN | opcode;
  if (headBytes === 2) {
    frame[1] = MASKED | length;
  } else if (headBytes === 4) {
    frame[1] = MASKED | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = MASKED | 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.writeUInt32BE(mask >>> 0, headBytes);
  const body = headBytes + 4;
  for (let index = 0; index < length; index++)
    frame[body + index] = payload[index]! ^ frame[headBytes + (index & 3)]!;
  return frame;
}

/** The payload of a close frame; a code that may not be sent is left out. */
export function closePayload(code: number, reason: string): Buffer {
  if (!isSendable(code)) return Buffer.alloc(0);
  const words = Buffer.from(reason).subarray(0, CONTROL_BYTES_MAX - 2);
  const cut = isUtf8(words) ? words : Buffer.alloc(0);
  return Buffer.concat([Buffer.of(code >> 8, code & 0xff), cut]);
}

/** 7.4: 1004, 1005, 1006 and 1015 are never on the wire. */
export function isSendable(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    (code >= 3000 && code <= 4999)
  );
}

/** As far as is known from the bytes that are there. */
function headLength(head: Uint8Array, known: number): number {
  if (known < 2) return 2;
  const length = head[1]! & LENGTH_BITS;
  const mask = (head[1]! & MASKED) === 0 ? 0 : 4;
  return (length === 126 ? 4 : length === 127 ? 10 : 2) + mask;
}

function payloadLength(head: Buffer): number {
  const length = head[1]! & LENGTH_BITS;
  if (length === 126) return head.readUInt16BE(2);
  return length === 127 ? Number(head.readBigUInt64BE(2)) : length;
}

const HEAD_BYTES_MAX = 14;
const CONTROL_BYTES_MAX = 125;
const FIN = 0x80;
const RESERVED = 0x70;
const OPCODE_BITS = 0x0f;
const MASKED = 0x80;
const LENGTH_BITS = 0x7f;
const NO_CODE = 1005;
const PROTOCOL_ERROR = 1002;
const BAD_TEXT = 1007;
const TOO_BIG = 1009;
