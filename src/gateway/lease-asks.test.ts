import { expect, it } from 'vitest';
import type { LeaseAsk } from '../pipeline/counters.ts';
import { LeaseAsks } from './lease-asks.ts';

const ask = (weight: number): LeaseAsk => ({ region: 1, keyHigh: 2, keyLow: 3, weight }) as LeaseAsk;
const turn = () => new Promise(setImmediate);

it('asks once until grants have arrived, and again for debt that was told meanwhile', async () => {
  const sent: LeaseAsk[] = [];
  const asks = new LeaseAsks((more) => sent.push(...more));
  asks.ask(ask(1));
  asks.ask(ask(1));
  await turn();
  expect(sent).toEqual([ask(1)]);
  asks.ask(ask(0));
  await turn();
  expect(sent).toEqual([ask(1)]);
  asks.arrived();
  await turn();
  expect(sent).toEqual([ask(1), ask(0)]);
  asks.arrived();
  await turn();
  expect(sent).toHaveLength(2);
});
