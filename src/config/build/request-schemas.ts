import { scanJson } from '../../base/json/scan.ts';
import type { SourceText } from '../../diagnostics/source.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import type { JsonSchema, RequestBodySchema } from '../../model/request-body.ts';
import type { RouteDocument } from '../documents.ts';
import { below, type Here, type Report, valueAt } from '../finding.ts';
import { isSchemaFile } from '../kinds.ts';
import { compileRequestSchema } from '../request-schema.ts';
import { clip, didYouMean } from '../show.ts';
import { withoutSecrets } from '../text/without-secrets.ts';
import { bodyMembers } from './body-members.ts';
import { resolvePath } from './paths.ts';

/** The schema files of a project, each read when a route first names it. */
export class SchemaFiles {
  readonly projectFolder: string;
  readonly #regexInstructionsMax: number;
  readonly #texts: ReadonlyMap<string, SourceText>;
  readonly #read = new Map<string, RequestBodySchema | string>();

  constructor(files: readonly SourceText[], projectFolder: string, regexInstructionsMax: number) {
    this.projectFolder = projectFolder;
    this.#regexInstructionsMax = regexInstructionsMax;
    this.#texts = new Map(
      files.filter(({ path }) => isSchemaFile(path)).map((file) => [file.path, withoutSecrets(file).source]),
    );
  }

  get paths(): readonly string[] {
    return [...this.#texts.keys()];
  }

  textOf(path: string): string | undefined {
    return this.#texts.get(path)?.text;
  }

  /** What is wrong with it as a sentence; null when there is no such file. */
  read(path: string): RequestBodySchema | string | null {
    const text = this.#texts.get(path);
    if (text === undefined) return null;
    const known = this.#read.get(path) ?? readSchema(path, text.text, this.#regexInstructionsMax);
    this.#read.set(path, known);
    return known;
  }
}

function readSchema(file: string, text: string, regexInstructionsMax: number): RequestBodySchema | string {
  const bytes = new TextEncoder().encode(text);
  const scanned = scanJson(bytes, { ...BOUNDS, bytesMax: bytes.length });
  if (!scanned.ok) {
    const line = new TextDecoder().decode(bytes.subarray(0, scanned.error.offset)).split('\n').length;
    return `Line ${line} of ${file} is not JSON: ${scanned.error.why}.`;
  }
  const schema = JSON.parse(text) as JsonSchema;
  try {
    compileRequestSchema(schema, regexInstructionsMax);
  } catch (error) {
    return `${file} is not a JSON Schema: ${(error as Error).message.replace('strict mode: ', '')}.`;
  }
  return { file, schema, members: bodyMembers(schema) };
}

const BOUNDS = {
  depthMax: 64,
  nodesMax: 200_000,
  membersMax: 10_000,
  stringBytesMax: 65_536,
  numberBytesMax: 100,
} as const;

interface SchemaContext {
  readonly schemas: SchemaFiles;
  readonly report: Report;
}

/** What a route says of its bodies; null where it says nothing, or something wrong was reported. */
export function buildRequestSchema(
  { request, match }: RouteDocument,
  route: Here,
  { schemas, report }: SchemaContext,
): RequestBodySchema | null {
  if (request.schema === undefined) return null;
  checkMethods(match.methods ?? [], route, report);
  const here = below(route, 'request', 'schema');
  const absolute = resolvePath(request.schema, here, schemas.projectFolder, report);
  if (absolute === null) return null;
  const path = absolute.slice(schemas.projectFolder.replace(/\/+$/, '').length + 1);
  const found = schemas.read(path);
  if (found === null) {
    const message = `There is no schema file "${clip(path)}".`;
    const help = didYouMean(
      nearest(path, schemas.paths),
      'Schemas end with .schema.json and stand in routes/ or schemas/.',
    );
    report({ code: 'PT3305', message, target: valueAt(here), help });
    return null;
  }
  if (typeof found !== 'string') return found;
  const help = 'Correct the file; references may lead only to places within it.';
  report({ code: 'PT3306', message: found, target: valueAt(here), help });
  return null;
}

function checkMethods(methods: readonly string[], route: Here, report: Report): void {
  const without = methods.filter((method) => !WITH_BODY.includes(method));
  if (methods.length > 0 && without.length === 0) return;
  const message =
    methods.length === 0
      ? 'A route with a request schema must name its methods.'
      : `Requests with ${without.join(' and ')} have no body that could fit a schema.`;
  report({
    code: 'PT3307',
    message,
    target: valueAt(below(route, 'request', 'schema')),
    help: 'Name POST, PUT or PATCH in match.methods, and give other methods a route of their own.',
  });
}

const WITH_BODY: readonly string[] = ['POST', 'PUT', 'PATCH'];
