import { expect, it } from 'vitest';
import { interleave } from './rounds.ts';

it('measures everyone once a round, begins with another one each time, and forgets the warm-up', async () => {
  const order: string[] = [];
  const contenders = ['a', 'b', 'c'].map((name) => ({
    name,
    measure: async () => {
      order.push(name);
      return order.length;
    },
  }));
  const rounds: number[] = [];
  const samples = await interleave(contenders, {
    rounds: 4,
    warmUps: 1,
    onRound: (round) => rounds.push(round),
  });
  expect(order.join('')).toBe('abc' + 'abc' + 'bca' + 'cab' + 'abc');
  expect(rounds).toEqual([0, 1, 2, 3]);
  expect(samples.get('a')).toEqual([4, 9, 11, 13]);
  expect(samples.get('c')).toEqual([6, 8, 10, 15]);
});
