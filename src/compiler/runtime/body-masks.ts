/** Masks the bodies of one route: what may not be read is refused, never passed. */
import { MaskedEvents } from '../../ai/masked-events.ts';
import { maskModelJson } from '../../ai/masked-json.ts';
import type { JsonDocument } from '../../base/json/document.ts';
import { editJson, type JsonEdit } from '../../base/json/edit.ts';
import { scanJson } from '../../base/json/scan.ts';
import type { LimitValues } from '../../base/limits.ts';
import { maskTexts, type TextMask, type Unmaskable } from '../../model/masks/json.ts';
import type { MaskSet } from '../../model/masks/mask-set.ts';
import type { MaskedText } from '../../model/masks/masker.ts';
import { isEventStream, isJson, isPlainText } from '../../model/media-type.ts';
import type { OperationName } from '../../model/pools.ts';
import type { BodyFault, BodyTransform, TransformResponseBody } from '../../pipeline/body-transform.ts';
import type { RoutePipeline } from '../../pipeline/program.ts';

export type MaskBounds = Pick<LimitValues, 'requestJsonDepth' | 'requestJsonValues' | 'streamEventBytes'>;
type AppliedMasks = Pick<RoutePipeline, 'requestMasks' | 'responseMasks'>;

/** `operation`: of a route to models; null for those of services. */
export function maskedRequests(
  { requestMasks, responseMasks }: AppliedMasks,
  operation: OperationName | null,
  bounds: MaskBounds,
): RoutePipeline['maskRequest'] {
  const answersMedia = responseMasks !== null && operation !== null && MEDIA_OPERATIONS.has(operation);
  if (requestMasks === null && !answersMedia) return null;
  return (context, text) => {
    // known before anything is paid for
    if (answersMedia && responseMasks(context) !== null) return MEDIA_ANSWER;
    const masks = requestMasks === null ? null : requestMasks(context);
    if (masks === null || text.length === 0) return text;
    const masked = isJson(context.headers)
      ? maskJson(text, masks.masker, operation, bounds.requestJsonDepth, bounds.requestJsonValues)
      : isPlainText(context.headers)
        ? maskPlain(text, masks)
        : FORM_BODY;
    return masked instanceof Uint8Array ? masked : unmaskableRequest(masked);
  };
}

export function maskedResponses(
  { responseMasks }: AppliedMasks,
  operation: OperationName | null,
  bounds: MaskBounds,
): TransformResponseBody | null {
  if (responseMasks === null) return null;
  return (context, { fields }) => {
    const masks = responseMasks(context);
    if (masks === null) return null;
    if (isJson(fields)) return new MaskedJson(masks, operation, bounds);
    if (isPlainText(fields)) return new MaskedPlain(masks);
    if (isEventStream(fields) && operation !== null && STREAMED_TEXTS.has(operation))
      return new MaskedStream(masks, operation, bounds);
    return UNREADABLE;
  };
}

/** Their answers are pictures and sound, whatever is asked. */
const MEDIA_OPERATIONS: ReadonlySet<OperationName> = new Set([
  ...(['openai/images', 'openai/image-edits', 'openai/image-variations', 'openai/speech'] as const),
]);
/** Whose events are known: which of them bring a text in pieces. */
const STREAMED_TEXTS: ReadonlySet<OperationName> = new Set([
  ...(['openai/chat', 'openai/completions', 'openai/responses', 'anthropic/messages'] as const),
]);

/** Whole: what is at its end can't be told from its beginning. */
class MaskedJson implements BodyTransform {
  readonly heldBytes = 0;
  readonly takesWhole = true;
  readonly #masks: MaskSet;
  readonly #operation: OperationName | null;
  readonly #bounds: MaskBounds;

  constructor(masks: MaskSet, operation: OperationName | null, bounds: MaskBounds) {
    this.#masks = masks;
    this.#operation = operation;
    this.#bounds = bounds;
  }

  push(text: Uint8Array): Uint8Array | BodyFault {
    if (text.length === 0) return text;
    const { requestJsonDepth } = this.#bounds;
    // as many values as there is room for: an answer is bounded in bytes
    const masked = maskJson(text, this.#masks.masker, this.#operation, requestJsonDepth, text.length);
    return masked instanceof Uint8Array ? masked : unmaskableAnswer(masked);
  }
}

class MaskedPlain implements BodyTransform {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #masked: MaskedText;

  constructor({ masker }: MaskSet) {
    this.#masked = masker.stream();
  }

  get heldBytes(): number {
    return this.#masked.heldUnits * BYTES_PER_UNIT;
  }

  push(chunk: Uint8Array, last: boolean): Uint8Array | BodyFault {
    try {
      return ENCODER.encode(this.#masked.push(this.#decoder.decode(chunk, { stream: !last }), last));
    } catch {
      return unmaskableAnswer(NO_UTF_8);
    }
  }
}

class MaskedStream implements BodyTransform {
  readonly #events: MaskedEvents;

  constructor({ masker }: MaskSet, operation: OperationName, bounds: MaskBounds) {
    this.#events = new MaskedEvents(operation, masker, {
      eventBytesMax: bounds.streamEventBytes,
      depthMax: bounds.requestJsonDepth,
      valuesMax: bounds.requestJsonValues,
    });
  }

  get heldBytes(): number {
    return this.#events.heldBytes;
  }

  push(chunk: Uint8Array, last: boolean): Uint8Array | BodyFault {
    const masked = this.#events.push(chunk, last);
    return masked instanceof Uint8Array ? masked : unmaskableAnswer(masked);
  }
}

/** An empty body holds nothing. */
const UNREADABLE: BodyTransform = {
  heldBytes: 0,
  push: (chunk) =>
    chunk.length === 0
      ? chunk
      : unmaskableAnswer({ why: 'it is neither JSON nor plain text in UTF-8, nor a stream of a model' }),
};

function maskJson(
  text: Uint8Array,
  masker: TextMask,
  operation: OperationName | null,
  depthMax: number,
  valuesMax: number,
): Uint8Array | Unmaskable {
  const scanned = scanJson(text, {
    depthMax,
    nodesMax: valuesMax,
    membersMax: valuesMax,
    bytesMax: text.length,
    stringBytesMax: text.length,
    numberBytesMax: text.length,
  });
  if (!scanned.ok) return { why: `it is no sound JSON (byte ${scanned.error.offset})` };
  const edits = operation === null ? maskAll(scanned.value, masker) : maskModelJson(scanned.value, masker);
  if (!Array.isArray(edits)) return edits as Unmaskable;
  return edits.length === 0 ? text : editJson(text, edits);
}

function maskAll(document: JsonDocument, masker: TextMask): JsonEdit[] | Unmaskable {
  const edits: JsonEdit[] = [];
  return maskTexts(document, document.root, masker, edits) ?? edits;
}

function maskPlain(text: Uint8Array, { masker }: MaskSet): Uint8Array | Unmaskable {
  try {
    return ENCODER.encode(masker.mask(STRICT_UTF_8.decode(text)));
  } catch {
    return NO_UTF_8;
  }
}

function unmaskableRequest({ why }: Unmaskable): BodyFault {
  return {
    status: 422,
    code: 'unmaskable_body',
    detail: `A rule removes personal data from this body, which can't be done: ${why}.`,
  };
}

function unmaskableAnswer({ why }: Unmaskable): BodyFault {
  return {
    status: 502,
    code: 'unmaskable_answer',
    detail: `A rule removes personal data from this answer, which can't be done: ${why}.`,
  };
}

const MEDIA_ANSWER: BodyFault = {
  status: 422,
  code: 'unmaskable_body',
  detail: 'A rule removes personal data from answers, and pictures and sound can not be read for it.',
};
const FORM_BODY: Unmaskable = { why: 'it is neither JSON nor plain text' };
const NO_UTF_8: Unmaskable = { why: 'it is not in UTF-8' };
const ENCODER = new TextEncoder();
const STRICT_UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const BYTES_PER_UNIT = 3;
