/** The greatest flow through a network of whole capacities, by Dinic (1970): levels by breadth first, then blocking flows. */

export class FlowNetwork {
  readonly #nodes: number;
  /** By edge; that at an odd place runs back along the one before it. */
  readonly #to: number[] = [];
  readonly #room: number[] = [];
  /** By node: places of its edges. */
  readonly #edges: number[][];

  constructor(nodes: number) {
    this.#nodes = nodes;
    this.#edges = Array.from({ length: nodes }, () => []);
  }

  /** Its place. */
  edge(from: number, to: number, capacity: number): number {
    const place = this.#to.length;
    this.#to.push(to, from);
    this.#room.push(capacity, 0);
    this.#edges[from]!.push(place);
    this.#edges[to]!.push(place + 1);
    return place;
  }

  /** Through an edge, after {@link maximise}. */
  flow(edge: number): number {
    return this.#room[edge + 1]!;
  }

  maximise(source: number, sink: number): number {
    let total = 0;
    for (;;) {
      const levels = this.#levels(sink);
      if (levels[source] === UNREACHED) return total;
      total += this.#block(source, sink, levels);
    }
  }

  /** Nodes from which more could flow to the sink, if it came there. After {@link maximise}. */
  reaching(sink: number): (node: number) => boolean {
    const levels = this.#levels(sink);
    return (node) => levels[node] !== UNREACHED;
  }

  /** How many edges with room are between each node and the sink. */
  #levels(sink: number): Int32Array {
    const levels = new Int32Array(this.#nodes).fill(UNREACHED);
    const queue = [sink];
    levels[sink] = 0;
    for (let at = 0; at < queue.length; at++) {
      const node = queue[at]!;
      for (const edge of this.#edges[node]!) {
        // The edge that leads here is the other one of the pair.
        const from = this.#to[edge]!;
        if (levels[from] !== UNREACHED || this.#room[edge ^ 1] === 0) continue;
        levels[from] = levels[node]! + 1;
        queue.push(from);
      }
    }
    return levels;
  }

  /** Fills paths that lead down the levels until there is none: without recursion, because they can be long. */
  #block(source: number, sink: number, levels: Int32Array): number {
    const next = new Int32Array(this.#nodes);
    const path: number[] = [];
    let node = source;
    let total = 0;
    for (;;) {
      if (node === sink) {
        total += this.#push(path);
        const full = path.findIndex((edge) => this.#room[edge] === 0);
        node = this.#to[path[full]! ^ 1]!;
        path.length = full;
        continue;
      }
      const edge = this.#edges[node]![next[node]!];
      if (edge === undefined) {
        if (path.length === 0) return total;
        // A dead end: nobody comes here again.
        node = this.#to[path.pop()! ^ 1]!;
        next[node]!++;
      } else if (this.#room[edge]! > 0 && levels[this.#to[edge]!] === levels[node]! - 1) {
        path.push(edge);
        node = this.#to[edge]!;
      } else next[node]!++;
    }
  }

  #push(path: readonly number[]): number {
    const amount = path.reduce((least, edge) => Math.min(least, this.#room[edge]!), Number.POSITIVE_INFINITY);
    for (const edge of path) {
      this.#room[edge]! -= amount;
      this.#room[edge ^ 1]! += amount;
    }
    return amount;
  }
}

const UNREACHED = -1;
