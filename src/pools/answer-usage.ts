/**
 * Reads what a call has used off its answer while that passes. Of a stream whose usage the caller did not ask for, the event that
 * only tells it is kept back; every other byte passes as it came.
 */
import { EventStream, eventData } from '../ai/event-stream.ts';
import type { Operation } from '../ai/operations.ts';
import { outermostMembers } from '../ai/outermost-members.ts';
import { areQuietEvents } from '../ai/quiet-events.ts';
import { isUnfinished, tellsFailure } from '../ai/unfinished-answer.ts';
import { amountAt, StreamUsage, usageIn } from '../ai/usage.ts';
import type { TokenUsage } from '../model/model-call.ts';
import type { UsageFields } from '../model/pools.ts';

export interface AnswerUsageOptions {
  readonly operation: Operation;
  /** Where its provider tells what was used, beside the dialect. */
  readonly usageFields: UsageFields;
  readonly isEventStream: boolean;
  /** Sound or a picture: it tells nothing, and passes unread. */
  readonly isMedia: boolean;
  /** Usage was asked for by the gateway alone. */
  readonly hidesUsage: boolean;
  /** Longest event, and longest answer that is read. */
  readonly bytesMax: number;
}

export class AnswerUsage {
  readonly #options: AnswerUsageOptions;
  readonly #events: EventStream | null;
  readonly #streamed: StreamUsage | null;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #tooLong = false;
  #told: TokenUsage | null = null;
  #searches: number | null = null;
  #isWhole = false;
  #tellsFailure = false;
  #answerId: string | null = null;

  constructor(options: AnswerUsageOptions) {
    this.#options = options;
    const paths = options.operation.usage;
    this.#streamed =
      options.isEventStream && paths !== null ? new StreamUsage(paths, options.usageFields) : null;
    this.#events = options.isEventStream ? new EventStream(options.bytesMax) : null;
  }

  /** What passes on of a piece. */
  pass(chunk: Uint8Array, last: boolean): Uint8Array {
    this.#isWhole = last;
    if (this.#events === null) this.#readJson(chunk, last);
    else if (!this.#tooLong) return this.#passEvents(this.#events, chunk, last);
    return chunk;
  }

  /** Null: it told none. */
  get usage(): TokenUsage | null {
    return this.#streamed === null ? this.#told : this.#streamed.usage;
  }

  /** How many searches are paid for; null: it told none. */
  get searches(): number | null {
    return this.#searches;
  }

  /** By which a later call may name the answer; null: none may, or it was not told. */
  get answerId(): string | null {
    return this.#answerId;
  }

  /**
   * Whether the answer came to its end. A stream says so itself: one that ends before, however cleanly, has told less than was used.
   */
  get isWhole(): boolean {
    return this.#streamed === null ? this.#isWhole : this.#streamed.isFinal;
  }

  /** It is whole, and nothing in it says that the call failed, or goes on. */
  get isSound(): boolean {
    return this.isWhole && !this.#tooLong && !this.#tellsFailure;
  }

  #readJson(chunk: Uint8Array, last: boolean): void {
    const { operation, usageFields, bytesMax, isMedia } = this.#options;
    if (operation.usage === null || isMedia) return;
    this.#bytes += chunk.length;
    this.#tooLong = this.#bytes > bytesMax;
    if (this.#tooLong) this.#keepEnd(chunk);
    else if (!last) this.#pieces.push(new Uint8Array(chunk));
    if (!last) return;
    const pieces = this.#tooLong ? this.#pieces : [...this.#pieces, chunk];
    const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    this.#pieces = [];
    const answer = outermostMembers(this.#tooLong ? behindAll(bytes) : bytes, membersRead(operation));
    this.#told = usageIn(answer, operation.usage, usageFields);
    this.#searches = operation.searches === null ? null : amountAt(answer, operation.searches);
    this.#tellsFailure = isUnfinished(answer);
    this.#noteId(answer);
  }

  /** Pictures within JSON are long, and what they took stands behind them. */
  #keepEnd(chunk: Uint8Array): void {
    const bytes = Buffer.concat([...this.#pieces, chunk]);
    this.#pieces = [bytes.subarray(-END_BYTES)];
  }

  /** Only whole events pass: where the provider breaks off, what the gateway then says is an event of its own. */
  #passEvents(stream: EventStream, chunk: Uint8Array, last: boolean): Uint8Array {
    if (this.#passesUnread(stream, chunk)) return chunk;
    const before = stream.heldBytes;
    const events = stream.push(chunk);
    // Nothing that long is an event of usage: behind those that are whole, all passes unread.
    this.#tooLong = stream.isTooLong;
    const kept = events.filter((event) => !this.#hides(event));
    if (kept.length === events.length && before === 0 && stream.heldBytes === 0) return chunk;
    return Buffer.concat(last || this.#tooLong ? [...kept, stream.end()] : kept);
  }

  /** Most of a stream: whole events without a word of usage, of an end or of a failure. To cut and decode each would cost more than to pass it on. */
  #passesUnread(stream: EventStream, chunk: Uint8Array): boolean {
    return (
      stream.isBetweenEvents &&
      chunk.length <= this.#options.bytesMax &&
      areQuietEvents(chunk, this.#streamed !== null)
    );
  }

  #noteId(answer: unknown): void {
    if (this.#options.operation.previous === null || typeof answer !== 'object' || answer === null) return;
    const { id } = answer as { readonly id?: unknown };
    if (typeof id === 'string') this.#answerId = id;
  }

  #hides(event: Uint8Array): boolean {
    const data = eventData(event);
    if (data === null) return false;
    if (tellsFailure(data)) this.#tellsFailure = true;
    const telling = this.#streamed === null ? null : this.#streamed.event(data);
    // The event that tells the usage of a kept answer has all of it.
    if (telling !== null) this.#noteId((telling as { readonly response?: unknown }).response);
    return telling !== null && this.#options.hidesUsage && hasNoChoices(telling);
  }
}

/** OpenAI sends one more event with no choices and the usage of the whole request (API reference, `stream_options.include_usage`). */
function hasNoChoices(event: unknown): boolean {
  const { choices } = event as { readonly choices?: unknown };
  return Array.isArray(choices) && choices.length === 0;
}

/** Of an answer: its usage, what says that it failed or goes on, and the name by which a later call may build upon it. */
function membersRead(operation: Operation): readonly string[] {
  let read = MEMBERS_READ.get(operation);
  if (read === undefined) {
    const { usage, searches, previous } = operation;
    const told = [...(usage?.at.slice(0, 1) ?? []), ...(searches?.slice(0, 1) ?? []), 'error', 'status'];
    read = previous === null ? told : [...told, 'id'];
    MEMBERS_READ.set(operation, read);
  }
  return read;
}
const MEMBERS_READ = new WeakMap<Operation, readonly string[]>();

/** The last members of an answer from its usage on, as an object of their own; none where that is not among them. */
function behindAll(end: Uint8Array): Uint8Array {
  const at = Buffer.from(end.buffer, end.byteOffset, end.length).lastIndexOf('"usage"');
  return at === -1 ? NOTHING : Buffer.concat([OPEN_OBJECT, end.subarray(at)]);
}

const NOTHING = new Uint8Array(0);
const OPEN_OBJECT = Buffer.from('{');
/** A usage with all its parts is some hundred bytes long. */
const END_BYTES = 4_096;
