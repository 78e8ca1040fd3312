import { createHash, randomBytes } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { converse } from './conversation.ts';
import { type Answer, exchange, expectStatus, expectThat } from './exchange.ts';
import { BIG_BYTES, HALF_BYTES, STREAM_EVENTS } from './service.ts';

/** One way of using the gateway, done over and over. Answers the name of what happened; throws `Unexpected` otherwise. */
export interface Caller {
  readonly name: string;
  /** How many at a time. */
  readonly count: number;
  readonly pauseMs: number;
  readonly once: () => Promise<string>;
}

export interface CallerContext {
  readonly port: number;
  readonly adminPort: number;
  /** Of consumer `web`. */
  readonly key: string;
  readonly adminToken: string;
  /** Told of each mark that an answer bore. */
  readonly onMark: (mark: string) => void;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
  readonly port?: number;
}

export function soakCallers(context: CallerContext): readonly Caller[] {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const keyed = { 'x-api-key': context.key };

  const send = (path: string, sent: Sent = {}): Promise<Answer> =>
    exchange(
      {
        // The admin API closes what is idle for seconds, and a request may meet that: no connection is used again.
        agent: sent.port === undefined ? agent : false,
        port: sent.port ?? context.port,
        path,
        method: sent.method ?? 'GET',
        headers: sent.headers ?? {},
      },
      sent.body,
    );

  const admin = async (method: string, path: string, body?: object): Promise<Answer> => {
    const headers: Record<string, string> = { authorization: `Bearer ${context.adminToken}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return await send(`/v1${path}`, {
      method,
      headers,
      port: context.adminPort,
      ...(bytes === undefined ? {} : { body: bytes }),
    });
  };

  const soundJson = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
    const answer = await send(path, { headers });
    expectStatus(answer, [200]);
    expectThat(answer.body.toString() === '{"fine":true}', 'another body', answer);
    const mark = answer.headers['x-edit'];
    expectThat(typeof mark === 'string', 'no x-edit', answer);
    context.onMark(mark as string);
    return '200';
  };

  const problemOf = async (
    path: string,
    statuses: readonly number[],
    codes: readonly string[],
  ): Promise<string> => {
    const answer = await send(path);
    expectStatus(answer, statuses);
    const { code } = JSON.parse(answer.body.toString()) as { readonly code: string };
    expectThat(codes.includes(code), `code ${code}`, answer);
    return code;
  };

  return [
    { name: 'get', count: 4, pauseMs: 25, once: () => soundJson('/get', keyed) },
    { name: 'spend', count: 1, pauseMs: 25, once: () => soundJson('/spend', keyed) },
    { name: 'closing', count: 2, pauseMs: 25, once: () => soundJson('/closing') },
    {
      name: 'post',
      count: 2,
      pauseMs: 25,
      once: async () => {
        const body = randomBytes(Math.floor(Math.random() * 20_000));
        const answer = await send('/post', { method: 'POST', body });
        expectStatus(answer, [200]);
        expectThat(
          answer.body.toString() === createHash('sha256').update(body).digest('hex'),
          `not the hash of the ${body.length} bytes sent`,
          answer,
        );
        return '200';
      },
    },
    {
      name: 'big',
      count: 1,
      pauseMs: 50,
      once: async () => {
        const answer = await send('/big');
        expectStatus(answer, [200]);
        expectThat(answer.body.length === BIG_BYTES, 'another length', answer);
        return '200';
      },
    },
    {
      name: 'stream',
      count: 5,
      pauseMs: 20,
      once: async () => {
        const answer = await send('/stream');
        expectStatus(answer, [200]);
        const events = answer.body.toString().split('\n\n').length - 1;
        expectThat(events === STREAM_EVENTS, `${events} events`, answer);
        return '200';
      },
    },
    { name: 'socket', count: 3, pauseMs: 50, once: () => converse(context.port, '/socket') },
    { name: 'abort answer', count: 2, pauseMs: 20, once: () => abortAnswer(context.port) },
    { name: 'abort request', count: 2, pauseMs: 20, once: () => abortRequest(context.port) },
    {
      name: 'wrong key',
      count: 1,
      pauseMs: 25,
      once: async () => {
        const key = `ptn_live_${randomBytes(12).toString('hex')}`;
        expectStatus(await send('/get', { headers: { 'x-api-key': key } }), [401]);
        return '401';
      },
    },
    { name: 'nowhere', count: 1, pauseMs: 50, once: () => problemOf('/nowhere', [404], ['route_not_found']) },
    {
      name: 'extra',
      count: 1,
      pauseMs: 50,
      once: async () => {
        const answer = await send('/extra');
        expectStatus(answer, [200, 404]);
        return String(answer.status);
      },
    },
    {
      name: 'limited',
      count: 2,
      pauseMs: 25,
      once: async () => {
        const answer = await send('/limited');
        expectStatus(answer, [200, 429]);
        return String(answer.status);
      },
    },
    {
      name: 'faulty reset',
      count: 1,
      pauseMs: 100,
      once: () => problemOf('/faulty/reset', [502], ['upstream_closed_before_answer']),
    },
    {
      name: 'faulty garbage',
      count: 1,
      pauseMs: 100,
      once: () => problemOf('/faulty/garbage', [502], ['upstream_malformed_answer']),
    },
    {
      name: 'faulty slow',
      count: 1,
      pauseMs: 100,
      once: () => problemOf('/faulty/slow', [504], ['upstream_first_byte_timeout']),
    },
    {
      name: 'faulty five',
      count: 1,
      pauseMs: 50,
      once: async () => {
        const answer = await send('/faulty/five');
        expectStatus(answer, [500]);
        expectThat(answer.body.toString() === 'broken', 'another body', answer);
        return '500 of the service';
      },
    },
    {
      name: 'faulty half',
      count: 1,
      pauseMs: 100,
      once: async () => {
        const answer = await send('/faulty/half');
        const { status, cut, body } = answer;
        expectThat(status === 200 && cut !== null && body.length <= HALF_BYTES, 'not cut', answer);
        return 'cut';
      },
    },
    {
      name: 'key',
      count: 1,
      pauseMs: 500,
      once: async () => {
        const issued = await admin('POST', '/keys', { tenant: 'acme', consumer: 'guest' });
        expectStatus(issued, [201]);
        const { key, name } = JSON.parse(issued.body.toString()) as {
          readonly key: string;
          readonly name: string;
        };
        await soundJson('/get', { 'x-api-key': key });
        expectStatus(await admin('DELETE', `/keys/acme/guest/${name}`), [200]);
        expectStatus(await send('/get', { headers: { 'x-api-key': key } }), [401]);
        return 'issued and revoked';
      },
    },
    {
      name: 'watcher',
      count: 1,
      pauseMs: 2_000,
      once: async () => {
        for (const path of ['/status', '/log?route=get&limit=20', '/usage', '/configuration/versions'])
          expectStatus(await admin('GET', path), [200]);
        expectStatus(
          await send('/metrics', {
            port: context.adminPort,
            headers: { authorization: `Bearer ${context.adminToken}` },
          }),
          [200],
        );
        return '200';
      },
    },
  ];
}

/** Leaves somewhere within the answer. */
async function abortAnswer(port: number): Promise<string> {
  const path = Math.random() < 0.5 ? '/stream' : '/big';
  const sent = httpRequest({ host: '127.0.0.1', port, path, agent: false });
  sent.on('error', () => {}).on('response', (response) => void response.on('error', () => {}).resume());
  sent.end();
  await delay(Math.random() * 100);
  sent.destroy();
  return 'left';
}

/** Leaves within the request body. */
async function abortRequest(port: number): Promise<string> {
  const headers = { 'content-length': '20000' };
  const sent = httpRequest({ host: '127.0.0.1', port, path: '/post', method: 'POST', agent: false, headers });
  sent.on('error', () => {});
  sent.write(Buffer.alloc(Math.floor(Math.random() * 10_000), 'a'));
  await delay(Math.random() * 50);
  sent.destroy();
  return 'left';
}
