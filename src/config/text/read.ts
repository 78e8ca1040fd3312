import type { LimitValues } from '../../base/limits.ts';
import { sameValue } from '../../base/same-value.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { SourceText, Span } from '../../diagnostics/source.ts';
import type { Place } from '../../model/world.ts';
import { tooLarge } from '../file-bounds.ts';
import { type DocumentPath, diagnosticAt, type Located, type Part } from '../finding.ts';
import { readCarefully, tooDeep } from './careful-reader.ts';
import { refusedCharacter } from './characters.ts';
import { type DefinitionPlaces, isNestingFailure, placeKey, readFast } from './fast-reader.ts';
import { type Locator, locatorOf } from './locator.ts';
import { withoutSecrets } from './without-secrets.ts';

export interface ReadYaml {
  readonly file: Located;
  /** Plain data; null for an empty file; undefined when the file cannot be read, which the diagnostics explain. */
  readonly value: unknown;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads one YAML file. js-yaml reads it, and when it is plain and right that is all. Otherwise the `yaml` package
 * reads it again: to explain what is wrong, or, where the file uses more than maps, lists and scalars, to make sure
 * that both understand the same. Secrets are masked first, so nothing that comes later can show them.
 */
export function readYaml(original: SourceText, limits: LimitValues): ReadYaml {
  const large = tooLarge(original, limits);
  if (large !== null) {
    return { file: new YamlFile(original, limits), value: undefined, diagnostics: [large] };
  }
  const { source, diagnostics } = withoutSecrets(original);
  const character = refusedCharacter(source);
  const read =
    character === null
      ? readSource(source, limits)
      : { file: new YamlFile(source, limits), value: undefined, diagnostics: [character] };
  return { ...read, diagnostics: [...diagnostics, ...read.diagnostics] };
}

/** Texts longer than this get js-yaml's one error: a flood of errors costs the other reader 10 µs each (measured). */
const EXPLAINED_UNITS_MAX = 512 * 1024;

function readSource(source: SourceText, limits: LimitValues): ReadYaml {
  const fast = readFast(source.text, limits.nestingDepth);
  if (fast.kind === 'read' && fast.style === 'plain') {
    return { file: new YamlFile(source, limits, fast.places), value: fast.value, diagnostics: [] };
  }
  const file = new YamlFile(source, limits);
  if (fast.kind === 'failed') {
    if (isNestingFailure(fast.reason)) {
      return { file, value: undefined, diagnostics: [tooDeep(source, fast.offset, limits.nestingDepth)] };
    }
    const first = firstError(source, fast.reason, fast.offset);
    if (source.text.length > EXPLAINED_UNITS_MAX) return { file, value: undefined, diagnostics: [first] };
    const { value, diagnostics } = readCarefully(source, limits);
    if (diagnostics.length > 0) return { file, value, diagnostics };
    return { file, value: undefined, diagnostics: [first] };
  }
  const { value, diagnostics } = readCarefully(source, limits);
  if (diagnostics.length > 0) return { file, value, diagnostics };
  if (sameValue(fast.value, value)) return { file, value: fast.value, diagnostics };
  return { file, value: undefined, diagnostics: [understoodTwice(source)] };
}

function firstError(source: SourceText, reason: string, offset: number): Diagnostic {
  const span = { source, start: offset, end: offset + 1 };
  if (reason.startsWith('duplicated mapping key')) {
    const help = 'Keep one of them: YAML does not say which one would count.';
    return diagnosticAt(span, 'PT3002', 'A name is written twice in one map.', help);
  }
  const message = `${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}.`;
  return diagnosticAt(span, 'PT3001', message, 'Correct the text here, or write it more plainly.');
}

function understoodTwice(source: SourceText): Diagnostic {
  const message = 'Two YAML readers understand this file differently.';
  const help = 'Write it more plainly: without anchors, aliases and explicit keys.';
  return diagnosticAt({ source, start: 0, end: 0 }, 'PT3011', message, help);
}

class YamlFile implements Located {
  readonly source: SourceText;
  readonly #nestingDepth: number;
  readonly #places: DefinitionPlaces | undefined;
  #locator: Locator | undefined;

  constructor(source: SourceText, limits: LimitValues, places?: DefinitionPlaces) {
    this.source = source;
    this.#nestingDepth = limits.nestingDepth;
    this.#places = places;
  }

  locate(path: DocumentPath, part: Part): Span {
    this.#locator ??= locatorOf(this.source, this.#nestingDepth);
    return this.#locator.locate(path, part);
  }

  placeOf(path: DocumentPath): Place {
    const known = this.#places?.get(placeKey(path));
    if (known !== undefined) return `${this.source.path}:${known}`;
    const { line, column } = this.source.position(this.locate(path, 'key').start);
    return `${this.source.path}:${line}:${column}`;
  }
}
