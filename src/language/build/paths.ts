import type { Span } from '../../diagnostics/source.ts';
import { inBrackets, isBelow, isBodyPath, memberPath } from '../../model/member-path.ts';
import type { PathNode, TextNode } from '../ast.ts';

/** What follows the first word of a path: `.plan`, as its word, or a text in brackets. */
export type PathStep = string | TextNode;

/**
 * Members of a body have one path however they are spelled. Of other facts the text in brackets at the end is a parameter; one
 * that stands elsewhere names nothing, and the checker says so.
 */
export function pathNode(head: string, steps: readonly PathStep[], span: Span): PathNode {
  let path = head;
  let parameter: TextNode | null = null;
  for (const [index, step] of steps.entries()) {
    if (typeof step === 'string') path += `.${step}`;
    else if (isBodyPath(path) || path === ELEMENT || isBelow(path, ELEMENT))
      path = memberPath(path, step.value);
    else if (index === steps.length - 1) parameter = step;
    else path += inBrackets(step.value);
  }
  return { kind: 'path', path, parameter, span };
}

const ELEMENT = 'it';
