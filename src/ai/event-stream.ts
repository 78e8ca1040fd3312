/**
 * Cuts a stream of server-sent events (WHATWG HTML, 9.2.5) into its events, byte for byte: what goes in comes out, cut where a
 * blank line ends an event. Lines end in LF, CRLF or CR, in whatever pieces they come.
 */
export class EventStream {
  readonly #bytesMax: number;
  #held: Uint8Array = NOTHING;
  /** Bytes of the held piece that have been looked at. */
  #seen = 0;
  /** Of the line that goes on: whether anything is in it. A stream begins with an empty line's worth of nothing. */
  #lineIsEmpty = true;
  #eventIsEmpty = true;
  /** The last byte was CR: an LF that follows belongs to the same end of line. */
  #afterCr = false;

  /** `bytesMax`: the longest event. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get heldBytes(): number {
    return this.#held.length;
  }

  /** Nothing is held, and what comes next begins an event. */
  get isBetweenEvents(): boolean {
    return this.#held.length === 0 && this.#lineIsEmpty && this.#eventIsEmpty && !this.#afterCr;
  }

  /** The event that is held grows beyond the bound. */
  get isTooLong(): boolean {
    return this.#held.length > this.#bytesMax;
  }

  /** The events that `chunk` completes, with all of their bytes, as views for this turn. */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    const bytes = this.#held.length === 0 ? chunk : joined(this.#held, chunk);
    const events: Uint8Array[] = [];
    let start = 0;
    for (let at = this.#seen; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === LF && this.#afterCr) {
        this.#afterCr = false;
        // The LF of a CRLF that ended an event still belongs to it.
        if (at === start && events.length > 0) {
          events[events.length - 1] = bytes.subarray(start - events.at(-1)!.length, at + 1);
          start = at + 1;
        }
        continue;
      }
      this.#afterCr = byte === CR;
      if (byte !== LF && byte !== CR) {
        this.#lineIsEmpty = false;
        this.#eventIsEmpty = false;
        continue;
      }
      if (this.#lineIsEmpty && !this.#eventIsEmpty) {
        events.push(bytes.subarray(start, at + 1));
        start = at + 1;
        this.#eventIsEmpty = true;
      }
      this.#lineIsEmpty = true;
    }
    // A copy: what comes is a view of memory that the next read overwrites.
    this.#held = start === bytes.length ? NOTHING : new Uint8Array(bytes.subarray(start));
    this.#seen = this.#held.length;
    return events;
  }

  /** What has come of an event that never ended. */
  end(): Uint8Array {
    const rest = this.#held;
    this.#held = NOTHING;
    this.#seen = 0;
    return rest;
  }
}

/** The data of an event, its lines joined; null where it has none (a comment, a bare `event:`). */
export function eventData(event: Uint8Array): string | null {
  let data: string | null = null;
  for (const line of UTF_8.decode(event).split(/\r\n|\n|\r/)) {
    if (line !== 'data' && !line.startsWith('data:')) continue;
    const value = line.slice(5);
    const text = value.startsWith(' ') ? value.slice(1) : value;
    data = data === null ? text : `${data}\n${text}`;
  }
  return data;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

const NOTHING = new Uint8Array(0);
const UTF_8 = new TextDecoder();
const LF = 0x0a;
const CR = 0x0d;
