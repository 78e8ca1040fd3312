/** The body of a call as it was received: what of it is read, and in which form. */
import { readCall } from '../ai/call-facts.ts';
import { readFormCall } from '../ai/form-facts.ts';
import type { Operation } from '../ai/operations.ts';
import { type FormDocument, scanForm } from '../base/form-data.ts';
import { JsonDocument } from '../base/json/document.ts';
import { scanJson } from '../base/json/scan.ts';
import type { CallFacts } from '../model/model-call.ts';
import type { NoModelRequest } from '../pipeline/model-request.ts';
import type { CallLimits } from './model-services.ts';

/** Bounds of a body. */
export type ReadLimits = Pick<
  CallLimits,
  'requestBodyBufferedBytes' | 'requestJsonDepth' | 'requestJsonValues' | 'countedPromptBytes'
>;

/** `boundary`: of a form; null: it is JSON. */
export interface CallBody {
  readonly text: Uint8Array;
  readonly boundary: string | null;
}

interface ReadBody {
  readonly document: JsonDocument | FormDocument;
  readonly facts: CallFacts;
}

export function readBody(
  { text, boundary }: CallBody,
  operation: Operation,
  limits: ReadLimits,
): ReadBody | NoModelRequest {
  const document = boundary === null ? scanned(text, limits) : scannedForm(text, boundary, limits);
  if (typeof document === 'string') return { code: 'model_request_malformed', sentence: document };
  const facts =
    document instanceof JsonDocument ? readCall(document, operation) : readFormCall(document, operation);
  if (!('why' in facts)) return { document, facts };
  const { member, why } = facts;
  const subject = member === '' ? 'The body' : `"${member}"`;
  return { code: 'model_request_malformed', sentence: `${subject} ${why}.` };
}

/** A sentence where it is none. */
function scanned(text: Uint8Array, limits: ReadLimits): JsonDocument | string {
  const found = scanJson(text, {
    bytesMax: limits.requestBodyBufferedBytes,
    depthMax: limits.requestJsonDepth,
    nodesMax: limits.requestJsonValues,
    membersMax: limits.requestJsonValues,
    stringBytesMax: limits.requestBodyBufferedBytes,
    numberBytesMax: NUMBER_BYTES_MAX,
  });
  if (found.ok) return found.value;
  return `The body is not sound JSON: ${found.error.why}, at byte ${found.error.offset}.`;
}

function scannedForm(text: Uint8Array, boundary: string, limits: ReadLimits): FormDocument | string {
  const bounds = { partsMax: limits.requestJsonValues, headBytesMax: PART_HEAD_BYTES_MAX };
  const found = scanForm(text, boundary, bounds);
  if (found.ok) return found.value;
  return `The body is not a sound form: ${found.error.why}, at byte ${found.error.offset}.`;
}

const NUMBER_BYTES_MAX = 1_000;
/** Some hundred are usual. */
const PART_HEAD_BYTES_MAX = 8_192;
