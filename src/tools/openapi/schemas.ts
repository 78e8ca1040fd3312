import { follow, isMark, isObject, type Json, type JsonObject, reasonsUnread } from './references.ts';

/**
 * A schema of a document as a JSON Schema (2020-12) of its own: everything it refers to lies under `$defs`, so circles
 * stay references. Marks of references that can't be followed stay in it.
 */
export function schemaFile(root: JsonObject, schema: Json): JsonObject {
  const names = new Map<string, string>();
  const definitions: Record<string, Json> = {};
  const waiting: string[] = [];
  const rewritten = (value: Json, holds: Holds): Json => {
    if (holds === 'data') return value;
    if (Array.isArray(value)) return value.map((item) => rewritten(item, 'schema'));
    if (!isObject(value)) return value;
    const entries = Object.entries(value);
    if (holds === 'schemas by name') {
      return Object.fromEntries(entries.map(([name, member]) => [name, rewritten(member, 'schema')]));
    }
    return Object.fromEntries(
      entries
        .filter(([name]) => isMark(name) || !(NOT_OF_JSON_SCHEMA.has(name) || name.startsWith('x-')))
        // An example says nothing about what is valid, so no schema is given up for it.
        .filter(([name, member]) => name !== 'examples' || reasonsUnread(member).length === 0)
        .map(([name, member]) => {
          if (name === '$ref' && typeof member === 'string') return [name, `#/$defs/${nameOf(member)}`];
          return [name, rewritten(member, HELD_BY.get(name) ?? 'schema')];
        }),
    );
  };
  const nameOf = (reference: string): string => {
    let name = names.get(reference);
    if (name === undefined) {
      name = freeName(reference, new Set(names.values()));
      names.set(reference, name);
      waiting.push(reference);
    }
    return name;
  };
  const main = rewritten(schema, 'schema');
  for (let reference = waiting.shift(); reference !== undefined; reference = waiting.shift()) {
    definitions[nameOf(reference)] = rewritten(follow(root, reference) ?? true, 'schema');
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...(isObject(main) ? main : { allOf: [main] }),
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }),
  };
}

/** What stands below a word of a schema. */
type Holds = 'schema' | 'schemas by name' | 'data';
const HELD_BY: ReadonlyMap<string, Holds> = new Map([
  ...['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'].map(
    (name) => [name, 'schemas by name'] as const,
  ),
  ...['enum', 'const', 'default', 'examples', 'required', 'dependentRequired', 'type'].map(
    (name) => [name, 'data'] as const,
  ),
]);

/** Words of OpenAPI's schemas that JSON Schema does not have. */
const NOT_OF_JSON_SCHEMA = new Set(['discriminator', 'xml', 'externalDocs', 'example']);

function freeName(reference: string, taken: ReadonlySet<string>): string {
  const last =
    reference
      .split('/')
      .at(-1)
      ?.replaceAll(/(?:~[01]|[^A-Za-z0-9_.-])+/g, '_') || 'schema';
  let name = last;
  for (let number = 2; taken.has(name); number++) name = `${last}_${number}`;
  return name;
}
