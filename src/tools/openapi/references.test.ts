import { describe, expect, test } from 'vitest';
import { err, ok } from '../../base/result.ts';
import { importOpenApi } from './import-openapi.ts';

type Texts = Readonly<Record<string, string>>;

const RESPONSES = { 200: { description: 'ok' } };
const REMOTE = 'https://schemas.example/pet.json';
const REMOTE_WHY = `the reference "${REMOTE}" is an address; only files beside the document are read.`;

/** A document whose first path is always fine. */
function documentOf(paths: object, components: object = {}, openapi = '3.1.0'): string {
  return JSON.stringify({
    openapi,
    info: { title: 'A', version: '1' },
    servers: [{ url: 'http://127.0.0.1:9001' }],
    security: [],
    paths: { '/fine': { get: { operationId: 'fine', responses: RESPONSES } }, ...paths },
    components,
  });
}

function bodyOf(schema: object) {
  return { required: true, content: { 'application/json': { schema } } };
}

function post(parts: object) {
  return { post: { operationId: 'a', responses: RESPONSES, ...parts } };
}

/** What is imported, and every note but the one about responses, which each import has. */
async function outcome(document: string, beside: Texts = {}) {
  const asked: string[] = [];
  const texts: Texts = { 'api.json': document, ...beside };
  const result = await importOpenApi(
    'api.json',
    async (path) => {
      asked.push(path);
      return texts[path] === undefined ? err(`${path} does not exist.`) : ok(texts[path]);
    },
    { service: null, upstream: null },
  );
  if (!result.ok) {
    return { refused: result.error.kind === 'document' ? result.error.sentences : result.error.diagnostics };
  }
  const { files, notes, routeCount } = result.value;
  return {
    asked: asked.slice(1),
    routes: routeCount,
    schemas: Object.keys(files).filter((name) => name.endsWith('.schema.json')),
    notes: notes
      .filter(({ what }) => !what.startsWith('Responses:'))
      .map(({ what, where }) => `${what} ${where.join(', ')}`),
  };
}

describe.each(['3.0.3', '3.1.0'])('in a document of version %s', (version) => {
  test.each<[string, object, Texts, string, readonly string[]]>([
    ['an address of the network', { $ref: REMOTE }, {}, REMOTE_WHY, []],
    [
      'an address without scheme',
      { $ref: '//h/x' },
      {},
      'the reference "//h/x" is an address; only files beside the document are read.',
      [],
    ],
    [
      'a file that is missing',
      { $ref: './b.yaml#/Pet' },
      {},
      `the reference "./b.yaml#/Pet" can't be followed: b.yaml does not exist.`,
      ['b.yaml'],
    ],
    [
      'a file that is no YAML',
      { $ref: './b.yaml' },
      { 'b.yaml': 'a: [' },
      `the reference "./b.yaml" can't be followed: b.yaml is not readable: Flow sequence in block collection must be sufficiently indented and end with a ].`,
      ['b.yaml'],
    ],
    [
      'a name that the document does not have',
      { $ref: '#/components/schemas/None' },
      {},
      'the reference "#/components/schemas/None" leads nowhere.',
      [],
    ],
    [
      'a name that a file does not have',
      { $ref: './b.yaml#/Dog' },
      { 'b.yaml': 'Pet: {}' },
      'the reference "./b.yaml#/Dog" leads nowhere.',
      ['b.yaml'],
    ],
    [
      'text that is no address',
      { $ref: '%zz.yaml' },
      {},
      'the reference "%zz.yaml" is not written as an address is.',
      [],
    ],
    [
      'a circle of references',
      { $ref: '#/components/schemas/Round' },
      {},
      'the reference "#/components/schemas/Round" leads in a circle.',
      [],
    ],
    [
      'a bad reference deep inside, over a name and a file',
      { type: 'object', properties: { pet: { $ref: '#/components/schemas/Pet' } } },
      { 'pet.yaml': `Pet: { type: array, items: { $ref: "${REMOTE}" } }` },
      REMOTE_WHY,
      ['pet.yaml'],
    ],
  ])('a body without its schema: %s', async (_, schema, beside, why, asked) => {
    const text = documentOf(
      { '/a': post({ requestBody: bodyOf(schema) }) },
      {
        schemas: {
          Round: { $ref: '#/components/schemas/Again' },
          Again: { $ref: '#/components/schemas/Round' },
          ...('pet.yaml' in beside ? { Pet: { $ref: 'pet.yaml#/Pet' } } : {}),
        },
      },
      version,
    );
    expect(await outcome(text, beside)).toEqual({
      asked,
      routes: 2,
      schemas: [],
      notes: [`Bodies pass without a schema, because ${why} POST /a`],
    });
  });

  test('every bad reference of a schema is listed, each once', async () => {
    const schema = {
      allOf: [{ $ref: REMOTE }, { $ref: './b.yaml' }, { $ref: REMOTE }],
      example: { $ref: '#/not/shown' },
    };
    expect(
      (await outcome(documentOf({ '/a': post({ requestBody: bodyOf(schema) }) }, {}, version))).notes,
    ).toEqual([
      `Bodies pass without a schema, because ${REMOTE_WHY} POST /a`,
      `Bodies pass without a schema, because the reference "./b.yaml" can't be followed: b.yaml does not exist. POST /a`,
    ]);
  });

  test.each<[string, object, object]>([
    ['a whole body', { $ref: REMOTE }, {}],
    [
      'a body by its name',
      { $ref: '#/components/requestBodies/B' },
      { requestBodies: { B: { $ref: REMOTE } } },
    ],
    ['a media type', { required: true, content: { 'application/json': { $ref: REMOTE } } }, {}],
  ])('%s', async (_, requestBody, components) => {
    expect(await outcome(documentOf({ '/a': post({ requestBody }) }, components, version))).toMatchObject({
      routes: 2,
      schemas: [],
      notes: [`Bodies pass without a schema, because ${REMOTE_WHY} POST /a`],
    });
  });

  test('a parameter, also a shared one and one of the path', async () => {
    const paths = {
      '/a/{id}': {
        parameters: [{ $ref: REMOTE }, { $ref: '#/components/parameters/P' }],
        ...post({ parameters: [{ $ref: './p.yaml' }] }),
      },
    };
    const text = documentOf(paths, { parameters: { P: { $ref: '#/components/parameters/None' } } }, version);
    expect(await outcome(text)).toMatchObject({
      routes: 2,
      notes: [
        `A parameter is not known, because ${REMOTE_WHY} POST /a/{id}`,
        'A parameter is not known, because the reference "#/components/parameters/None" leads nowhere. POST /a/{id}',
        `A parameter is not known, because the reference "./p.yaml" can't be followed: p.yaml does not exist. POST /a/{id}`,
      ],
    });
  });

  test('a path, and one operation of a path', async () => {
    const paths = { '/a': { $ref: REMOTE }, '/b': { get: { $ref: './b.yaml' }, ...post({}) } };
    expect(await outcome(documentOf(paths, {}, version))).toMatchObject({
      routes: 2,
      notes: [
        `NOT IMPORTED: ${REMOTE_WHY} /a`,
        `NOT IMPORTED: the reference "./b.yaml" can't be followed: b.yaml does not exist. GET /b`,
      ],
    });
  });

  test('what routes do not use goes without a note', async () => {
    const bad = { $ref: REMOTE };
    const response = {
      description: 'ok',
      headers: { 'X-A': bad },
      links: { next: bad },
      content: { 'application/json': { schema: bad, examples: { one: bad } } },
    };
    const paths = {
      '/a/{q}': post({
        responses: {
          200: response,
          404: bad,
          500: { $ref: 'r.yaml' },
          501: { $ref: '#/components/responses/R' },
        },
        callbacks: { on: bad, off: { '{$request.body#/url}': { post: { responses: { 200: bad } } } } },
        parameters: [{ name: 'q', in: 'path', required: true, schema: bad }],
        requestBody: {
          content: { 'multipart/form-data': { schema: {}, encoding: { a: { headers: { 'X-B': bad } } } } },
        },
      }),
    };
    const components = {
      responses: { R: bad },
      headers: { H: bad },
      links: { L: bad },
      examples: { E: bad },
      callbacks: { C: bad },
      securitySchemes: { S: bad },
      schemas: { Unused: bad },
    };
    expect(
      await outcome(documentOf(paths, components, version), {
        'r.yaml': `description: r\nheaders: { X-C: { $ref: "${REMOTE}" } }`,
      }),
    ).toMatchObject({
      routes: 2,
      notes: [
        'Callbacks: requests of the service to its callers do not pass here. POST /a/{q}',
        'Bodies of type multipart/form-data pass without a schema. POST /a/{q}',
      ],
    });
  });

  test('a fault elsewhere refuses the document, with the references that may be why', async () => {
    const text = documentOf({}, {}, version).replace(/"info":\{[^}]*\}/, `"info":{"$ref":"${REMOTE}"}`);
    const { refused } = await outcome(text);
    expect(refused?.[0]).toMatch(/^info: /);
    expect(refused?.at(-1)).toBe(`Not read, because ${REMOTE_WHY}`);
  });

  test('a document of which nothing is left says why', async () => {
    const text = documentOf({ '/fine': { $ref: REMOTE } }, {}, version);
    expect(await outcome(text)).toEqual({
      refused: ['The document has no operation that can be a route.', `NOT IMPORTED: ${REMOTE_WHY} /fine`],
    });
  });
});
