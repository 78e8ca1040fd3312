import type { ErrorObject } from 'ajv/dist/2020.js';
import type { DiagnosticCode } from '../../diagnostics/catalogue.ts';
import { spanText } from '../../diagnostics/source.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import type { DocumentPath, Finding, Located, Part } from '../finding.ts';
import { alternatives, clip, didYouMean, show } from '../show.ts';
import { type LiteralFault, type LiteralKeyword, literalFault } from './literals.ts';

/** What does not fit a schema, in plain words. */
export function explain(error: ErrorObject, path: DocumentPath, file: Located): Finding {
  const explainer =
    error.propertyName === undefined ? EXPLAINERS[error.keyword as ExplainedKeyword] : wrongName;
  const { code, message, help, at = path, part = 'value' } = explainer(error, { path, file });
  return { code, message, help, target: { file, path: at, part } };
}

interface Explanation {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly help: string;
  /** Where, if not at the value itself. */
  readonly at?: DocumentPath;
  readonly part?: Part;
}
interface Where {
  readonly path: DocumentPath;
  readonly file: Located;
}
type Explainer = (error: ErrorObject, where: Where) => Explanation;

/** One line for each schema keyword that is used. The order says which of several errors about a value is told. */
export const EXPLAINERS = {
  literal: wrongLiteral,
  type: wrongType,
  enum: notPossible,
  const: notThatValue,
  minLength: tooShort,
  maxLength: tooLong,
  minItems: tooShort,
  maxItems: tooLong,
  minProperties: tooShort,
  maxProperties: tooLong,
  pattern: wrongPattern,
  uniqueItems: twice,
  oneOf: notExactlyOne,
  additionalProperties: unknownField,
  required: missingField,
} as const satisfies Record<string, Explainer>;

type ExplainedKeyword = keyof typeof EXPLAINERS;

export const KEYWORD_RANKS: ReadonlyMap<string, number> = new Map(
  Object.keys(EXPLAINERS).map((keyword, index) => [keyword, index]),
);

function wrongLiteral({ params }: ErrorObject): Explanation {
  const { code, message, help } = params as LiteralFault;
  return { code, message, help };
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
};

function wrongType({ params, data, parentSchema }: ErrorObject, where: Where): Explanation {
  const { literal } = parentSchema as { readonly literal?: LiteralKeyword };
  const fault = literal === undefined ? null : literalFault(literal, data);
  if (fault !== null) return fault;
  const types = [params.type as string | readonly string[]].flat() as readonly string[];
  const wanted = alternatives(types.map((type) => TYPE_WORDS[type]!));
  if (data === null) {
    const message = `${subject(where.path)} has no value; it must be ${wanted}.`;
    return { code: 'PT3103', message, help: 'Write a value, or remove the line.', part: 'key' };
  }
  const message = `${subject(where.path)} must be ${wanted}, not ${show(data)}.`;
  const { examples = [] } = parentSchema as { readonly examples?: readonly unknown[] };
  return { code: 'PT3103', message, help: typeHelp(types, data, where, examples[0]) };
}

function typeHelp(types: readonly string[], data: unknown, { path, file }: Where, example: unknown): string {
  const written = clip(spanText(file.locate(path, 'value')));
  const scalar = typeof data !== 'object';
  if (scalar && types.includes('string')) return `Put it in quotes: "${written}".`;
  if (scalar && types.includes('array')) return `Write a list: [${written}], or [${written}, …] for several.`;
  if (types.includes('object')) return 'Write entries as `name: value`, indented below it.';
  if (typeof data === 'string' && /^["']/.test(written)) return 'Write it without quotes.';
  if (types.includes('boolean')) return 'Write true or false.';
  return example === undefined ? 'Write one value.' : `Write one value, such as ${JSON.stringify(example)}.`;
}

function notPossible({ params, data }: ErrorObject, { path }: Where): Explanation {
  const allowed = (params.allowedValues as readonly unknown[]).map(String);
  const near = lengthened(String(data), allowed) ?? nearest(String(data), allowed);
  // where one is meant, nobody reads through all the others
  const words = near === null ? alternatives(allowed) : some(allowed);
  const message = `${subject(path)} must be ${words}, not ${show(data)}.`;
  return { code: 'PT3104', message, help: didYouMean(near, 'Write one of these words.') };
}

/** `openai/chat-completions` is `openai/chat`, and more. */
function lengthened(written: string, allowed: readonly string[]): string | null {
  const begun = allowed.filter((word) => written.startsWith(`${word}-`) || written.startsWith(`${word}_`));
  return begun.reduce<string | null>(
    (longest, word) => (word.length > (longest ?? '').length ? word : longest),
    null,
  );
}

function some(words: readonly string[]): string {
  const rest = words.length - WORDS_SHOWN_MAX;
  return rest <= 2
    ? alternatives(words)
    : `${words.slice(0, WORDS_SHOWN_MAX).join(', ')} or one of ${rest} other words`;
}
const WORDS_SHOWN_MAX = 6;

function notThatValue({ params, data }: ErrorObject, { path }: Where): Explanation {
  const value = show(params.allowedValue);
  return {
    code: 'PT3104',
    message: `${subject(path)} must be ${value}, not ${show(data)}.`,
    help: `Write ${value}.`,
  };
}

const COUNTED: Readonly<Record<string, readonly [one: string, many: string]>> = {
  Length: ['character', 'characters'],
  Items: ['item', 'items'],
  Properties: ['entry', 'entries'],
};

function tooShort({ keyword, params }: ErrorObject, { path }: Where): Explanation {
  const limit = params.limit as number;
  const message = `${subject(path)} needs at least ${counted(keyword, limit)}.`;
  return { code: 'PT3106', message, help: 'Add one.' };
}

function tooLong({ keyword, params }: ErrorObject, { path }: Where): Explanation {
  const limit = params.limit as number;
  return {
    code: 'PT3106',
    message: `${subject(path)} may have at most ${counted(keyword, limit)}.`,
    help: 'Shorten it.',
  };
}

function counted(keyword: string, limit: number): string {
  const [one, many] = COUNTED[keyword.slice(3)]!;
  return `${limit} ${limit === 1 ? one : many}`;
}

function wrongPattern({ data, parentSchema }: ErrorObject, { path }: Where): Explanation {
  const { description = '' } = parentSchema as { readonly description?: string };
  return {
    code: 'PT3107',
    message: `${subject(path)} cannot be ${show(data)}.`,
    help: `Write ${sentence(description)}`,
  };
}

function wrongName({ propertyName, parentSchema }: ErrorObject, { path }: Where): Explanation {
  const name = String(propertyName);
  const at = { at: [...path, name], part: 'key' } as const;
  if (name === MERGE_KEY) return { code: 'PT3101', ...MERGE_KEY_REFUSED, ...at };
  const { description = '' } = parentSchema as { readonly description?: string };
  const message = `"${clip(name)}" cannot be a name here.`;
  return { code: 'PT3107', message, help: `Write ${sentence(description)}`, ...at };
}

const MERGE_KEY = '<<';
const MERGE_KEY_REFUSED = {
  message: 'Merge keys (<<) are not part of YAML 1.2.',
  help: 'Write the fields out.',
} as const;

function twice({ params }: ErrorObject, { path }: Where): Explanation {
  const first = Math.min(params.i as number, params.j as number) + 1;
  const second = Math.max(params.i as number, params.j as number) + 1;
  const message = `Items ${first} and ${second} of ${named(path)} are the same.`;
  return { code: 'PT3108', message, help: 'Remove one of them.', at: [...path, second - 1] };
}

function notExactlyOne({ schema, data }: ErrorObject, { path }: Where): Explanation {
  const fields = (schema as readonly { readonly required: readonly string[] }[]).flatMap(
    (branch) => branch.required,
  );
  const message = `${subject(path)} needs exactly one of ${alternatives(fields)}.`;
  const isNone = !fields.some((field) => Object.hasOwn(data as object, field));
  return { code: 'PT3109', message, help: isNone ? 'Write one of them.' : 'Keep one of them.', part: 'key' };
}

function unknownField({ params, parentSchema }: ErrorObject, { path, file }: Where): Explanation {
  const name = String(params.additionalProperty);
  const { properties = {} } = parentSchema as { readonly properties?: object };
  const fields = Object.keys(properties);
  const where = path.length === 0 ? 'this file' : named(path);
  const at = { at: [...path, name], part: 'key' } as const;
  if (name === MERGE_KEY) return { code: 'PT3101', ...MERGE_KEY_REFUSED, ...at };
  const message = `${where.slice(0, 1).toUpperCase()}${where.slice(1)} has no field "${clip(name)}".`;
  const list = alternatives(fields).replace(/ or (?=[^ ]*$)/, ' and ');
  const otherwise = isBehindComma([...path, name], file)
    ? 'A comma ends a value within { }: a text that holds one stands in quotes, as in "a, b", and a list in brackets, as in [a, b].'
    : fields.length === 1
      ? `Its only field is ${list}.`
      : `Its fields are ${list}.`;
  return { code: 'PT3101', message, help: didYouMean(fieldMeant(params, parentSchema), otherwise), ...at };
}

/** `{ summary: a, b }`: what stands behind the comma looks like the name of a field, but no colon follows. */
function isBehindComma(path: DocumentPath, file: Located): boolean {
  const { source, end } = file.locate(path, 'key');
  return /^["']?\s*[,}]/.test(source.text.slice(end));
}

/** The field that an unknown one is a misspelling of; null when it is like none. */
export function fieldMeant(
  params: ErrorObject['params'],
  parentSchema: ErrorObject['parentSchema'],
): string | null {
  const { properties = {} } = parentSchema as { readonly properties?: object };
  return nearest(String(params.additionalProperty), Object.keys(properties));
}

function missingField({ params, parentSchema }: ErrorObject, { path }: Where): Explanation {
  const name = String(params.missingProperty);
  const { properties = {} } = parentSchema as {
    readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
  };
  const where = path.length === 0 ? 'The file' : subject(path);
  return {
    code: 'PT3102',
    message: `${where} lacks the field "${name}".`,
    help: `Add \`${name}:\` – ${sentence(properties[name]?.description ?? '')}`,
    part: 'key',
  };
}

/** The value as the subject of a sentence. */
function subject(path: DocumentPath): string {
  if (path.length === 0) return 'The file';
  const text = named(path);
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** `"tags"`, or `item 2 of "tags"`. */
function named(path: DocumentPath): string {
  const last = String(path.at(-1));
  if (/^\d+$/.test(last) && path.length > 1)
    return `item ${Number(last) + 1} of "${clip(String(path.at(-2)))}"`;
  return `"${clip(last)}"`;
}

function sentence(description: string): string {
  return `${description.slice(0, 1).toLowerCase()}${description.slice(1)}`;
}
