/**
 * The routes of one host in four arrays of numbers. As objects and maps, the way through 100,000 routes touched some
 * twenty pages of memory per request, and to the collector they were a million objects; here it is two per segment
 * and none. A segment of the path is hashed and compared where it stands, without a text made of it.
 */
import type { Candidate, FieldCondition, PathNode, RouteTree } from './route-tree.ts';

export const NOTHING = -1;
export const TREE_ROOT = 0;
export const WHOLE_PATHS_ROOT = 1;

export const NODE_CELLS = { one: 0, rest: 1, here: 2, literals: 3, count: 4 } as const;
/** `last`: 1 for the last candidate of its list. */
export const CANDIDATE_CELLS = { route: 0, methods: 1, conditions: 2, last: 3, count: 4 } as const;
/** `parent`: one more than the number of the node, 0 for an empty cell. */
const EDGE_CELLS = { parent: 0, child: 1, textStart: 2, textLength: 3, count: 4 } as const;

/** Packed between two yields: far less than a slice of the thread's time. */
const EDGES_PER_STEP = 64;

interface NumberedNode {
  readonly node: PathNode;
  readonly number: number;
}

export class PackedRoutes {
  readonly nodes: Int32Array;
  readonly candidates: Int32Array;
  /** Few, shared by all candidates of equal methods. */
  readonly methodSets: ReadonlySet<string>[] = [];
  readonly conditionLists: (readonly FieldCondition[])[] = [];
  /** Open addressing, at most half full. */
  readonly #edges: Int32Array;
  readonly #edgeMask: number;
  readonly #text: Uint16Array;
  readonly #methodSetNumbers = new Map<string, number>();
  #nodeCount = 0;
  #candidateCount = 0;
  #textEnd = 0;

  private constructor(tree: RouteTree) {
    this.nodes = new Int32Array(tree.nodes * NODE_CELLS.count);
    this.candidates = new Int32Array(tree.candidates * CANDIDATE_CELLS.count);
    const slots = 2 ** Math.ceil(Math.log2(2 * tree.edges + 1));
    this.#edges = new Int32Array(slots * EDGE_CELLS.count);
    this.#edgeMask = slots - 1;
    this.#text = new Uint16Array(tree.textUnits);
  }

  /** Packs in steps, so that a thread can serve requests between them. */
  static *of(tree: RouteTree): Generator<void, PackedRoutes> {
    const packed = new PackedRoutes(tree);
    // Both roots first: their numbers are constants.
    const waiting: NumberedNode[] = [
      { node: tree.root, number: TREE_ROOT },
      { node: tree.wholePaths, number: WHOLE_PATHS_ROOT },
    ];
    packed.#nodeCount = waiting.length;
    let steps = 0;
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      packed.#addNode(next, waiting);
      for (const [text, child] of next.node.literals ?? []) {
        packed.#addEdge(next.number, text, packed.#number(child, waiting));
        if (++steps % EDGES_PER_STEP === 0) yield;
      }
    }
    return packed;
  }

  /** The child of a node for the segment of `path` from `from` to before `end`, or NOTHING. */
  child(node: number, path: string, from: number, end: number): number {
    const edges = this.#edges;
    let slot = hashSegment(node, path, from, end) & this.#edgeMask;
    for (;;) {
      const at = slot * EDGE_CELLS.count;
      const parent = edges[at + EDGE_CELLS.parent]!;
      if (parent === 0) return NOTHING;
      if (parent === node + 1 && this.#isText(at, path, from, end)) return edges[at + EDGE_CELLS.child]!;
      slot = (slot + 1) & this.#edgeMask;
    }
  }

  #isText(edge: number, path: string, from: number, end: number): boolean {
    const start = this.#edges[edge + EDGE_CELLS.textStart]!;
    const length = this.#edges[edge + EDGE_CELLS.textLength]!;
    if (length !== end - from) return false;
    const text = this.#text;
    for (let index = 0; index < length; index++)
      if (text[start + index] !== path.charCodeAt(from + index)) return false;
    return true;
  }

  #addNode({ node, number }: NumberedNode, waiting: NumberedNode[]): void {
    const at = number * NODE_CELLS.count;
    this.nodes[at + NODE_CELLS.one] = node.one === null ? NOTHING : this.#number(node.one, waiting);
    this.nodes[at + NODE_CELLS.rest] = this.#addCandidates(node.rest);
    this.nodes[at + NODE_CELLS.here] = this.#addCandidates(node.here);
    this.nodes[at + NODE_CELLS.literals] = node.literals === null ? 0 : 1;
  }

  #number(node: PathNode, waiting: NumberedNode[]): number {
    const number = this.#nodeCount++;
    waiting.push({ node, number });
    return number;
  }

  #addEdge(parent: number, text: string, child: number): void {
    const edges = this.#edges;
    let slot = hashSegment(parent, text, 0, text.length) & this.#edgeMask;
    while (edges[slot * EDGE_CELLS.count + EDGE_CELLS.parent] !== 0) slot = (slot + 1) & this.#edgeMask;
    const at = slot * EDGE_CELLS.count;
    edges[at + EDGE_CELLS.parent] = parent + 1;
    edges[at + EDGE_CELLS.child] = child;
    edges[at + EDGE_CELLS.textStart] = this.#textEnd;
    edges[at + EDGE_CELLS.textLength] = text.length;
    for (let index = 0; index < text.length; index++) this.#text[this.#textEnd++] = text.charCodeAt(index);
  }

  /** The number of the list's first candidate, or NOTHING. */
  #addCandidates(list: readonly Candidate[] | null): number {
    if (list === null) return NOTHING;
    const first = this.#candidateCount;
    for (const [index, { route, methods, conditions }] of list.entries()) {
      const at = this.#candidateCount++ * CANDIDATE_CELLS.count;
      this.candidates[at + CANDIDATE_CELLS.route] = route;
      this.candidates[at + CANDIDATE_CELLS.methods] = methods === null ? NOTHING : this.#methodSet(methods);
      this.candidates[at + CANDIDATE_CELLS.conditions] =
        conditions.length === 0 ? NOTHING : this.conditionLists.push(conditions) - 1;
      this.candidates[at + CANDIDATE_CELLS.last] = index === list.length - 1 ? 1 : 0;
    }
    return first;
  }

  #methodSet(methods: ReadonlySet<string>): number {
    const key = [...methods].sort().join(' ');
    const known = this.#methodSetNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.methodSets.push(methods) - 1;
    this.#methodSetNumbers.set(key, number);
    return number;
  }
}

/** FNV-1a over the units, begun with the node. Clients choose what is looked up, never what lies in the table. */
function hashSegment(node: number, text: string, from: number, end: number): number {
  let hash = Math.imul(node + 1, 0x9e3779b1);
  for (let index = from; index < end; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash ^ (hash >>> 15);
}
