/** The routes of one host as a tree of path segments, while it is built; `packed-routes.ts` makes of it what requests are matched with. */
import type { PatternSegment } from './route-pattern.ts';

export interface Candidate {
  readonly route: number;
  /** Null for every method. */
  readonly methods: ReadonlySet<string> | null;
  readonly conditions: readonly FieldCondition[];
}

export interface FieldCondition {
  readonly name: string;
  /** Null: any. */
  readonly value: string | null;
}

export interface PathNode {
  literals: Map<string, PathNode> | null;
  one: PathNode | null;
  rest: Candidate[] | null;
  here: Candidate[] | null;
}

export class RouteTree {
  readonly root: PathNode = createNode();
  /** Patterns without a variable, by their whole path: found in one step instead of one per segment. */
  readonly wholePaths: PathNode = createNode();
  /** What the tree consists of, so that memory for it can be reserved at once. */
  nodes = 2;
  edges = 0;
  candidates = 0;
  textUnits = 0;

  add(literal: string | null, segments: readonly PatternSegment[], candidate: Candidate): void {
    this.candidates++;
    if (literal !== null) {
      const node = this.#literalChild(this.wholePaths, literal);
      node.here = insertByPrecedence(node.here ?? [], candidate);
      return;
    }
    let node = this.root;
    for (const segment of segments) {
      if (segment.kind === 'rest') {
        node.rest = insertByPrecedence(node.rest ?? [], candidate);
        return;
      }
      node = segment.kind === 'one' ? this.#oneChild(node) : this.#literalChild(node, segment.text);
    }
    node.here = insertByPrecedence(node.here ?? [], candidate);
  }

  #literalChild(node: PathNode, text: string): PathNode {
    node.literals ??= new Map();
    let child = node.literals.get(text);
    if (child === undefined) {
      child = createNode();
      node.literals.set(text, child);
      this.nodes++;
      this.edges++;
      this.textUnits += text.length;
    }
    return child;
  }

  #oneChild(node: PathNode): PathNode {
    if (node.one === null) {
      node.one = createNode();
      this.nodes++;
    }
    return node.one;
  }
}

function createNode(): PathNode {
  return { literals: null, one: null, rest: null, here: null };
}

function insertByPrecedence(candidates: Candidate[], candidate: Candidate): Candidate[] {
  let at = candidates.length;
  while (at > 0 && precedes(candidate, candidates[at - 1]!)) at--;
  candidates.splice(at, 0, candidate);
  return candidates;
}

function precedes(left: Candidate, right: Candidate): boolean {
  if (left.conditions.length !== right.conditions.length)
    return left.conditions.length > right.conditions.length;
  return left.methods !== null && right.methods === null;
}
