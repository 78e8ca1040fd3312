import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { readYaml } from '../../config/text/read.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { SourceText } from '../../diagnostics/source.ts';
import { faultsInWords } from './faults.ts';
import {
  expandedSize,
  isObject,
  type Json,
  type JsonObject,
  joinFiles,
  reasonsUnread,
} from './references.ts';
import { withStandIns } from './stand-ins.ts';

/** Why a document can't be used: findings in its text, or sentences. */
export type DocumentProblem =
  | { readonly kind: 'text'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: 'document'; readonly sentences: readonly string[] };

/** Text of a file beside the document; errors are sentences. */
export type ReadText = (path: string) => Promise<Result<string, string>>;

const EXPANDED_VALUES_MAX = 2_000_000;

/**
 * Reads an OpenAPI document (3.0 or 3.1, YAML or JSON) and the files it refers to, checks it against the schema of its
 * version, and gives it as version 3.1. No network: references that can't be followed stay, marked (`whyUnread`).
 */
export async function readOpenApi(
  path: string,
  readText: ReadText,
): Promise<Result<JsonObject, DocumentProblem>> {
  const text = await readText(path);
  if (!text.ok) return notUsable(text.error);
  const root = parseText(path, text.value);
  if (!root.ok) return err({ kind: 'text', diagnostics: root.error });
  const version = isObject(root.value) ? root.value.openapi : undefined;
  if (!isObject(root.value) || typeof version !== 'string' || !/^3\.[01](?:\.|$)/.test(version)) {
    return notUsable(wrongVersion(root.value));
  }
  const joined = await joinFiles(root.value, path, async (part) => {
    const partText = await readText(part);
    if (!partText.ok) return partText;
    const value = parseText(part, partText.value);
    return value.ok ? value : err(`${part} is not readable: ${value.error[0]?.message ?? ''}`);
  });
  if (!joined.ok) return notUsable(joined.error);
  if (expandedSize(joined.value) > EXPANDED_VALUES_MAX) {
    return notUsable(
      `With its references written out, the document has more than ${EXPANDED_VALUES_MAX} values.`,
    );
  }
  const faults = await validate(withStandIns(joined.value));
  if (faults.length > 0) {
    // What was not read can be the reason of a fault.
    const unread = reasonsUnread(joined.value).map((why) => `Not read, because ${why}`);
    return err({ kind: 'document', sentences: [...faults, ...unread] });
  }
  return ok(version.startsWith('3.0') ? await upgraded(joined.value) : joined.value);
}

function notUsable(sentence: string): Result<never, DocumentProblem> {
  return err({ kind: 'document', sentences: [sentence] });
}

/** Documents hold examples of keys; they are masked, not refused. */
function parseText(path: string, text: string): Result<Json, readonly Diagnostic[]> {
  const { value, diagnostics } = readYaml(new SourceText(path, text), LIMIT_DEFAULTS);
  const errors = diagnostics.filter(({ code }) => code !== 'PT3401');
  return errors.length > 0 || value === undefined ? err(errors) : ok(value as Json);
}

function wrongVersion(root: Json): string {
  if (!isObject(root)) return 'This is no OpenAPI document: it is not a map.';
  if (root.swagger !== undefined) return 'This is Swagger 2.0. Convert it to OpenAPI 3 first.';
  if (root.openapi === undefined) return 'This is no OpenAPI document: it has no field "openapi".';
  return `OpenAPI ${JSON.stringify(root.openapi)} is not known; versions 3.0 and 3.1 are.`;
}

/** The validator writes into what it is given. */
async function validate(document: JsonObject): Promise<readonly string[]> {
  const parser = await import('@readme/openapi-parser');
  try {
    const result = await parser.validate(structuredClone(document) as never, {
      resolve: { external: false, file: false },
      validate: { errors: { colorize: false } },
    });
    return result.valid
      ? []
      : faultsInWords(
          document,
          result.errors.map(({ message }) => message),
        );
  } catch (error) {
    return faultsInWords(document, [error instanceof Error ? error.message : String(error)]);
  }
}

async function upgraded(document: JsonObject): Promise<JsonObject> {
  const { upgradeFromThreeToThreeOne } = await import('@scalar/openapi-upgrader/3.0-to-3.1');
  return upgradeFromThreeToThreeOne(structuredClone(document)) as JsonObject;
}
