/** What becomes of calls to models when the time of their thread is over, and streams that end then make room for others. */
import { expect, it } from 'vitest';
import { RESERVE, simulate, simulatedRoute } from '../../src/gateway/exchange.cases.ts';
import type { KeyLimit } from '../../src/model/pools.ts';
import { HELLO, Models } from '../../src/pools/model-call.cases.ts';

const ONE_AT_A_TIME: KeyLimit = {
  ...{ unit: 'slots', kind: 'slots', amount: 1, windowMs: 0, source: 'declared' },
  ...{ model: null, per: 'model', zone: null },
};
const PATH = '/v1/chat/completions';

it('a call that was refused once and waits for another key is not sent any more, and costs nothing', () => {
  const keys = ['a', 'b'].map((name) => ({ name, limits: [ONE_AT_A_TIME] }));
  const models = new Models({ pools: [{ name: 'pool', queue: { upToMs: 600_000, waiting: 9 }, keys }] });
  const simulation = simulate({
    routes: [simulatedRoute(PATH, { ai: 'openai/chat', maxBodyBytes: 10_000 })],
    pipeline: { admit: RESERVE },
    models: models.bound,
  });
  const post = (asked: object) => {
    const body = Buffer.from(JSON.stringify(asked));
    const fields = ['host', 'a.test', 'content-type', 'application/json', 'content-length', `${body.length}`];
    const client = simulation.request('POST', PATH, fields);
    client.handler!.onBody(body, true);
    return client;
  };
  const waits = post(HELLO);
  const [refused] = models.newCalls();
  const streams = post({ ...HELLO, stream: true });
  const [stream] = models.newCalls();
  stream!.head(200, 'data: {"choices":[]}\n\n', false, ['content-type', 'text/event-stream']);
  refused!.answer(429, {}, ['retry-after', '3600']);
  models.pass(0);
  expect([waits.state, models.waiting, models.newCalls()]).toEqual(['open', 1, []]);

  simulation.thread.breakOff();
  models.pass(0);
  expect(models.newCalls()).toEqual([]);
  expect([waits.status, streams.status, stream!.aborted]).toEqual([503, 200, true]);
  expect(waits.fields).toMatch(/^retry-after: 1\r$/m);
  expect([simulation.cancelled.length, simulation.settled.length]).toEqual([1, 1]);
});
