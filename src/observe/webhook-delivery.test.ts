import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { err, ok, type Result } from '../base/result.ts';
import type { AlertNotice, AskedBy } from './alert-bus.ts';
import { createWebhookDelivery, pauseMs } from './webhook-delivery.ts';
import { secretBytes, signatureFields } from './webhook-signature.ts';

const SECRET = Buffer.from('0123456789abcdef0123456789abcdef');

function notice(subject: string, askedBy: AskedBy = 'gateway'): AlertNotice {
  return {
    event: 'raised',
    atMs: 1_700_000_000_123,
    alert: {
      ...{ kind: 'limit-threshold', subject, severity: 'notice', message: 'm', remedy: 'r', notify: null },
      ...{ askedBy, reach: 'everybody' },
      ...{ sinceMs: 1_700_000_000_123, lastMs: 1_700_000_000_123, times: 1 },
    },
  };
}

/** A webhook whose answers a test gives, one for each attempt, and whose pauses it ends. */
function rig({ queueMax = 3, attemptsMax = 3 } = {}) {
  const posts: { fields: Readonly<Record<string, string>>; body: string }[] = [];
  const answers: ((answer: Result<number, string>) => void)[] = [];
  const pauses: { delayMs: number; run: () => void }[] = [];
  const told: string[] = [];
  let now = 0;
  let secret: Result<Uint8Array, string> = ok(SECRET);
  const delivery = createWebhookDelivery({
    name: 'oncall',
    clock: { wallMs: () => 1_700_000_000_999, monotonicMs: () => now },
    queueMax,
    attemptsMax,
    post: (fields, body) => {
      posts.push({ fields, body });
      return new Promise((resolve) => answers.push(resolve));
    },
    secret: () => secret,
    later: (delayMs, run) => {
      const pause = { delayMs, run };
      pauses.push(pause);
      return () => void pauses.splice(pauses.indexOf(pause), 1);
    },
    random: () => 0,
    onFailing: (why) => told.push(why),
    onWorking: () => told.push('working'),
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    delivery,
    wait: (ms: number) => (now += ms),
    posts,
    pauses,
    told,
    setSecret: (next: Result<Uint8Array, string>) => {
      secret = next;
    },
    answer: async (answer: Result<number, string>) => {
      answers.shift()!(answer);
      await turn();
    },
    pass: async () => {
      pauses.shift()!.run();
      await turn();
    },
    subjects: () => posts.map(({ body }) => (JSON.parse(body) as { data: { subject: string } }).data.subject),
  };
}

describe('a webhook', () => {
  it('gets one notice after the other, in order', async () => {
    const { delivery, answer, subjects } = rig();
    for (const subject of ['a', 'b', 'c']) expect(delivery.deliver(notice(subject)).ok).toBe(true);
    expect(subjects()).toEqual(['a']);
    await answer(ok(204));
    expect(subjects()).toEqual(['a', 'b']);
    await answer(ok(200));
    await answer(ok(201));
    expect(subjects()).toEqual(['a', 'b', 'c']);
    expect(delivery.inspect()).toMatchObject({
      delivered: 3,
      queued: 0,
      givenUp: 0,
      dropped: 0,
      lastError: null,
    });
  });

  it('is tried again after growing pauses, with the same id, and given up at last', async () => {
    const { delivery, answer, pass, posts, pauses, told, subjects } = rig();
    delivery.deliver(notice('a'));
    delivery.deliver(notice('b'));
    await answer(ok(500));
    expect(pauses.map(({ delayMs }) => delayMs)).toEqual([1_000]);
    await pass();
    await answer(err('no answer within 10000 ms'));
    expect(pauses.map(({ delayMs }) => delayMs)).toEqual([2_000]);
    expect(told).toEqual([]);
    await pass();
    await answer(ok(302));
    expect(new Set(posts.slice(0, 3).map(({ fields }) => fields['webhook-id'])).size).toBe(1);
    expect(told).toEqual(['it answered 302']);
    expect(subjects()).toEqual(['a', 'a', 'a', 'b']);
    expect(delivery.inspect()).toMatchObject({ givenUp: 1, dropped: 0, queued: 1, failedAttempts: 3 });
    await answer(ok(200));
    expect(told).toEqual(['it answered 302', 'working']);
  });

  it('keeps what waits within its bound', async () => {
    const { delivery, answer } = rig({ queueMax: 2 });
    expect(delivery.deliver(notice('a')).ok).toBe(true);
    expect(delivery.deliver(notice('b')).ok).toBe(true);
    expect(delivery.deliver(notice('c'))).toEqual(err('its queue of 2 notices is full'));
    await answer(ok(200));
    expect(delivery.deliver(notice('d')).ok).toBe(true);
    expect(delivery.inspect()).toMatchObject({ queued: 2, dropped: 1, givenUp: 0 });
  });

  it('keeps half of its room for alerts of the gateway itself, again and again', async () => {
    const { delivery, answer } = rig({ queueMax: 4 });
    const deliver = (askedBy: AskedBy) => delivery.deliver(notice(askedBy, askedBy)).ok;
    for (let round = 0; round < 3; round++) {
      expect([1, 2, 3].map(() => deliver('policy'))).toEqual([true, true, false]);
      expect([1, 2, 3].map(() => deliver('gateway'))).toEqual([true, true, false]);
      expect(delivery.deliver(notice('p', 'policy'))).toEqual(err('its queue of 4 notices is full'));
      await answer(ok(200));
      expect(delivery.deliver(notice('p', 'policy')).ok).toBe(true);
      for (let left = 0; left < 4; left++) await answer(ok(200));
    }
    expect(delivery.inspect()).toMatchObject({ delivered: 15, dropped: 9, queued: 0 });
    for (let left = 0; left < 2; left++) deliver('policy');
    expect(delivery.deliver(notice('p', 'policy'))).toEqual(
      err('the half of its queue that alerts of policies may fill is full: 2 of 4 notices'),
    );
  });

  it('gets an end of the audit log that was not taken again and again, behind alerts, until there is a newer one', async () => {
    const { delivery, answer, pass, posts, pauses, told } = rig({ attemptsMax: 1 });
    const anchor = (sequence: number) => delivery.anchor({ atMs: 0, sequence, hash: 'h', mac: 'm' });
    anchor(1);
    delivery.deliver(notice('a'));
    await answer(ok(500));
    await answer(ok(200));
    await answer(ok(500));
    expect(pauses.map(({ delayMs }) => delayMs)).toEqual([60_000]);
    expect(delivery.inspect()).toMatchObject({ queued: 1, givenUp: 0, failedAttempts: 2 });
    await pass();
    anchor(2);
    await answer(ok(500));
    await answer(ok(200));
    const data = posts.map(({ body }) => (JSON.parse(body) as { data: object }).data);
    expect(data).toMatchObject([
      ...[{ sequence: 1 }, { subject: 'a' }, { sequence: 1 }, { sequence: 1 }, { sequence: 2 }],
    ]);
    expect(told.at(-1)).toBe('working');
    expect(delivery.inspect()).toMatchObject({ queued: 0, givenUp: 0 });
  });

  it('gets the newest end of the audit log, however many alerts wait, and each attempt at one alike', async () => {
    const { delivery, answer, pass, posts } = rig({ queueMax: 2 });
    const anchor = (sequence: number) => delivery.anchor({ atMs: 0, sequence, hash: 'h', mac: 'm' });
    delivery.deliver(notice('a'));
    delivery.deliver(notice('b'));
    for (const sequence of [1, 2, 3]) anchor(sequence);
    expect(delivery.inspect()).toMatchObject({ queued: 3, dropped: 0 });
    await answer(ok(200));
    await answer(ok(200));
    expect(delivery.deliver(notice('c')).ok).toBe(true);
    expect(delivery.deliver(notice('d')).ok).toBe(true);
    // On its way: those that come now wait behind it.
    for (const sequence of [4, 5]) anchor(sequence);
    await answer(ok(500));
    anchor(6);
    await pass();
    for (let left = 0; left < 4; left++) await answer(ok(200));
    const sent = posts.map(({ body }) => JSON.parse(body) as { type: string; data: object });
    expect(sent[2]).toEqual({
      type: 'audit.anchor',
      timestamp: '1970-01-01T00:00:00.000Z',
      data: { sequence: 3, hash: 'h', mac: 'm' },
    });
    expect(posts[3]).toEqual(posts[2]);
    expect(sent.slice(4).map(({ data }) => data)).toMatchObject([
      { subject: 'c' },
      { subject: 'd' },
      { sequence: 6 },
    ]);
    expect(delivery.inspect()).toMatchObject({ queued: 0, delivered: 6, dropped: 0 });
  });

  it('with room for one takes that of a policy, too', () => {
    const { delivery } = rig({ queueMax: 1 });
    expect(delivery.deliver(notice('p', 'policy')).ok).toBe(true);
  });

  it('is not called without its secret, and with the one that is there then', async () => {
    const { delivery, posts, pass, setSecret } = rig();
    setSecret(err('gone'));
    delivery.deliver(notice('a'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(posts).toEqual([]);
    expect(delivery.inspect()).toMatchObject({ lastError: 'gone', failedAttempts: 1 });
    setSecret(ok(SECRET));
    await pass();
    expect(posts).toHaveLength(1);
  });

  it('is tried once more when the gateway stops', async () => {
    const { delivery, answer, pauses, subjects } = rig();
    delivery.deliver(notice('a'));
    delivery.deliver(notice('b'));
    await answer(ok(503));
    const stopped = delivery.stop();
    expect(pauses).toEqual([]);
    await answer(ok(503));
    await answer(ok(200));
    await stopped;
    expect(subjects()).toEqual(['a', 'a', 'b']);
    expect(delivery.inspect()).toMatchObject({ delivered: 1, givenUp: 1, queued: 0 });
  });

  it('that is taken away takes back what was said of it, and says nothing more', async () => {
    const { delivery, answer, told } = rig({ attemptsMax: 1 });
    for (const subject of ['a', 'b', 'c']) delivery.deliver(notice(subject));
    await answer(ok(500));
    expect(told).toEqual(['it answered 500']);
    const retired = delivery.retire();
    expect(told).toEqual(['it answered 500', 'working']);
    await answer(ok(500));
    await answer(ok(200));
    await retired;
    expect(told).toEqual(['it answered 500', 'working']);
  });

  it('says how long the first of its queue has waited', async () => {
    const { delivery, answer, wait } = rig();
    expect(delivery.inspect().oldestAgeMs).toBe(0);
    delivery.deliver(notice('a'));
    wait(250);
    expect(delivery.inspect()).toMatchObject({ queued: 1, oldestAgeMs: 250 });
    await answer(ok(200));
    expect(delivery.inspect().oldestAgeMs).toBe(0);
  });

  it('pauses from half a second to a minute', () => {
    expect([1, 2, 6, 7, 1_000].map((failed) => pauseMs(failed, 0))).toEqual([
      1_000, 2_000, 32_000, 60_000, 60_000,
    ]);
    expect(pauseMs(1, 0.99)).toBe(505);
  });
});

describe('a signature', () => {
  it('covers id, time and body, as Standard Webhooks define it', () => {
    const { posts, delivery } = rig();
    delivery.deliver(notice('a'));
    const { fields, body } = posts[0]!;
    expect(fields['webhook-timestamp']).toBe('1700000000');
    const signed = `${fields['webhook-id']}.1700000000.${body}`;
    const expected = createHmac('sha256', SECRET).update(signed).digest('base64');
    expect(fields['webhook-signature']).toBe(`v1,${expected}`);
    const sent = { id: 'msg_1', timestampS: 1, body: 'b' };
    const whole = signatureFields(SECRET, sent)['webhook-signature'];
    for (const changed of [
      { ...sent, id: 'msg_2' },
      { ...sent, timestampS: 2 },
      { ...sent, body: 'c' },
    ])
      expect(signatureFields(SECRET, changed)['webhook-signature']).not.toBe(whole);
  });

  it('is the one of the example that the specification gives', () => {
    const secret = secretBytes('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n')!;
    const fields = signatureFields(secret, {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestampS: 1_614_265_330,
      body: '{"test": 2432232314}',
    });
    expect(fields['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('needs a secret that is not guessed', () => {
    expect(secretBytes('short')).toBe(null);
    expect(secretBytes(' 0123456789abcdef \n')).toEqual(Buffer.from('0123456789abcdef'));
  });
});
