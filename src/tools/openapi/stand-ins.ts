import { follow, isObject, type Json, type JsonObject, resolved, whyUnread } from './references.ts';

/**
 * The document as the validator may see it: where a marked reference was, something stands that is valid there. Schemas,
 * path items, media types and examples may keep their mark, since extensions are all that it is.
 */
export function withStandIns(document: JsonObject): JsonObject {
  const copy = structuredClone(document) as Mutable;
  const seen = new Set<Json>();
  let count = 0;
  const visit = (part: Json | undefined, kind: Kind): void => {
    if (!isObject(part) || seen.has(part)) return;
    seen.add(part);
    if (typeof part.$ref === 'string') {
      visit(follow(copy, part.$ref), kind);
      return;
    }
    if (whyUnread(part) !== null) {
      count++;
      replace(part, STAND_INS[kind]?.(count));
      return;
    }
    for (const [name, member] of Object.entries(part)) {
      const held = HELD[kind][name] ?? HELD[kind]['*'];
      if (held === undefined) continue;
      if (held.how === 'one') visit(member, held.kind);
      else if (typeof member === 'object' && member !== null)
        for (const item of Object.values(member)) visit(item, held.kind);
    }
  };
  addPathParameters(copy);
  visit(copy, 'document');
  return copy;
}

/** An unread parameter may be one that the path names, which the validator would miss. */
function addPathParameters(copy: Mutable): void {
  for (const [path, written] of Object.entries(isObject(copy.paths) ? copy.paths : {})) {
    const names = Array.from(path.matchAll(/\{([^{}]+)\}/g), ([, name = '']) => name);
    const item = resolved(copy, written) ?? {};
    for (const holder of [item, ...Object.values(item)]) {
      const list = isObject(holder) ? holder.parameters : null;
      if (!Array.isArray(list) || !list.some((parameter) => whyUnread(parameter) !== null)) continue;
      const known = list.map((parameter) => resolved(copy, parameter)).filter((one) => one?.in === 'path');
      for (const name of names.filter((one) => !known.some((parameter) => parameter?.name === one)))
        list.push({ name, in: 'path', required: true, schema: {} });
    }
  }
}

type Mutable = Record<string, Json>;

/** The copy is this module's own, so its parts may be changed. */
function replace(part: JsonObject, standIn: JsonObject | undefined): void {
  if (standIn === undefined) return;
  const mutable = part as Mutable;
  for (const name of Object.keys(mutable)) delete mutable[name];
  Object.assign(mutable, standIn);
}

type Kind =
  | 'document'
  | 'components'
  | 'path item'
  | 'operation'
  | 'parameter'
  | 'request body'
  | 'media type'
  | 'encoding'
  | 'response'
  | 'header'
  | 'link'
  | 'callback'
  | 'security scheme';

interface Held {
  readonly how: 'one' | 'each';
  readonly kind: Kind;
}
const one = (kind: Kind): Held => ({ how: 'one', kind });
const each = (kind: Kind): Held => ({ how: 'each', kind });

/** What each kind of object holds (OpenAPI 3.1, 4.8), as far as a reference may stand there; `*` is any name. */
const HELD: Readonly<Record<Kind, Readonly<Record<string, Held>>>> = {
  document: { paths: each('path item'), webhooks: each('path item'), components: one('components') },
  components: {
    pathItems: each('path item'),
    parameters: each('parameter'),
    requestBodies: each('request body'),
    responses: each('response'),
    headers: each('header'),
    links: each('link'),
    callbacks: each('callback'),
    securitySchemes: each('security scheme'),
  },
  'path item': {
    parameters: each('parameter'),
    ...Object.fromEntries(
      ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'].map((method) => [
        method,
        one('operation'),
      ]),
    ),
  },
  operation: {
    parameters: each('parameter'),
    requestBody: one('request body'),
    responses: each('response'),
    callbacks: each('callback'),
  },
  parameter: { content: each('media type') },
  'request body': { content: each('media type') },
  'media type': { encoding: each('encoding') },
  encoding: { headers: each('header') },
  response: { content: each('media type'), headers: each('header'), links: each('link') },
  header: { content: each('media type') },
  link: {},
  callback: { '*': one('path item') },
  'security scheme': {},
};

/** The smallest valid object of a kind; parameters need names of their own. */
const STAND_INS: Readonly<Partial<Record<Kind, (number: number) => JsonObject>>> = {
  operation: () => ({ responses: { default: { description: '' } } }),
  parameter: (number) => ({ name: `unread-${number}`, in: 'query', schema: {} }),
  'request body': () => ({ content: { 'application/json': {} } }),
  response: () => ({ description: '' }),
  header: () => ({ schema: {} }),
  link: () => ({ operationId: 'unread' }),
  callback: () => ({}),
  'security scheme': () => ({ type: 'http', scheme: 'bearer' }),
};
