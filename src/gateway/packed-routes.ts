/**
 * The routes of a version in arrays of numbers, which the control thread fills and all data threads read. As objects and
 * maps, the way through 100,000 routes touched some twenty pages of memory per request, to the collector of each thread
 * they were a million objects, and each thread made them anew with each version; here it is two pages per segment and
 * nothing to make. A segment of the path is hashed and compared where it stands, without a text made of it.
 */
import { type PackedTexts, packTexts, ReadTexts } from './packed-texts.ts';
import type { Candidate, FieldCondition, PathNode, RouteTree } from './route-tree.ts';

export interface PackedRoutes {
  /** How many hosts have routes of their own, "any host" being one of them. */
  readonly hostCount: number;
  readonly nodes: Int32Array;
  readonly candidates: Int32Array;
  /** Open addressing, at most half full. */
  readonly edges: Int32Array;
  readonly text: Uint16Array;
  /** Few, shared by all candidates of equal methods or conditions. */
  readonly methodSets: PackedTexts;
  readonly conditionLists: PackedTexts;
}

export const NOTHING = -1;
/** Its children are the trees of the hosts. */
export const HOSTS = 0;
/** The patterns of a host without a variable hang by their whole path on the node behind the root of its tree. */
export const WHOLE_PATHS_AFTER_ROOT = 1;

export const NODE_CELLS = { one: 0, rest: 1, here: 2, literals: 3, count: 4 } as const;
/** `last`: 1 for the last candidate of its list. */
export const CANDIDATE_CELLS = { route: 0, methods: 1, conditions: 2, last: 3, count: 4 } as const;
/** `parent`: one more than the number of the node, 0 for an empty cell. */
const EDGE_CELLS = { parent: 0, child: 1, textStart: 2, textLength: 3, count: 4 } as const;

export function packRoutes(hosts: ReadonlyMap<string, RouteTree>): PackedRoutes {
  return new RoutePacker(hosts).packed();
}

interface NumberedNode {
  readonly node: PathNode;
  readonly number: number;
}

class RoutePacker {
  readonly #hosts: ReadonlyMap<string, RouteTree>;
  readonly #nodes: Int32Array;
  readonly #candidates: Int32Array;
  readonly #edges: Int32Array;
  readonly #text: Uint16Array;
  readonly #methodSets = new Numbered();
  readonly #conditionLists = new Numbered();
  readonly #waiting: NumberedNode[] = [];
  #nodeCount = HOSTS + 1;
  #candidateCount = 0;
  #textEnd = 0;

  constructor(hosts: ReadonlyMap<string, RouteTree>) {
    this.#hosts = hosts;
    let [nodes, candidates, edges, textUnits] = [this.#nodeCount, 0, hosts.size, 0];
    for (const [host, tree] of hosts) {
      nodes += tree.nodes;
      candidates += tree.candidates;
      edges += tree.edges;
      textUnits += host.length + tree.textUnits;
    }
    this.#nodes = sharedCells(nodes * NODE_CELLS.count);
    this.#candidates = sharedCells(candidates * CANDIDATE_CELLS.count);
    this.#edges = sharedCells(2 ** Math.ceil(Math.log2(2 * edges + 1)) * EDGE_CELLS.count);
    this.#text = new Uint16Array(new SharedArrayBuffer(textUnits * Uint16Array.BYTES_PER_ELEMENT));
  }

  packed(): PackedRoutes {
    this.#nodes.fill(NOTHING, HOSTS, NODE_CELLS.literals);
    for (const [host, { root, wholePaths }] of this.#hosts) {
      this.#addEdge(HOSTS, host, this.#number(root));
      this.#number(wholePaths);
    }
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      this.#addNode(next);
      for (const [text, child] of next.node.literals ?? [])
        this.#addEdge(next.number, text, this.#number(child));
    }
    return {
      hostCount: this.#hosts.size,
      nodes: this.#nodes,
      candidates: this.#candidates,
      edges: this.#edges,
      text: this.#text,
      methodSets: packTexts(this.#methodSets.all),
      conditionLists: packTexts(this.#conditionLists.all),
    };
  }

  #addNode({ node, number }: NumberedNode): void {
    const at = number * NODE_CELLS.count;
    this.#nodes[at + NODE_CELLS.one] = node.one === null ? NOTHING : this.#number(node.one);
    this.#nodes[at + NODE_CELLS.rest] = this.#addCandidates(node.rest);
    this.#nodes[at + NODE_CELLS.here] = this.#addCandidates(node.here);
  }

  #number(node: PathNode): number {
    const number = this.#nodeCount++;
    this.#waiting.push({ node, number });
    return number;
  }

  #addEdge(parent: number, text: string, child: number): void {
    const edges = this.#edges;
    const mask = edges.length / EDGE_CELLS.count - 1;
    let slot = hashSegment(parent, text, 0, text.length) & mask;
    while (edges[slot * EDGE_CELLS.count + EDGE_CELLS.parent] !== 0) slot = (slot + 1) & mask;
    const at = slot * EDGE_CELLS.count;
    edges[at + EDGE_CELLS.parent] = parent + 1;
    edges[at + EDGE_CELLS.child] = child;
    edges[at + EDGE_CELLS.textStart] = this.#textEnd;
    edges[at + EDGE_CELLS.textLength] = text.length;
    for (let index = 0; index < text.length; index++) this.#text[this.#textEnd++] = text.charCodeAt(index);
    this.#nodes[parent * NODE_CELLS.count + NODE_CELLS.literals] = 1;
  }

  /** The number of the list's first candidate, or NOTHING. */
  #addCandidates(list: readonly Candidate[] | null): number {
    if (list === null) return NOTHING;
    const first = this.#candidateCount;
    for (const [index, { route, methods, conditions }] of list.entries()) {
      const at = this.#candidateCount++ * CANDIDATE_CELLS.count;
      this.#candidates[at + CANDIDATE_CELLS.route] = route;
      this.#candidates[at + CANDIDATE_CELLS.methods] =
        methods === null ? NOTHING : this.#methodSets.numberOf([...methods].sort());
      this.#candidates[at + CANDIDATE_CELLS.conditions] =
        conditions.length === 0 ? NOTHING : this.#conditionLists.numberOf(conditions);
      this.#candidates[at + CANDIDATE_CELLS.last] = index === list.length - 1 ? 1 : 0;
    }
    return first;
  }
}

/** Values by what they are. */
class Numbered {
  readonly all: unknown[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(value: unknown): number {
    const key = JSON.stringify(value);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.all.push(value) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }
}

function sharedCells(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
}

/** A thread's view of packed routes: how a request finds its way. */
export class RouteTable {
  readonly hostCount: number;
  readonly nodes: Int32Array;
  readonly candidates: Int32Array;
  readonly #edges: Int32Array;
  readonly #edgeMask: number;
  readonly #text: Uint16Array;
  readonly #methodSets: ReadTexts<readonly string[], ReadonlySet<string>>;
  readonly #conditionLists: ReadTexts<readonly FieldCondition[], readonly FieldCondition[]>;

  constructor(packed: PackedRoutes) {
    this.hostCount = packed.hostCount;
    this.nodes = packed.nodes;
    this.candidates = packed.candidates;
    this.#edges = packed.edges;
    this.#edgeMask = packed.edges.length / EDGE_CELLS.count - 1;
    this.#text = packed.text;
    this.#methodSets = new ReadTexts(packed.methodSets, (methods) => new Set(methods));
    this.#conditionLists = new ReadTexts(packed.conditionLists, (conditions) => conditions);
  }

  methods(number: number): ReadonlySet<string> {
    return this.#methodSets.at(number)!;
  }

  conditions(number: number): readonly FieldCondition[] {
    return this.#conditionLists.at(number)!;
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
}

/** FNV-1a over the units, begun with the node. Clients choose what is looked up, never what lies in the table. */
function hashSegment(node: number, text: string, from: number, end: number): number {
  let hash = Math.imul(node + 1, 0x9e3779b1);
  for (let index = from; index < end; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash ^ (hash >>> 15);
}
