import { type Document, isAlias, isMap, isSeq, type ParsedNode } from 'yaml';
import type { SourceText, Span } from '../../diagnostics/source.ts';
import type { DocumentPath, Part } from '../finding.ts';
import { composeText } from './document.ts';

/** Finds where the value at a path stands in a text. */
export interface Locator {
  locate(path: DocumentPath, part: Part): Span;
}

interface Entry {
  readonly key: ParsedNode;
  readonly value: ParsedNode | null;
}

export function locatorOf(source: SourceText, nestingDepth: number): Locator {
  const { document } = composeText(source.text, nestingDepth);
  const entries = new WeakMap<object, Map<string, Entry>>();
  return {
    locate: (path, part) => {
      const step = document === null ? NOWHERE : follow(document, path, entries);
      const exact = step.followed === path.length;
      const node = (part === 'key' || !exact ? step.key : step.value) ?? step.key ?? step.value;
      if (node === null) return { source, start: 0, end: 0 };
      return { source, start: node.range[0], end: node.range[1] };
    },
  };
}

interface Step {
  readonly key: ParsedNode | null;
  readonly value: ParsedNode | null;
  readonly followed: number;
}
const NOWHERE: Step = { key: null, value: null, followed: 0 };

function follow(
  document: Document.Parsed<ParsedNode>,
  path: DocumentPath,
  entries: WeakMap<object, Map<string, Entry>>,
): Step {
  let step: Step = { key: null, value: document.contents, followed: 0 };
  for (const name of path) {
    const next = child(resolved(document, step.value), name, entries);
    if (next === null) return step;
    step = { ...next, followed: step.followed + 1 };
  }
  return step;
}

function child(
  node: ParsedNode | null,
  name: string | number,
  entries: WeakMap<object, Map<string, Entry>>,
): Entry | { readonly key: null; readonly value: ParsedNode } | null {
  if (isSeq(node)) {
    const value = node.items[Number(name)] as ParsedNode | undefined;
    return value === undefined ? null : { key: null, value };
  }
  if (!isMap(node)) return null;
  let index = entries.get(node);
  if (index === undefined) {
    index = new Map();
    for (const pair of node.items as readonly Entry[]) {
      const key = String((pair.key as { readonly value?: unknown }).value);
      if (!index.has(key)) index.set(key, pair);
    }
    entries.set(node, index);
  }
  return index.get(String(name)) ?? null;
}

function resolved(document: Document.Parsed<ParsedNode>, node: ParsedNode | null): ParsedNode | null {
  return isAlias(node) ? ((node.resolve(document) as ParsedNode | undefined) ?? null) : node;
}
