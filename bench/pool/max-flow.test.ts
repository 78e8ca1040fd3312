import { describe, expect, it } from 'vitest';
import { FlowNetwork } from './max-flow.ts';

describe('the greatest flow', () => {
  it('takes back what an earlier path took from a better one', () => {
    // Through the middle edge first, one unit would be all.
    const network = new FlowNetwork(4);
    network.edge(0, 1, 1);
    network.edge(0, 2, 1);
    const middle = network.edge(1, 2, 1);
    network.edge(1, 3, 1);
    network.edge(2, 3, 1);
    expect(network.maximise(0, 3)).toBe(2);
    expect(network.flow(middle)).toBe(0);
  });

  it('is that of the textbook', () => {
    // Cormen, Leiserson, Rivest, Stein, figure 26.6.
    const network = new FlowNetwork(6);
    const edges = [
      [0, 1, 16],
      [0, 2, 13],
      [1, 3, 12],
      [2, 1, 4],
      [2, 4, 14],
      [3, 2, 9],
      [3, 5, 20],
      [4, 3, 7],
      [4, 5, 4],
    ] as const;
    for (const [from, to, capacity] of edges) network.edge(from, to, capacity);
    expect(network.maximise(0, 5)).toBe(23);
  });

  it('tells from where more would reach the sink', () => {
    const network = new FlowNetwork(4);
    network.edge(0, 1, 5);
    network.edge(1, 3, 9);
    network.edge(0, 2, 5);
    network.edge(2, 3, 2);
    network.maximise(0, 3);
    const reaches = network.reaching(3);
    expect([reaches(1), reaches(2)]).toEqual([true, false]);
  });
});
