/**
 * Reads what a call has used off its answer while that passes. Of a stream whose usage the caller did not ask for, the event that
 * only tells it is kept back; every other byte passes as it came.
 */
import { EventStream, eventData } from '../ai/event-stream.ts';
import type { Operation } from '../ai/operations.ts';
import { outermostMembers } from '../ai/outermost-members.ts';
import { parsedJson } from '../ai/parsed-json.ts';
import { areQuietEvents } from '../ai/quiet-events.ts';
import { alwaysTellsEnd, isUnfinished, tellsFailure } from '../ai/unfinished-answer.ts';
import { amountAt, firstType, StreamUsage, usageIn } from '../ai/usage.ts';
import type { TokenUsage } from '../model/model-call.ts';
import type { UsageFields } from '../model/pools.ts';
import { errorEvent } from './call-end.ts';
import { repeats } from './provider-answer.ts';

export interface AnswerUsageOptions {
  readonly operation: Operation;
  /** Where its provider tells what was used, beside the dialect. */
  readonly usageFields: UsageFields;
  readonly isEventStream: boolean;
  /** Sound or a picture is not, nor what is coded in a way that can't be undone: it tells nothing, and passes as it came. */
  readonly isRead: boolean;
  /** How many answers there are in it. */
  readonly choices: number;
  /** Usage was asked for by the gateway alone. */
  readonly hidesUsage: boolean;
  /** The answer ends where its connection does, whether or not all of it has come. */
  readonly untilClose: boolean;
  /** What it was asked with: nothing that repeats it is passed on. */
  readonly secret: string;
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
  /** The last piece has come. */
  #isOver = false;
  #tellsFailure = false;
  /** Usage of the whole answer was told, though the answer itself may not have ended yet. */
  #isToldWhole = false;
  /** The stream ended within an event. */
  #endsWithin = false;
  #answerId: string | null = null;

  constructor(options: AnswerUsageOptions) {
    this.#options = options;
    const paths = options.operation.usage;
    this.#streamed =
      options.isEventStream && paths !== null
        ? new StreamUsage(paths, options.usageFields, options.choices)
        : null;
    this.#events = options.isEventStream ? new EventStream(options.bytesMax) : null;
  }

  /** What passes on of a piece. */
  pass(chunk: Uint8Array, last: boolean): Uint8Array {
    this.#isOver = last;
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
   * Whether the answer came to its end. A stream says so itself: one that ends before, however cleanly, has told less than was used. Of one
   * whose dialect need not say it, what was told once all choices were finished is all.
   */
  get isWhole(): boolean {
    const streamed = this.#streamed;
    if (streamed === null) return this.#isOver;
    return streamed.isFinal || (streamed.isToldAtEnd && this.#isOver && this.#endsCleanly);
  }

  /** Between two events, as far as that can be seen; where its dialect has a word for the end, nothing else is one. */
  get #endsCleanly(): boolean {
    const { operation, untilClose } = this.#options;
    const isRead = !this.#endsWithin && !this.#tooLong && !this.#tellsFailure;
    return isRead && !untilClose && !alwaysTellsEnd(operation);
  }

  /**
   * Whether its usage was told as that of the whole answer, though its end may be missing: good enough for what a key has left, which its
   * provider corrects.
   */
  get isToldWhole(): boolean {
    return this.isWhole || this.#isToldWhole;
  }

  /** Its provider has said all that it will: the last event, or an error in place of it. */
  get hasEnded(): boolean {
    return this.isWhole || this.#tellsFailure;
  }

  /** Of a stream that is over: something of it is missing. Where its dialect need not say that it ends, an end between two events is one. */
  get isCut(): boolean {
    if (this.#events === null || this.#tooLong || this.hasEnded) return false;
    const { operation, untilClose } = this.#options;
    return this.#endsWithin || untilClose || alwaysTellsEnd(operation);
  }

  /** It is whole, and nothing in it says that the call failed, or goes on. */
  get isSound(): boolean {
    return this.isWhole && !this.#tooLong && !this.#tellsFailure;
  }

  #readJson(chunk: Uint8Array, last: boolean): void {
    const { operation, usageFields, bytesMax, isRead } = this.#options;
    if (operation.usage === null || !isRead) return;
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
    const passed = events.map((event) => this.#passEvent(event));
    const isUnchanged = passed.every((event, nth) => event === events[nth]);
    if (isUnchanged && before === 0 && stream.heldBytes === 0) return chunk;
    if (this.#tooLong) return Buffer.concat([...passed, stream.end()]);
    return Buffer.concat(last ? [...passed, this.#lastEvent(stream.end())] : passed);
  }

  /** Some end without the blank line behind their last event; what is cut within one is none (WHATWG HTML, 9.2.6). */
  #lastEvent(rest: Uint8Array): Uint8Array {
    const data = eventData(rest);
    const isEvent = data === DONE || isObject(data);
    this.#endsWithin = !isEvent && saysSomething(rest);
    if (this.#endsWithin) return NOTHING;
    const passed = isEvent ? this.#passEvent(rest) : rest;
    // parsers may need it, and what is said behind it must not become a part of it
    return passed.length === 0 ? passed : Buffer.concat([passed, BLANK_LINE]);
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
    if (this.#options.operation.buildsUpon.length === 0 || typeof answer !== 'object' || answer === null)
      return;
    const { id } = answer as { readonly id?: unknown };
    if (typeof id === 'string') this.#answerId = id;
  }

  #passEvent(event: Uint8Array): Uint8Array {
    const data = eventData(event);
    if (data === null) return event;
    if (this.#options.operation.buildsUpon.length > 0 && firstType(data) === CREATED)
      this.#noteId((parsedJson(data) as Created | null)?.response);
    const isFailure = tellsFailure(data);
    if (isFailure) this.#tellsFailure = true;
    const telling = this.#streamed === null ? null : this.#streamed.event(data);
    if (isFailure && repeats(this.#options.secret, Buffer.from(data))) return this.#unspeakable();
    if (telling === null) return event;
    // The event that tells the usage of a kept answer has all of it.
    this.#noteId((telling as { readonly response?: unknown }).response);
    const tellsAlone = hasNoChoices(telling);
    if (tellsAlone) this.#isToldWhole = true;
    return tellsAlone && this.#options.hidesUsage ? NOTHING : event;
  }

  #unspeakable(): Uint8Array {
    return errorEvent(
      this.#options.operation,
      'upstream_malformed_answer',
      'The provider ended its answer with words that may not be passed on.',
    );
  }
}

function isObject(data: string | null): boolean {
  const parsed = data === null ? null : parsedJson(data);
  return typeof parsed === 'object' && parsed !== null;
}

/** Lines that begin with a colon are comments, and keep connections alive. */
function saysSomething(bytes: Uint8Array): boolean {
  return UTF_8.decode(bytes)
    .split(/[\r\n]/)
    .some((line) => line !== '' && !line.startsWith(':'));
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
    const { usage, searches, buildsUpon } = operation;
    const told = [...(usage?.at.slice(0, 1) ?? []), ...(searches?.slice(0, 1) ?? []), 'error', 'status'];
    read = buildsUpon.length === 0 ? told : [...told, 'id'];
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

/** The first event of OpenAI's responses, which has the id of one that may never be told whole. */
interface Created {
  readonly response?: unknown;
}
const CREATED = 'response.created';

const UTF_8 = new TextDecoder();
const NOTHING = new Uint8Array(0);
const BLANK_LINE = new TextEncoder().encode('\n\n');
const DONE = '[DONE]';
const OPEN_OBJECT = Buffer.from('{');
/** A usage with all its parts is some hundred bytes long. */
const END_BYTES = 4_096;
