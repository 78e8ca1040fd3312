import type { MaskSet } from '../model/masks/mask-set.ts';
import type { Value } from '../model/types.ts';
import type { Answer } from './alerts.ts';
import type { Reservation } from './counters.ts';
import type { Identity, VerifiedSignature, VerifiedToken } from './identity.ts';
import type { ModelRequest } from './model-request.ts';

/**
 * One request as the compiled phases see it: the facts they read and the few results they leave. A class with every
 * field set in the constructor, so that all instances share one shape.
 */
export class RequestContext {
  // -- facts of the request ------------------------------------------------------------------------------------
  /** 64 bits of the id that the gateway made for it, never one that a client sent; as two signed 32-bit integers. */
  idHigh = 0;
  idLow = 0;
  /** Upper case as received. */
  method = '';
  /** As received: what a signature covers. */
  receivedPath = '';
  /** Normalised: what is matched, judged and forwarded. */
  path = '';
  /** Without '?', as received; '' when there is none. */
  query = '';
  host = '';
  /** Whom to ask for the client's address while its connection is open. */
  client: AddressSource | null = null;
  #ip: string | null = null;
  /** Declared body length in bytes; 0 when there is no body, -1 when it is chunked. */
  bodyBytes = 0;
  /** Lower-case name, value, name, value, … in the order received. */
  headers: string[] = [];
  /** Values of the path parameters in the order of the route's pattern, percent-decoded. */
  parameters: readonly string[] = NO_PARAMETERS;
  identity: Identity | null = null;
  /** What came of the token that the request has waited for; null before, and where it has none. */
  tokenOutcome: VerifiedToken | 'invalid' | 'unavailable' | null = null;
  /** The signature that let it in, which is good once; null before, and where there is none. */
  signed: VerifiedSignature | null = null;
  /** What rules read of the body, in the order of `BodyProgram.members`; null until it has been read. */
  body: readonly BodyValue[] | null = null;
  /** What is masked in it, and so in what texts tell of it (language-rules #32); null before it has been read, and where nothing is. */
  bodyMasks: ((context: RequestContext) => MaskSet | null) | null = null;
  /** The call to a model as the caller wrote it; null before it has been read, and on routes to services. */
  call: ModelRequest | null = null;
  /** The same as rules have shaped it: what limits count, and what is sent. Null before rules have been asked. */
  shapedCall: ModelRequest | null = null;
  /** Its answer is at hand: it takes no tokens and no money (language-rules #31). */
  cached = false;
  /** Limits, by their counters, that had no room for the call as it was asked for: it is tried with another model. Null: it is not. */
  fallen: ReadonlySet<string> | null = null;
  /** Whether what refused it last are limits that count its prompt, which fewer tokens might fit. */
  isShortOfPrompt = false;
  /** How the request ended; null before, and where no rule asks. */
  answer: Answer | null = null;

  // -- time ----------------------------------------------------------------------------------------------------
  arrivedMonotonicMs = 0;
  arrivedWallMs = 0;
  /** The moment of this try, which rules and counters go by: later than the arrival once a request has waited. */
  nowMonotonicMs = 0;
  nowWallMs = 0;

  // -- results -------------------------------------------------------------------------------------------------
  /** Rules (indexes into `RuleBundle.rules`): the permit that held first, or the rule that denied; -1 for none. */
  decidingRule = -1;
  /** Further rules that denied in the deciding phase; null when there are none. */
  alsoDenied: number[] | null = null;
  /** Rules of shadowed policies that would have denied. */
  shadowDenied: number[] | null = null;
  /** What warning rules say, and rules of policies in warn mode that would have denied; told to the caller in a field. */
  warnings: Warning[] | null = null;
  /** Taken at admission, to be settled or released at the end; null when no counter needs that. */
  reservation: Reservation | null = null;
  /** The same of policies in warn and shadow, which are taken apart: released together with `reservation`. */
  observedReservations: Reservation[] | null = null;
  /** Counters that others may wait for, of which it holds a slot until it ends, as they are named there; null: none. */
  heldSlots: readonly string[] | null = null;
  /** Values for the answer of an admitted request, '' when no limit may be shown. */
  rateLimit = '';
  rateLimitPolicy = '';

  /** The client's address, '' when it is not known. Asked for on first use: a system call, and 1.5 µs in all. */
  get ip(): string {
    this.#ip ??= this.client === null ? '' : this.client.address();
    return this.#ip;
  }

  /** It can't be asked for any more once the answer has left. */
  rememberAddress(): void {
    this.#ip ??= this.ip;
  }

  set ip(address: string) {
    this.#ip = address;
  }
}

/** Of a member of the elements of a list: a value for each of them, undefined where it is missing. */
export type BodyValue = Value | undefined | readonly BodyValue[];

/** What a rule tells the caller without refusing. */
export interface Warning {
  /** Index into `RuleBundle.rules`. */
  readonly rule: number;
  /** Stable, lower_snake_case. */
  readonly code: string;
  /** One sentence. */
  readonly detail: string;
}

export interface AddressSource {
  address(): string;
}

const NO_PARAMETERS: readonly string[] = Object.freeze([]);

/** Header fields a pipeline sets and removes, filled by the shaping phases. Cleared and reused per thread. */
export class HeaderEdits {
  /** Lower-case name, value, name, value, … */
  set: string[] = [];
  removed: string[] = [];
  /** Lower-case name, value, …: beside what the other side sends. Only for answers. */
  added: string[] = [];

  /** New arrays: setting a length goes through V8's runtime (`Runtime_StoreCallbackProperty` in the profile). */
  clear(): void {
    if (this.set.length > 0) this.set = [];
    if (this.removed.length > 0) this.removed = [];
    if (this.added.length > 0) this.added = [];
  }
}
