/**
 * Reads what a call has used off its answer while that passes. Of a stream whose usage the caller did not ask for, the event that
 * only tells it is kept back; every other byte passes as it came.
 */
import { EventStream, eventData } from '../ai/event-stream.ts';
import type { Operation, UsagePaths } from '../ai/operations.ts';
import { outermostMembers } from '../ai/outermost-members.ts';
import { areQuietEvents } from '../ai/quiet-events.ts';
import { isUnfinished, tellsFailure } from '../ai/unfinished-answer.ts';
import { StreamUsage, usageIn } from '../ai/usage.ts';
import type { TokenUsage } from '../model/model-call.ts';

export interface AnswerUsageOptions {
  readonly operation: Operation;
  readonly isEventStream: boolean;
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
  #isWhole = false;
  #tellsFailure = false;
  #answerId: string | null = null;

  constructor(options: AnswerUsageOptions) {
    this.#options = options;
    const paths = options.operation.usage;
    this.#streamed = options.isEventStream && paths !== null ? new StreamUsage(paths) : null;
    this.#events = options.isEventStream ? new EventStream(options.bytesMax) : null;
  }

  /** What passes on of a piece. */
  pass(chunk: Uint8Array, last: boolean): Uint8Array {
    this.#isWhole = last;
    if (this.#tooLong) return chunk;
    return this.#events === null ? this.#passJson(chunk, last) : this.#passEvents(this.#events, chunk, last);
  }

  /** Null: it told none. */
  get usage(): TokenUsage | null {
    return this.#streamed === null ? this.#told : this.#streamed.usage;
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

  #passJson(chunk: Uint8Array, last: boolean): Uint8Array {
    const { operation, bytesMax } = this.#options;
    if (operation.usage === null) return chunk;
    this.#bytes += chunk.length;
    if (this.#bytes > bytesMax) {
      this.#tooLong = true;
      this.#pieces = [];
    } else if (last) {
      const whole = this.#pieces.length === 0 ? chunk : Buffer.concat([...this.#pieces, chunk]);
      const answer = outermostMembers(whole, membersRead(operation, operation.usage));
      this.#told = usageIn(answer, operation.usage);
      this.#tellsFailure = isUnfinished(answer);
      this.#noteId(answer);
      this.#pieces = [];
    } else this.#pieces.push(new Uint8Array(chunk));
    return chunk;
  }

  /** Only whole events pass: where the provider breaks off, what the gateway then says is an event of its own. */
  #passEvents(stream: EventStream, chunk: Uint8Array, last: boolean): Uint8Array {
    if (this.#passesUnread(stream, chunk)) return chunk;
    const before = stream.heldBytes;
    const events = stream.push(chunk);
    if (events === null) {
      // Nothing that long is an event of usage: from here on all passes unread.
      this.#tooLong = true;
      return stream.end();
    }
    const kept = events.filter((event) => !this.#hides(event));
    if (kept.length === events.length && before === 0 && stream.heldBytes === 0) return chunk;
    return Buffer.concat(last ? [...kept, stream.end()] : kept);
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
function membersRead({ previous }: Operation, { at }: UsagePaths): readonly string[] {
  return previous === null ? [at[0]!, 'error', 'status'] : [at[0]!, 'error', 'status', 'id'];
}
