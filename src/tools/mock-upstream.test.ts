import { get } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MockUpstream, startMockUpstream } from './mock-upstream.ts';

let upstream: MockUpstream;
beforeEach(async () => {
  const started = await startMockUpstream({ port: 0 });
  if (!started.ok) throw new Error(started.error);
  upstream = started.value;
});
afterEach(() => upstream.close());

interface MockBody {
  readonly orders?: readonly { readonly id: string }[];
  readonly path?: string;
  readonly fields?: Readonly<Record<string, readonly string[]>>;
}

async function json(path: string, init: RequestInit = {}) {
  const response = await fetch(upstream.url + path, init);
  return { status: response.status, body: (await response.json()) as MockBody };
}

describe('the mock upstream', () => {
  it('has orders', async () => {
    expect((await json('/orders')).body.orders?.map(({ id }) => id)).toEqual(['1001', '1002', '1003']);
    expect(await json('/orders/1002')).toMatchObject({ status: 200, body: { item: 'padlock' } });
    expect(await json('/orders/9')).toEqual({ status: 404, body: { error: 'no such order', id: '9' } });
    expect(await json('/reports')).toMatchObject({ status: 200, body: { orders: 3 } });
    expect(await json('/status')).toEqual({ status: 200, body: { service: 'orders', status: 'ok' } });
  });

  it('answers with the status it is asked for', async () => {
    for (const status of [204, 404, 503]) {
      expect((await fetch(`${upstream.url}/status/${status}`, { method: 'POST' })).status).toBe(status);
    }
  });

  it('echoes what it received, but no key', async () => {
    const keys = {
      authorization: 'Bearer k',
      'x-api-key': 'k',
      'api-key': 'k',
      'x-goog-api-key': 'k',
      cookie: 'k=k',
    };
    const { body } = await json('/some/where?a=1&b', {
      method: 'PUT',
      body: 'größe',
      headers: { ...keys, 'x-plan': 'free' },
    });
    expect(body).toMatchObject({ method: 'PUT', path: '/some/where', query: 'a=1&b', bodyBytes: 7 });
    expect(body.fields?.['x-plan']).toEqual(['free']);
    for (const name of Object.keys(keys)) expect(body.fields).not.toHaveProperty(name);
  });

  it('answers a target that is no URL', async () => {
    const { port } = new URL(upstream.url);
    const path = await new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: '//:x?y' }, (response) => {
        response.setEncoding('utf8').on('data', (text) => resolve((JSON.parse(text) as MockBody).path));
      }).on('error', reject);
    });
    expect(path).toBe('//:x');
  });

  it('echoes names that every object has', async () => {
    expect((await json('/constructor')).body.path).toBe('/constructor');
  });

  it('streams as many events as it is asked for', async () => {
    const response = await fetch(`${upstream.url}/orders/events?events=3&every=0`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(await response.text()).toBe(
      [
        'id: 1\nevent: order\ndata: {"number":1,"order":"1001"}\n\n',
        'id: 2\nevent: order\ndata: {"number":2,"order":"1002"}\n\n',
        'id: 3\nevent: order\ndata: {"number":3,"order":"1003"}\n\n',
      ].join(''),
    );
  });

  it('sends each event when it is due, not all at the end', async () => {
    const response = await fetch(`${upstream.url}/orders/events?events=2&every=60000`);
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toContain('id: 1\n');
    await reader.cancel();
  });

  it('says which port it can not have', async () => {
    const port = Number(new URL(upstream.url).port);
    const second = await startMockUpstream({ port });
    expect(second.ok ? '' : second.error).toMatch(new RegExp(`127.0.0.1:${port}: .*EADDRINUSE`));
  });

  it('ends open streams when it closes', async () => {
    const response = await fetch(`${upstream.url}/orders/events?events=2&every=60000`);
    await upstream.close();
    await expect(response.text()).rejects.toThrow();
  });
});
