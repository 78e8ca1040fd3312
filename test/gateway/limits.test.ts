import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Project, RunningGateway, writeProject } from './running-gateway.ts';
import { statusesOf } from './statuses.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

/** Limits on the built product: two data threads, 64 connections, one counter. */

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;
afterEach(async () => {
  await gateway?.stop('SIGKILL');
  await project?.remove();
  await upstream?.close();
});

async function startWith(limit: string, commandLine: readonly string[] = []): Promise<void> {
  upstream = await startUpstream();
  project = await writeProject(
    {
      'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
      'policies/p.policy': `language 1\npolicy "p" applies to every route { permit  ${limit} }\n`,
    },
    { dataThreads: 2 },
  );
  gateway = await RunningGateway.start(project, { arguments: commandLine });
}

const send = (requests: number, path = '/x') => statusesOf(gateway.url + path, { requests, connections: 64 });

describe('a limit shared by two data threads', () => {
  it('admits exactly N from an empty ring, and each of them reaches the service', async () => {
    await startWith('limit "few" at most 500 requests in any 1h in total');
    expect(await send(2_000)).toEqual(
      new Map([
        [200, 500],
        [429, 1_500],
      ]),
    );
    expect(upstream.requests).toHaveLength(500);
  });

  it('never admits more than N in any window, also while the window rotates', async () => {
    const log = join(tmpdir(), `portunus-limits-${process.pid}.log`);
    await startWith('limit "pace" at most 40 requests in any 500ms in total', ['--log', log]);
    // As many rounds as it takes for the ring to have gone round three times, by the gateway's own answers.
    let admitted = 0;
    while (admitted < 160) admitted += (await send(256)).get(200) ?? 0;
    await gateway.stop();

    const times = (await readFile(log, 'utf8'))
      .split('\n')
      .filter((line) => line.includes('"http.response.status_code":200'))
      .map((line) => (JSON.parse(line) as { time: number }).time)
      .sort((a, b) => a - b);
    expect(times).toHaveLength(admitted);
    const most = Math.max(
      ...times.map((from) => times.filter((time) => time >= from && time < from + 500).length),
    );
    expect(most).toBeLessThanOrEqual(40);
  });

  it('lets callers wait for room, and refuses at once who can have none in time', async () => {
    await startWith(`limit "slots" at most 4 requests at once  in total  when exceeded queue up to 30s
      limit "few" at most 300 requests in any 1h  in total  when exceeded queue up to 1s`);
    expect(await send(400)).toEqual(
      new Map([
        [200, 300],
        [429, 100],
      ]),
    );
    expect(upstream.requests).toHaveLength(300);
  });

  it('frees the slots of "at once" when requests end, however they end', async () => {
    await startWith('limit "slots" at most 4 requests at once in total');
    for (let round = 0; round < 3; round++) {
      const statuses = await send(200);
      expect(statuses.get(200)).toBeGreaterThanOrEqual(4);
    }
    expect(await send(4)).toEqual(new Map([[200, 4]]));
  });
});

it('tells of warnings in a field of every answer and in the log, and never in shadow', async () => {
  upstream = await startUpstream();
  const log = join(tmpdir(), `portunus-warnings-${process.pid}.log`);
  const route = (name: string) => `${name}: { service: s, match: { path: "/${name}" }, auth: none }`;
  project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes: { ${route('a')}, ${route('b')}, ${route('c')} }
`,
    'policies/p.policy': `language 1
policy "open" applies to every route { permit }
policy "soon" applies to every route { warn "move" code "move_on" because "Use v2 instead of {request.path}" }
policy "hidden" applies to every route { warn "quiet" because "nobody hears this" }
policy "narrow" applies to route "b" { limit "one" at most 1 request in any 1h in total }
policy "shut" applies to route "c" { forbid }
`,
    'enforcement.yaml': 'policies: { hidden: shadow, narrow: warn }\n',
  });
  gateway = await RunningGateway.start(project, { arguments: ['--log', log] });
  const warning = async (path: string) => {
    const answer = await fetch(gateway.url + path);
    return [answer.status, answer.headers.get('portunus-warning')];
  };
  const move = (path: string) => `"soon/move";code="move_on";detail="Use v2 instead of ${path}"`;
  expect(await warning('/a')).toEqual([200, move('/a')]);
  expect(await warning('/b')).toEqual([200, move('/b')]);
  const exceeded =
    /^"narrow\/one";code="limit_exceeded";detail="Limit .* is exceeded; it resets .*", "soon\/move";/;
  expect(await warning('/b')).toEqual([200, expect.stringMatching(exceeded)]);
  // refused in the phase before: warnings that may need the caller have not been asked for
  expect(await warning('/c')).toEqual([403, null]);
  await gateway.stop('SIGTERM');
  const lines = (await readFile(log, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const requests = lines.filter(({ msg }) => msg === 'request');
  expect(requests.map((line) => line['portunus.warned'])).toEqual([
    ['hidden/quiet', 'soon/move'],
    ['hidden/quiet', 'soon/move'],
    ['hidden/quiet', 'narrow/one', 'soon/move'],
    undefined,
  ]);
});

it('tells callers of a deprecated route when it goes and where its successor is, beside what the service links to', async () => {
  upstream = await startUpstream();
  const route = (name: string, more = '') =>
    `${name}: { service: s, match: { path: "/${name}/orders/{id}" }, auth: none${more} }`;
  project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes: { ${route('v0', ', state: retired')}, ${route('v1', ', state: deprecated')}, ${route('v2')} }
`,
    'policies/p.policy': `language 1
zone Europe/Berlin
policy "open" { permit }
policy "v1" applies to route "v1" {
  deprecate from 2026-11-01 sunset 2037-03-31 successor route "v2"
  forbid "gone" when request.query["gone"] is present status 410 because "Use {successor.url}"
}
`,
  });
  gateway = await RunningGateway.start(project);
  const answer = await fetch(`${gateway.url}/v1/orders/a%20b%22c`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('deprecation')).toBe('@1793487600');
  expect(answer.headers.get('sunset')).toBe('Tue, 31 Mar 2037 21:59:59 GMT');
  expect(answer.headers.get('link')).toBe('</v2/orders/a%20b%22c>; rel="successor-version"');
  expect((await fetch(`${gateway.url}/v2/orders/1`)).headers.get('deprecation')).toBeNull();
  const gone = await fetch(`${gateway.url}/v1/orders/7?gone=1`);
  expect([gone.status, ((await gone.json()) as { detail: string }).detail]).toEqual([
    410,
    'Use /v2/orders/7',
  ]);
  const retired = await fetch(`${gateway.url}/v0/orders/7`);
  expect([retired.status, ((await retired.json()) as { code: string }).code]).toEqual([410, 'route_retired']);
});

it('frees the slots that a shadowed "at once" has only watched', async () => {
  upstream = await startUpstream();
  const log = join(tmpdir(), `portunus-shadow-${process.pid}.log`);
  project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
    'policies/p.policy': `language 1
policy "open" applies to every route { permit }
policy "watched" applies to every route { limit "slot" at most 1 requests at once in total }
`,
    'enforcement.yaml': 'policies: { watched: shadow }\n',
  });
  gateway = await RunningGateway.start(project, { arguments: ['--log', log] });
  // One after the other: with the slot freed each time, none of them would have been refused.
  for (let request = 0; request < 5; request++) expect((await fetch(`${gateway.url}/x`)).status).toBe(200);
  await gateway.stop();
  const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes('"msg":"request"'));
  expect(lines).toHaveLength(5);
  expect(lines.filter((line) => line.includes('shadow_denied'))).toEqual([]);
});
