/** Answers of the admin API, held against what its OpenAPI document says of them. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Omit<Operation, 'method' | 'path'>>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly security: readonly object[];
  readonly requestBody?: Described;
  readonly responses: Readonly<Record<string, Described>>;
}

interface Described {
  readonly content?: Readonly<Record<string, { readonly schema: object | boolean }>>;
}

export function operationsOf(document: Document): readonly Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      path,
      method: method.toUpperCase(),
    })),
  );
}

/** Fails where an answer is not described, or is another than described. Gives its JSON, or its text. */
export async function checkAnswer(
  document: Document,
  operation: Operation,
  answer: Response,
): Promise<unknown> {
  const { operationId } = operation;
  const described = operation.responses[String(answer.status)];
  const text = await answer.text();
  expect(described, `${operationId} answers ${answer.status}, which is not described: ${text}`).toBeDefined();
  if (described!.content === undefined) {
    expect(text, operationId).toBe('');
    return null;
  }
  const type = (answer.headers.get('content-type') ?? '').split(';')[0]!;
  const content = described!.content[type];
  expect(content, `${operationId} answers ${answer.status} as ${type}, which is not described`).toBeDefined();
  if (!type.endsWith('json')) return text;
  const value: unknown = JSON.parse(text);
  const check = checkOf(document, content!.schema);
  expect(check(value) ? [] : check.errors, `${operationId} ${answer.status}: ${text.slice(0, 500)}`).toEqual(
    [],
  );
  return value;
}

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });

function checkOf(document: Document, schema: object | boolean): ValidateFunction {
  const { $ref = '' } = schema as { readonly $ref?: string };
  return ajv.compile($ref === '' ? schema : document.components.schemas[$ref.split('/').at(-1)!]!);
}
