/** What rules about responses see of requests, however these end. */
import { expect, it } from 'vitest';
import { type Answer, KNOWN, NOTHING_KNOWN_USED } from '../pipeline/alerts.ts';
import { simulate, simulatedRoute } from './exchange.cases.ts';

function watched(auth: 'none' | 'required' = 'none') {
  const answers: Answer[] = [];
  const addresses: string[] = [];
  const simulation = simulate({
    routes: [simulatedRoute('/orders', { auth })],
    pipeline: {
      alertsReadAddress: true,
      alerts: (context) => {
        answers.push({ ...context.answer! });
        addresses.push(context.ip);
      },
    },
  });
  return { simulation, answers, addresses };
}

it('the answer of the service, once, with the time it took', () => {
  const { simulation, answers, addresses } = watched();
  simulation.request('GET', '/orders');
  simulation.nowMs += 250;
  simulation.calls[0]!.head(true, 'x', { status: 503 });
  expect(answers).toEqual([
    { status: 503, durationMs: 250, code: undefined, known: KNOWN.body, ...NOTHING_KNOWN_USED },
  ]);
  expect(addresses[0]).not.toBe('');
});

it('what the gateway answers, and how far the request got', () => {
  const { simulation, answers } = watched('required');
  const client = simulation.request('GET', '/orders');
  expect(client.status).toBe(401);
  expect(answers).toEqual([
    {
      status: 401,
      durationMs: 0,
      code: expect.any(String) as string,
      known: KNOWN.request,
      ...NOTHING_KNOWN_USED,
    },
  ]);
});

it('a client that left', () => {
  const { simulation, answers } = watched();
  const client = simulation.request('GET', '/orders');
  client.disconnect();
  expect(answers).toEqual([
    { status: 499, durationMs: 0, code: 'client_aborted', known: KNOWN.body, ...NOTHING_KNOWN_USED },
  ]);
});

it('nothing of requests that no route is found for', () => {
  const { simulation, answers } = watched();
  simulation.request('GET', '/elsewhere');
  expect(answers).toEqual([]);
});
