/** Reads what a request to a model asks for off the parts of its form. */
import type { FormDocument, FormPart } from '../base/form-data.ts';
import type { CallFacts } from '../model/model-call.ts';
import type { CallFault } from './call-facts.ts';
import { textGrowth } from './normalisation.ts';
import type { Operation } from './operations.ts';

export function readFormCall(
  form: FormDocument,
  { files, streams, choices }: Operation,
): CallFacts | CallFault {
  const model = textOf(form, 'model');
  if (model !== null && typeof model !== 'string') return model;
  const stream = textOf(form, 'stream');
  if (stream !== null && typeof stream !== 'string') return stream;
  const count = choices === null ? null : textOf(form, choices);
  if (count !== null && typeof count !== 'string') return count;
  if (count !== null && !/^[1-9][0-9]{0,8}$/.test(count))
    return { member: choices!, why: 'must be a whole number, 1 or more' };
  const fileBytes = sum(form.parts.filter(({ isFile }) => isFile));
  return {
    model,
    streams: streams && stream !== null && /^(?:true|1)$/i.test(stream),
    outputCap: null,
    capsDiffer: false,
    capByNewName: false,
    thinkingTokens: null,
    choices: count === null ? 1 : Number(count),
    asksForUsage: false,
    promptBytes: form.bytes.length - fileBytes + Math.ceil(fileBytes / FILE_BYTES_PER_TOKEN),
    images: files === 'images' ? form.parts.filter(({ isFile }) => isFile).length : 0,
    hasTools: false,
    writesCache: false,
    unbounded: files === 'sound' ? 'sound_inside' : null,
    dearer: null,
  };
}

/** What normalisation can add to its texts; of one that is not UTF-8 nobody knows what becomes of it, so each byte counts as the worst. */
export function formGrowth(form: FormDocument): number {
  return form.parts.reduce((growth, part) => {
    if (part.isFile) return growth;
    const text = form.text(part);
    return growth + (text === null ? GROWTH_MAX * (part.end - part.start) : textGrowth(text));
  }, 0);
}
/** See `normalisationGrowth`: 33 bytes of three. */
const GROWTH_MAX = 10;

/** Null where it is not there. What is given twice each reader would take another of. */
function textOf(form: FormDocument, name: string): string | CallFault | null {
  const [part, ...others] = form.named(name);
  if (part === undefined) return null;
  if (others.length > 0) return { member: name, why: 'must be given once' };
  const text = part.isFile ? null : form.text(part);
  return text ?? { member: name, why: 'must be a text' };
}

function sum(parts: readonly FormPart[]): number {
  return parts.reduce((bytes, { start, end }) => bytes + end - start, 0);
}

/**
 * What a file is expected to take of the limits of keys: a token stands for 100 ms of sound (OpenAI's guide to realtime), of which
 * speech at 32 kbit/s has so many bytes. A guess: `images` and `unbounded` say what bounds it.
 */
const FILE_BYTES_PER_TOKEN = 400;
