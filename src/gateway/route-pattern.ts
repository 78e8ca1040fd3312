/** Path patterns of routes: `/v1/orders/{id}`, `/files/{path...}`. */
import { normalisePath } from './target.ts';

export interface RoutePattern {
  readonly segments: readonly PatternSegment[];
  /** The whole pattern as a normal path, when no segment is variable; else null. */
  readonly literal: string | null;
  readonly parameterNames: readonly string[];
}

export type PatternSegment =
  | { readonly kind: 'literal'; readonly text: string }
  /** Exactly one segment that is not empty. */
  | { readonly kind: 'one'; readonly name: string }
  /** All that follows the slash, also nothing. */
  | { readonly kind: 'rest'; readonly name: string };

/**
 * Parses a pattern that configuration checks have accepted; literal segments get the same normal form as request paths.
 * A fault is returned as text.
 */
export function parsePattern(pattern: string): RoutePattern | { readonly fault: string } {
  if (!pattern.startsWith('/')) return { fault: `the path pattern "${pattern}" does not begin with "/"` };
  const texts = pattern.slice(1).split('/');
  const segments: PatternSegment[] = [];
  for (const [index, text] of texts.entries()) {
    const segment = parseSegment(text);
    if ('fault' in segment) return { fault: `${segment.fault} in the path pattern "${pattern}"` };
    if (segment.kind === 'rest' && index !== texts.length - 1)
      return { fault: `"{${segment.name}...}" must be last in the path pattern "${pattern}"` };
    segments.push(segment);
  }
  const literal = segments.every((segment) => segment.kind === 'literal')
    ? `/${segments.map((segment) => segment.text).join('/')}`
    : null;
  const parameterNames = segments.flatMap((segment) => (segment.kind === 'literal' ? [] : [segment.name]));
  return { segments, literal, parameterNames };
}

function parseSegment(text: string): PatternSegment | { readonly fault: string } {
  if (text.startsWith('{') && text.endsWith('}')) {
    const inner = text.slice(1, -1);
    if (inner.endsWith('...')) return { kind: 'rest', name: inner.slice(0, -3) };
    return { kind: 'one', name: inner };
  }
  const normal = normalisePath(`/${escapeNonAscii(text)}`, 'keep');
  // A dot segment leaves no segment of its own.
  if (typeof normal !== 'string' || (normal === '/' && text !== ''))
    return { fault: `the segment "${text}" is no part of a normal path` };
  return { kind: 'literal', text: normal.slice(1) };
}

/** Authors may write `/café`; requests carry its UTF-8 bytes as escapes. */
function escapeNonAscii(text: string): string {
  let out = '';
  for (const character of text) out += character > '\x7f' ? encodeURIComponent(character) : character;
  return out;
}
