/**
 * A call to a model as it was asked for, and the same call to the models that limits without room name instead (language-rules #5 to
 * #8). Each is judged, shaped and admitted anew, whole, as nothing is taken for one that is refused. Where none of them can be had,
 * the call ends as it would have as it was asked for.
 */
import { assert } from '../base/assert.ts';
import type { RequestContext } from './context.ts';
import type { ModelRequest, ModelService } from './model-request.ts';
import type { NextVariant, Respond, Wait } from './outcome.ts';

export class Variants {
  readonly #asked: ModelRequest;
  /** What had been noted of the request before any rule was asked that may ask for the model. */
  readonly #before: Notes;
  #offer: NextVariant | null = null;
  /** How many of the offered models have been tried. */
  #tried = 0;
  #shaped: ModelRequest | null = null;
  #after: Notes = NOTHING_NOTED;

  /** `context`: of a call that has been read, and not been judged. */
  constructor(context: RequestContext) {
    assert(context.call !== null, 'only calls to models have variants');
    this.#asked = context.call;
    this.#before = notesOf(context);
  }

  /** Whether another model than the one asked for is being tried: what refuses it refuses only that one. */
  get areTried(): boolean {
    return this.#offer !== null;
  }

  /** The call can't be had as it was asked for. */
  offer(offer: NextVariant, context: RequestContext): void {
    this.#offer = offer;
    this.#shaped = context.shapedCall;
    this.#after = notesOf(context);
  }

  /** Puts the call to the next model in the place of the one before, to be judged anew; false: there is none. */
  next(context: RequestContext, models: Pick<ModelService, 'as'>): boolean {
    const offer = this.#offer;
    assert(offer !== null, 'a limit has named other models');
    while (this.#tried < offer.models.length) {
      const call = models.as(this.#asked, offer.models[this.#tried++]!);
      if (call === null) continue;
      context.call = call;
      context.shapedCall = null;
      context.fallen = offer.fallen;
      put(this.#before, context);
      return true;
    }
    return false;
  }

  /** Puts the call back as it was asked for, and says how it ends. */
  giveUp(context: RequestContext): Respond | Wait {
    const offer = this.#offer;
    assert(offer !== null, 'a limit has named other models');
    this.reset(context);
    context.shapedCall = this.#shaped;
    put(this.#after, context);
    return offer.otherwise;
  }

  /** The request is to be judged anew from its beginning. */
  reset(context: RequestContext): void {
    if (this.areTried) put(this.#before, context);
    context.call = this.#asked;
    context.shapedCall = null;
    context.fallen = null;
    this.#offer = null;
    this.#tried = 0;
  }

  /** The call is not made again. */
  forgetBody(): void {
    this.#asked.document = null;
    if (this.#shaped !== null) this.#shaped.document = null;
  }
}

type Notes = Pick<RequestContext, 'decidingRule' | 'alsoDenied' | 'shadowDenied' | 'warnings'>;

const NOTHING_NOTED: Notes = { decidingRule: -1, alsoDenied: null, shadowDenied: null, warnings: null };

/** Copies: rules add to the lists. */
function notesOf({ decidingRule, alsoDenied, shadowDenied, warnings }: Notes): Notes {
  return {
    decidingRule,
    alsoDenied: alsoDenied === null ? null : [...alsoDenied],
    shadowDenied: shadowDenied === null ? null : [...shadowDenied],
    warnings: warnings === null ? null : [...warnings],
  };
}

function put(notes: Notes, context: RequestContext): void {
  Object.assign(context, notesOf(notes));
}
