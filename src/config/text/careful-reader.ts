import { isAlias, isMap, isScalar, type ParsedNode, type YAMLParseError } from 'yaml';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { SourceText, Span } from '../../diagnostics/source.ts';
import { diagnosticAt } from '../finding.ts';
import { type ComposedText, composeText } from './document.ts';
import { YAML_ERRORS } from './yaml-errors.ts';

export interface CarefulReading {
  /** Undefined when the text cannot be read at all; a value may be there although there are diagnostics. */
  readonly value: unknown;
  readonly diagnostics: readonly Diagnostic[];
}

export interface CarefulLimits {
  readonly yamlAliases: number;
  readonly nestingDepth: number;
  /** Values that a file may hold once its aliases are written out: as many as a file of the largest size could. */
  readonly configurationFileBytes: number;
}

/** Reads a text with the `yaml` package and says everything that is wrong with it as YAML. */
export function readCarefully(source: SourceText, limits: CarefulLimits): CarefulReading {
  const composed = composeText(source.text, limits.nestingDepth);
  if (composed.document === null) {
    return { value: undefined, diagnostics: [tooDeep(source, composed.tooDeepAt!, limits.nestingDepth)] };
  }
  const walk = new Walk(source, limits);
  const value = walk.value(composed.document.contents, 1);
  const syntax = [...structureDiagnostics(source, composed), ...syntaxDiagnostics(source, composed.errors)];
  const readable = syntax.length === 0 && !walk.stopped;
  return { value: readable ? value : undefined, diagnostics: [...syntax, ...walk.diagnostics] };
}

export function tooDeep(source: SourceText, at: number, levels: number): Diagnostic {
  const help = 'Write it flatter; no field of Portunus needs so many levels.';
  return diagnosticAt(
    { source, start: at, end: at + 1 },
    'PT3005',
    `The file is nested deeper than ${levels} levels.`,
    help,
  );
}

function structureDiagnostics(source: SourceText, composed: ComposedText): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const mark = (at: number, length: number): Span => ({ source, start: at, end: at + length });
  if (composed.directiveAt !== null) {
    const message = 'Directives (lines beginning with %) are not supported.';
    found.push(diagnosticAt(mark(composed.directiveAt, 1), 'PT3006', message, 'Remove the line.'));
  }
  if (composed.secondDocumentAt !== null) {
    const at = Math.max(0, source.text.lastIndexOf('---', composed.secondDocumentAt));
    const help = 'Put each document into a file of its own.';
    found.push(diagnosticAt(mark(at, 3), 'PT3007', 'The file holds more than one YAML document.', help));
  }
  return found;
}

/** The package often says the same of neighbouring characters; one finding a line is enough to put it right. */
function syntaxDiagnostics(source: SourceText, errors: readonly YAMLParseError[]): readonly Diagnostic[] {
  const seenLines = new Set<number>();
  const found: Diagnostic[] = [];
  for (const { code, message, pos } of errors) {
    const { line } = source.position(pos[0]);
    if (code === 'TAG_RESOLVE_FAILED' || code === 'MULTIPLE_DOCS' || seenLines.has(line)) continue;
    seenLines.add(line);
    const { code: ours, help } = YAML_ERRORS[code];
    const span = { source, start: pos[0], end: Math.max(pos[1], pos[0] + 1) };
    found.push(diagnosticAt(span, ours, `${cut(message.replace(/\.$/, ''))}.`, help));
  }
  return found;
}

/** Turns nodes into plain values, alias by alias, and refuses what YAML allows and we do not. */
class Walk {
  readonly diagnostics: Diagnostic[] = [];
  /** Set when the value is not complete because a bound was reached. */
  stopped = false;
  readonly #source: SourceText;
  readonly #limits: CarefulLimits;
  readonly #anchors = new Map<string, { readonly value: unknown; readonly size: number } | 'open'>();
  #aliases = 0;
  #size = 0;

  constructor(source: SourceText, limits: CarefulLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  value(node: ParsedNode | null, depth: number): unknown {
    if (node === null || this.stopped) return null;
    if (depth > this.#limits.nestingDepth) {
      this.#stop(tooDeep(this.#source, node.range[0], this.#limits.nestingDepth));
      return null;
    }
    this.#count(node, 1);
    if (isAlias(node)) return this.#alias(node);
    if (node.tag !== undefined) this.#tag(node);
    const { anchor } = node;
    const sizeBefore = this.#size;
    if (anchor !== undefined) this.#anchors.set(anchor, 'open');
    const value = this.#content(node, depth);
    if (anchor !== undefined) this.#anchors.set(anchor, { value, size: this.#size - sizeBefore });
    return value;
  }

  #content(node: Exclude<ParsedNode, { readonly type: 'ALIAS' }>, depth: number): unknown {
    if (isScalar(node)) return node.value;
    if (isMap(node)) return this.#map(node as MapNode, depth);
    return (node as SequenceNode).items.map((item) => this.value(item, depth + 1));
  }

  #map(node: MapNode, depth: number): object {
    const map: Record<string, unknown> = {};
    const first = new Map<string, ParsedNode>();
    for (const pair of node.items) {
      const key = this.#key(pair.key, depth);
      const value = this.value(pair.value, depth + 1);
      if (this.stopped) break;
      if (key === null) continue;
      const earlier = first.get(key);
      if (earlier !== undefined) {
        this.#duplicate(key, pair.key, earlier);
        continue;
      }
      first.set(key, pair.key);
      // Not an assignment: the name may be __proto__.
      Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
    }
    return map;
  }

  #key(node: ParsedNode, depth: number): string | null {
    const key = this.value(node, depth + 1);
    if (typeof key !== 'object' || key === null) return String(key);
    const message = 'The name of a map entry must be a text, not a list or map.';
    this.#add('PT3010', node, message, 'Write `name: value`. Put a text that begins with [ or { in quotes.');
    return null;
  }

  #alias(node: ParsedNode & { readonly source: string }): unknown {
    this.#aliases++;
    if (this.#aliases > this.#limits.yamlAliases) {
      const message = `The file has more than ${this.#limits.yamlAliases} aliases.`;
      this.#stop(this.#at('PT3008', node, message, 'Write the values out, or raise limits.yamlAliases.'));
      return null;
    }
    const anchor = this.#anchors.get(node.source);
    if (anchor === undefined || anchor === 'open') {
      const message =
        anchor === undefined
          ? `No anchor &${node.source} stands before this alias.`
          : 'The value contains itself.';
      this.#stop(this.#at('PT3008', node, message, 'Write the value out.'));
      return null;
    }
    this.#count(node, anchor.size);
    return anchor.value;
  }

  #count(node: ParsedNode, size: number): void {
    this.#size += size;
    if (this.#size <= this.#limits.configurationFileBytes || this.stopped) return;
    const message = `Written out, the aliases of this file would make more than ${this.#limits.configurationFileBytes} values.`;
    this.#stop(this.#at('PT3008', node, message, 'Write the values out; aliases of aliases multiply.'));
  }

  #tag(node: ParsedNode): void {
    const start = this.#source.text.lastIndexOf('!', node.range[0]);
    const text = this.#source.text;
    let from = start;
    while (from > 0 && !/[\s[{,]/.test(text[from - 1]!)) from--;
    const to = from + text.slice(from).search(/[\s,\]}]|$/);
    const message = `Tags such as ${text.slice(from, Math.min(to, from + 40))} are not supported.`;
    const help = 'Remove the tag. A value in quotes is a text; fields know their types.';
    this.diagnostics.push(
      diagnosticAt({ source: this.#source, start: from, end: to }, 'PT3006', message, help),
    );
  }

  #duplicate(key: string, node: ParsedNode, earlier: ParsedNode): void {
    const span = this.#span(node);
    const related = [{ span: this.#span(earlier), message: 'first written here' }];
    const message = `"${key}" is written twice in one map.`;
    const help = 'Keep one of them: YAML does not say which one would count.';
    this.diagnostics.push(diagnosticAt(span, 'PT3002', message, help, related));
  }

  #add(code: 'PT3010', node: ParsedNode, message: string, help: string): void {
    this.diagnostics.push(this.#at(code, node, message, help));
  }

  #stop(diagnostic: Diagnostic): void {
    this.stopped = true;
    this.diagnostics.push(diagnostic);
  }

  #at(code: 'PT3008' | 'PT3010', node: ParsedNode, message: string, help: string): Diagnostic {
    return diagnosticAt(this.#span(node), code, message, help);
  }

  #span(node: ParsedNode): Span {
    return { source: this.#source, start: node.range[0], end: node.range[1] };
  }
}

interface MapNode {
  readonly items: readonly { readonly key: ParsedNode; readonly value: ParsedNode | null }[];
}
interface SequenceNode {
  readonly items: readonly ParsedNode[];
}

/** Some messages of the reader quote what follows, up to the end of the file. The excerpt shows it anyway. */
function cut(message: string): string {
  return message.length <= MESSAGE_UNITS_MAX ? message : `${message.slice(0, MESSAGE_UNITS_MAX)}…`;
}

const MESSAGE_UNITS_MAX = 160;
