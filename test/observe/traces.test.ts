/** Spans that a receiver of OTLP gets from the built gateway. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type Project, RunningGateway, writeProject } from '../gateway/running-gateway.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

const servers: Server[] = [];
let project: Project | undefined;
let gateway: RunningGateway | undefined;
afterEach(async () => {
  await gateway?.stop('SIGKILL');
  await project?.remove();
  for (const server of servers.splice(0)) server.close();
  [gateway, project] = [undefined, undefined];
});

async function listen(
  answer: (path: string, fields: NodeJS.Dict<string | string[]>, body: string) => void,
): Promise<number> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      answer(request.url ?? '', request.headers, Buffer.concat(chunks).toString());
      response.setHeader('content-type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** By their ids: a receiver that answers late, as under load, is sent the same ones again. */
async function receive(): Promise<{ readonly spans: Map<string, Span>; readonly receiver: number }> {
  const spans = new Map<string, Span>();
  const receiver = await listen((_path, _fields, body) => {
    const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
    for (const span of resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
      spans.set(span.spanId, span);
  });
  return { spans, receiver };
}

async function sent(spans: ReadonlyMap<string, Span>, count: number): Promise<readonly Span[]> {
  await expect.poll(() => spans.size, { timeout: 30_000 }).toBeGreaterThanOrEqual(count);
  // It sends what is left, and ends: what came by now is all.
  await gateway!.stop();
  expect(spans.size).toBe(count);
  return [...spans.values()];
}

const ROUTES = (service: number) => ({
  'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${service}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
  'policies/p.policy': 'language 1\npolicy "p" { permit\n  forbid "f" when request.path is "/no" }\n',
});

it('are children of the caller’s span, parents of the service’s, and sent only for traces that are sampled', async () => {
  const { spans, receiver } = await receive();
  const told: string[] = [];
  const service = await listen((_path, { traceparent }) => told.push(String(traceparent)));
  project = await writeProject(ROUTES(service), {
    settings: `traces: { endpoint: "http://127.0.0.1:${receiver}/v1/traces", share: 100% }`,
  });
  gateway = await RunningGateway.start(project, { arguments: ['--log', join(project.folder, 'access.log')] });
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const ask = async (path: string, traceparent?: string): Promise<string> => {
    const headers = traceparent === undefined ? {} : { traceparent };
    const answer = await fetch(gateway!.url + path, { headers });
    await answer.arrayBuffer();
    return answer.headers.get('x-request-id')!;
  };
  const sampled = await ask('/a', `00-${trace}-00f067aa0ba902b7-01`);
  await ask('/b', `00-${trace.replace('4b', '5b')}-00f067aa0ba902b7-00`);
  const own = await ask('/c');
  const refused = await ask('/no', `00-${trace}-00f067aa0ba902b7-01`);

  expect(told[0]).toBe(`00-${trace}-${sampled}-01`);
  expect(told[1]).toMatch(/^00-5bf.*-00$/);
  expect(told[2]).toMatch(new RegExp(`^00-[0-9a-f]{32}-${own}-01$`));
  const all = await sent(spans, 5);

  const of = (id: string): [Span, Span | undefined] => {
    const server = all.find(({ attributes }) =>
      attributes.some(
        ({ key, value }) => key === 'portunus.request_id' && JSON.stringify(value).includes(id),
      ),
    )!;
    return [server, all.find(({ parentSpanId }) => parentSpanId === server.spanId)];
  };
  const [server, client] = of(sampled);
  expect(server).toMatchObject({
    traceId: trace,
    parentSpanId: '00f067aa0ba902b7',
    name: 'GET all',
    kind: 2,
  });
  expect(client).toMatchObject({ traceId: trace, spanId: sampled, kind: 3 });
  expect(BigInt(client!.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(server.startTimeUnixNano));
  expect(client!.endTimeUnixNano).toBe(server.endTimeUnixNano);
  expect(of(own)[0].parentSpanId ?? '').toBe('');
  expect(of(refused)[1]).toBeUndefined();
});

it('begin for the share of requests that is asked for, and for none where nothing is said', async () => {
  const { spans, receiver } = await receive();
  const told: string[] = [];
  const service = await listen((_path, { traceparent }) => told.push(String(traceparent)));
  const run = async (settings: string, requests: number): Promise<number> => {
    told.length = 0;
    project = await writeProject(ROUTES(service), { settings });
    gateway = await RunningGateway.start(project, {
      arguments: ['--log', join(project.folder, 'access.log')],
    });
    for (let index = 0; index < requests; index++) await (await fetch(gateway.url)).arrayBuffer();
    expect(told).toHaveLength(requests);
    return told.filter((traceparent) => traceparent.endsWith('-01')).length;
  };
  expect(await run('', 5)).toBe(0);
  await gateway!.stop();
  await project!.remove();

  const recorded = await run(
    `traces: { endpoint: "http://127.0.0.1:${receiver}/v1/traces", share: 50% }`,
    60,
  );
  // Outside of it once in 10^9 runs.
  expect([recorded > 6, recorded < 54]).toEqual([true, true]);
  const all = await sent(spans, 2 * recorded);
  const begun = new Set(told.filter((each) => each.endsWith('-01')).map((each) => each.split('-')[1]));
  expect(new Set(all.map(({ traceId }) => traceId))).toEqual(begun);
});
