import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { err, ok } from '../../base/result.ts';
import { readYaml } from '../../config/text/read.ts';
import { writeYaml } from '../../config/text/write.ts';
import { yamlValue } from '../../config/text/yaml.cases.ts';
import { renderText } from '../../diagnostics/render/text.ts';
import { SourceText } from '../../diagnostics/source.ts';
import { checkProject } from '../build-project.ts';
import { BOOKS, NASTY, ORDERS, PETSTORE } from './documents.cases.ts';
import { type ImportOptions, importOpenApi, type OpenApiImport } from './import-openapi.ts';

const NO_OPTIONS: ImportOptions = { service: null, upstream: null };

type Texts = Readonly<Record<string, string>>;

function attempt(texts: Texts, options: ImportOptions = NO_OPTIONS) {
  const [first = ''] = Object.keys(texts);
  const read = async (path: string) =>
    texts[path] === undefined ? err(`${path} does not exist.`) : ok(texts[path]);
  return importOpenApi(first, read, options);
}

async function imported(texts: Texts, options: ImportOptions = NO_OPTIONS): Promise<OpenApiImport> {
  const result = await attempt(texts, options);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

async function refusal(texts: Texts): Promise<readonly string[]> {
  const result = await attempt(texts);
  if (result.ok) throw new Error('it was imported');
  const { error } = result;
  return error.kind === 'document' ? error.sentences : error.diagnostics.map(({ message }) => message);
}

/** What `portunus check` says about a project of these files. */
function checked({ files }: OpenApiImport): string {
  const sources = Object.entries({ 'portunus.yaml': 'portunus: 1\n', ...files }).map(
    ([path, text]) => new SourceText(path, text),
  );
  return renderText(checkProject(sources, '/srv/gateway', 0).diagnostics, { colour: 'off' });
}

describe.each([
  ['petstore', PETSTORE],
  ['orders', ORDERS],
  ['nasty', NASTY],
  ['books', BOOKS],
])('%s', (name, texts) => {
  test('gives these files, and says what it leaves out', async () => {
    const { service, routeCount, files, notes } = await imported(texts);
    const shown = [
      `service ${service}, ${routeCount} routes`,
      ...Object.entries(files).map(([path, text]) => `== ${path}\n${text}`),
      '== notes',
      ...notes.map(({ what, where }) => `- ${what} ${where.join(', ')}`.trimEnd()),
    ];
    await expect(`${shown.join('\n')}\n`).toMatchFileSnapshot(`./__snapshots__/${name}.txt`);
  });

  test('passes the check', async () => {
    // No document knows when a deprecated route ends: that stays a warning.
    const codes = [...checked(await imported(texts)).matchAll(/\[(PT\d+)\]/g)].map(([, code]) => code);
    expect(codes.filter((code) => code !== 'PT2402')).toEqual([]);
  });
});

describe('the address of the service', () => {
  const relative = {
    'a.yaml': PETSTORE['petstore.yaml']!.replace('https://{region}.pets.example/v1', '/v1'),
  };

  test('is asked for when the document has none', async () => {
    expect(await refusal(relative)).toEqual([
      'The document names no server with a full address. Say where the service is: --upstream http://127.0.0.1:9001',
    ]);
  });

  test('can be said, and the path of the server stays', async () => {
    const { files } = await imported(relative, { service: 'pets', upstream: 'http://127.0.0.1:9001' });
    expect(files['routes/pets.yaml']).toContain('url: http://127.0.0.1:9001\n');
    expect(files['routes/pets.yaml']).toContain('path: /v1/pets/{pet_id}\n');
  });
});

describe('what cannot be imported is said in a sentence', () => {
  const small = (changes: object): Texts => ({
    'a.json': JSON.stringify({
      openapi: '3.1.0',
      info: { title: 'A', version: '1' },
      servers: [{ url: 'http://h' }],
      paths: {},
      ...changes,
    }),
  });
  const body = (schema: object) => ({
    paths: {
      '/a': {
        post: {
          requestBody: { required: true, content: { 'application/json': { schema } } },
          responses: { 200: { description: 'ok' } },
        },
      },
    },
  });

  test.each<[string, Texts, RegExp]>([
    ['no YAML', { 'a.yaml': 'a: [' }, /^Flow sequence/],
    ['no map', { 'a.yaml': '- 1\n' }, /^This is no OpenAPI document: it is not a map\.$/],
    ['another kind of file', { 'a.yaml': 'portunus: 1\n' }, /it has no field "openapi"/],
    ['Swagger', { 'a.yaml': 'swagger: "2.0"\n' }, /^This is Swagger 2\.0\./],
    ['a later version', small({ openapi: '4.0.0' }), /^OpenAPI "4\.0\.0" is not known/],
    ['a document without title', small({ info: { version: '1' } }), /title/],
    [
      'no operations',
      small({ paths: { '/a': {} } }),
      /^The document has no operation that can be a route\.$/,
    ],
    ['a scheme', small(body({ $ref: 'file:///etc/passwd' })), /leads out of the folder/],
    ['a way up', small(body({ $ref: 'x/../../secret.yaml' })), /leads out of the folder/],
    ['an encoded way up', small(body({ $ref: '%2e%2e/secret.yaml' })), /leads out of the folder/],
    ['a root path', small(body({ $ref: '/etc/passwd' })), /leads out of the folder/],
  ])('%s', async (_, texts, expected) => {
    expect((await refusal(texts))[0]).toMatch(expected);
  });

  test('what a document lacks is said with its place, once', async () => {
    const document = {
      openapi: '3.0.3',
      info: { title: 'Shop', version: 1 },
      paths: { '/a': { get: { operatonId: 'a', responses: { default: { description: 'x' } } } } },
    };
    expect(await refusal({ 'api.json': JSON.stringify(document) })).toEqual([
      'info → version: type must be string.',
      'paths → /a → get → operatonId: operatonId is not expected.',
    ]);
  });

  test('references that double each time', async () => {
    const schemas = Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [
        `S${at}`,
        { type: 'object', properties: { a: ref(`S${at + 1}`), b: ref(`S${at + 1}`) } },
      ]),
    );
    const texts = small({ ...body(ref('S0')), components: { schemas: { ...schemas, S60: {} } } });
    expect(await refusal(texts)).toEqual([
      'With its references written out, the document has more than 2000000 values.',
    ]);
  });

  function ref(name: string): object {
    return { $ref: `#/components/schemas/${name}` };
  }
});

describe('whatever the document', () => {
  test('YAML that is written is read back as the same value', () => {
    fc.assert(
      fc.property(yamlValue, (value) => {
        const { value: read, diagnostics } = readYaml(
          new SourceText('a.yaml', writeYaml(value)),
          LIMIT_DEFAULTS,
        );
        const codes = diagnostics.map(({ code }) => code);
        // Texts that no YAML file of a project may hold stay out of it by the check.
        if (codes.length === 0) expect(read).toEqual(withoutMinusZero(value));
        else expect(codes.every((code) => ['PT3401', 'PT3003', 'PT3005'].includes(code))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('an edited document is imported and passes the check, or is refused with a sentence', async () => {
    const originals = [PETSTORE, ORDERS, NASTY];
    let fine = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2),
        fc.array(
          fc.record({ at: fc.nat(9_999).map((part) => part / 10_000), length: fc.nat(3), text: PIECES }),
          {
            minLength: 1,
            maxLength: 2,
          },
        ),
        async (which, edits) => {
          const original = originals[which]!;
          const [path = '', text = ''] = Object.entries(original)[0]!;
          const edited = edits.reduce((before, { at, length, text: put }) => {
            const from = Math.floor(at * before.length);
            return before.slice(0, from) + put + before.slice(from + length);
          }, text);
          const result = await attempt({ ...original, [path]: edited });
          if (result.ok) {
            fine++;
            expect(checked(result.value)).not.toMatch(/error\[PT(?:0|12|30)/);
          } else if (result.error.kind === 'document') {
            for (const sentence of result.error.sentences) expect(sentence).not.toBe('');
          } else expect(result.error.diagnostics.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 300 },
    );
    expect(fine).toBeGreaterThan(10);
  });

  const PIECES = fc.oneof(
    fc.constantFrom(
      '',
      '\n',
      ' ',
      '{}',
      '[]',
      'null',
      'true',
      '$ref: "#"',
      '"#/paths"',
      'get',
      'x-a: 1',
      '*a',
      '&a',
      '~',
      '/',
    ),
    fc.string({ maxLength: 6 }),
  );
});

/** Both readers take -0 as 0. */
function withoutMinusZero(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMinusZero);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, withoutMinusZero(member)]),
    );
  }
  return typeof value === 'number' ? value + 0 : value;
}
