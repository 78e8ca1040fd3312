import { CORE_SCHEMA, dump, load as readYaml } from 'js-yaml';
import { expect, test } from 'vitest';
import { LIMITS } from '../../base/limits.ts';
import { COMPLETE, PROJECT_FOLDER, sources } from '../config.cases.ts';
import { kindOf } from '../kinds.ts';
import { loadWorld } from '../load.ts';
import { newAjv } from './compiled-schemas.ts';
import { EXPLAINERS } from './explain.ts';
import { limitsSchema } from './limits-schema.ts';
import type { LiteralKeyword } from './literals.ts';
import { SCHEMAS } from './schemas.ts';

interface SchemaNode {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly literal?: LiteralKeyword;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | false;
  readonly items?: SchemaNode;
  readonly propertyNames?: SchemaNode;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}
/** Steps to a field; `*` is any entry of a map or list. */
interface Field {
  readonly path: readonly string[];
  readonly schema: SchemaNode;
}

const KINDS = Object.entries(SCHEMAS) as [keyof typeof SCHEMAS, SchemaNode][];
const FIELDS = KINDS.flatMap(([kind, schema]) => fieldsOf(schema, schema, [kind]));
/** Providers stand by themselves, and a smaller project is read in less time. */
const OF_PROVIDERS = {
  ...onlyFiles((file) => kindOf(file) === 'providers'),
  'portunus.yaml': 'portunus: 1\ncurrency: EUR\nrates: { USD: { rate: 0.86, date: 2026-11-01 } }\n',
};
const OF_OTHERS = onlyFiles((file) => kindOf(file) !== 'providers');
const BASELINES = new Map(
  [OF_PROVIDERS, OF_OTHERS].map((texts) => [texts, JSON.stringify(plain(load(texts)))]),
);

function onlyFiles(isMeant: (file: string) => boolean): typeof COMPLETE {
  return Object.fromEntries(Object.entries(COMPLETE).filter(([file]) => isMeant(file)));
}

function load(texts: typeof COMPLETE) {
  return loadWorld(sources(texts), { projectFolder: PROJECT_FOLDER }).world;
}

function fieldsOf(node: SchemaNode, root: SchemaNode, path: readonly string[]): readonly Field[] {
  const [schema, owner] = resolve(node, root);
  const parts: (readonly [string, SchemaNode | false | undefined])[] = [
    ...Object.entries(schema.properties ?? {}),
    ['*', schema.additionalProperties],
    ['*', schema.items],
  ];
  const below = parts.flatMap(([name, part]) => (part ? fieldsOf(part, owner, [...path, name]) : []));
  return [{ path, schema: { ...schema, ...node } }, ...below];
}

function resolve(node: SchemaNode, root: SchemaNode): readonly [SchemaNode, SchemaNode] {
  if (node.$ref === undefined) return [node, root];
  if (node.$ref === 'limits.schema.json') return [limitsSchema(LIMITS), limitsSchema(LIMITS)];
  const [file = '', pointer = ''] = node.$ref.split('#');
  const owner = file === 'routes.schema.json' ? (SCHEMAS.routes as SchemaNode) : root;
  let found: unknown = owner;
  for (const step of pointer.split('/').slice(1)) found = (found as Record<string, unknown>)[step];
  return [found as SchemaNode, owner];
}

test.each(KINDS)('the schema of %s is one', (_, schema) => {
  expect(() => newAjv('schemas-too').compile(schema)).not.toThrow();
});

test('every field has a description', () => {
  const silent = FIELDS.filter(({ schema }) => !schema.description?.endsWith('.'));
  expect(silent.map(({ path }) => path.join('.'))).toEqual([]);
});

test('no field may be null: empty values are mistakes', () => {
  const open = FIELDS.filter(
    ({ schema }) => schema.type === undefined || [schema.type].flat().includes('null'),
  );
  expect(open.map(({ path }) => path.join('.'))).toEqual([]);
});

test('every keyword that can fail is explained', () => {
  const silent = new Set(['$schema', 'title', 'description', '$ref', '$defs', 'default', 'examples']);
  const structure = new Set(['properties', 'items', 'propertyNames', 'additionalProperties']);
  const used = new Set(FIELDS.flatMap(({ schema }) => Object.keys(schema)));
  const unexplained = [...used].filter(
    (keyword) => !silent.has(keyword) && !structure.has(keyword) && !Object.hasOwn(EXPLAINERS, keyword),
  );
  expect(unexplained).toEqual([]);
});

/** `portunus: 1` says how to read the file and is not part of the world. */
const LEAVES = FIELDS.filter(
  ({ path, schema }) =>
    schema.properties === undefined &&
    typeof schema.additionalProperties !== 'object' &&
    schema.items === undefined &&
    path.join('.') !== 'portunus.portunus',
);

test.each(LEAVES.map(({ path, schema }) => [path.join('.'), path, schema] as const))(
  '%s changes the world',
  (_name, path, schema) => {
    expect(instances(path).some(({ file, steps }) => someChange(file, steps, schema))).toBe(true);
  },
);

/** Dates stay texts. */
function parse(text: string): unknown {
  return readYaml(text, { schema: CORE_SCHEMA });
}

/** Where a field stands in the complete project. */
function instances(path: readonly string[]): readonly { file: string; steps: readonly string[] }[] {
  const [kind, ...names] = path;
  return Object.entries(COMPLETE)
    .filter(([file]) => kindOf(file) === kind)
    .flatMap(([file, text]) => expand(parse(text), names).map((steps) => ({ file, steps })));
}

/** All paths that lead to a map in which the last name may be set. */
function expand(value: unknown, names: readonly string[]): readonly (readonly string[])[] {
  const [name, ...rest] = names;
  if (name === undefined) return [[]];
  if (typeof value !== 'object' || value === null) return [];
  const map = value as Readonly<Record<string, unknown>>;
  if (rest.length === 0 && name !== '*') return [[name]];
  const keys = name === '*' ? Object.keys(map) : [name].filter((key) => Object.hasOwn(map, key));
  return keys.flatMap((key) => expand(map[key], rest).map((steps) => [key, ...steps]));
}

function someChange(file: string, steps: readonly string[], schema: SchemaNode): boolean {
  const project = kindOf(file) === 'providers' ? OF_PROVIDERS : OF_OTHERS;
  return candidates(schema).some((candidate) => {
    const document = parse(COMPLETE[file]!);
    let container = document as Record<string, unknown>;
    for (const step of steps.slice(0, -1)) container = container[step] as Record<string, unknown>;
    container[steps.at(-1)!] = candidate;
    const others = steps.at(-1) === 'currency' ? pricedIn(project, String(candidate)) : project;
    const texts = { ...others, [file]: dump(document, { schema: CORE_SCHEMA }) };
    const world = load(texts);
    return world !== null && JSON.stringify(plain(world)) !== BASELINES.get(project);
  });
}

/** A project with all its prices in another currency, which is the only way to change it. */
function pricedIn(project: typeof COMPLETE, currency: string): typeof COMPLETE {
  const texts = Object.entries(project).map(([path, text]) => [
    path,
    text.replaceAll(/€([\d.]+)/g, `$1 ${currency}`),
  ]);
  return Object.fromEntries(texts);
}

/** Values to try: all that an enumeration has, the bounds of literals, and some that fit names, paths and texts. */
function candidates({ enum: words = [], literal }: SchemaNode): readonly unknown[] {
  const bounds = [literal?.from, literal?.to].filter((bound) => bound !== undefined);
  const written = bounds.flatMap((bound) => [bound, `${bound}B`, `${bound}ms`, `${bound}%`]);
  return [...words, ...written, ...CANDIDATES];
}

const CANDIDATES: readonly unknown[] = [
  ...[true, false, 3, 'auto', '127.0.0.3', 'UTC', 'USD', '€7', './elsewhere', 'http://other.example'],
  ...['https://other.example/keys', 'api-key'],
  ...[
    '/v2/{id}',
    '/other/{id}',
    '/other',
    'other.example',
    'other',
    'billing',
    'office',
    'team',
    'bill',
    'us',
    '2026-12-24',
    'other.usage',
  ],
  '../schemas/other.schema.json',
  'ptnh1:abcdefghijkl:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  'f'.repeat(64),
  'env:OTHER',
  'builtin/anthropic',
  'anthropic',
];

/** Maps and sets as JSON; places left out, since another layout of the file moves them. */
function plain(value: unknown): unknown {
  if (value instanceof Map || value instanceof Set) return plain([...value]);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== 'place');
  return Object.fromEntries(entries.map(([name, part]) => [name, plain(part)]));
}
