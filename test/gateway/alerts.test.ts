/** Alerts of limits on the built product: from the counter of a data thread to a webhook, signed. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdminStatus } from '../../src/admin/actions.ts';
import { HISTORY_FILE } from '../../src/state/history-file.ts';
import { freePort, type Project, RunningGateway, runPortunus, writeProject } from './running-gateway.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Stands for people's webhooks: notes everything, and answers as the path says. */
async function startReceiver(port: number): Promise<{ server: Server; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      received.push({ path: request.url!, headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { server, received };
}

const SECRET = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let latePort = 0;

beforeAll(async () => {
  upstream = await startUpstream();
  receiver = await startReceiver(0);
  latePort = await freePort();
  const { port } = receiver.server.address() as AddressInfo;
  project = await writeProject(
    {
      'routes/r.yaml': `services:
  s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] }
  away: { endpoints: [{ url: "http://127.0.0.1:${await freePort()}" }] }
routes:
  paid: { service: s, match: { path: /paid }, auth: none, cost: $0.01 per request }
  counted: { service: s, match: { path: /counted }, auth: none }
  gone: { service: away, match: { path: /gone }, auth: none }
  keyed: { service: s, match: { path: /keyed }, auth: none }
`,
      'policies/p.policy': `language 1
policy "money" applies to route "paid" {
    permit
    budget "year" $1 per year in total  alert at 50%, 80%, 100% notify "oncall"
}
policy "pace" applies to route "counted" {
    permit
    limit "ten" at most 10 requests in any 2s  for each request.ip  alert at 100%
}
policy "watch" applies to route "gone" {
    permit
    alert "gone" when response.status is 502  for at least 3 requests in any 1m  for each route and request.ip
        because "{route} answers {response.status} ({response.code})"  notify "oncall"
}
policy "shadowed" applies to route "gone" { alert "seen" when response.status is 502 }
policy "crowded" applies to route "keyed" {
    permit
    limit "few" at most 100 requests in any 1m  for each request.header["x-key"] otherwise request.ip  max keys 2
}
`,
      'enforcement.yaml': 'policies: { shadowed: shadow }\n',
      secret: SECRET,
    },
    {
      dataThreads: 2,
      settings: `deliveries:
  oncall: { webhook: "http://127.0.0.1:${port}/oncall", secretFile: ./secret, takes: named }
  all: { webhook: "http://127.0.0.1:${port}/all", secretFile: ./secret }
  late: { webhook: "http://127.0.0.1:${latePort}/late", secretFile: ./secret }
  auditor: { webhook: "http://127.0.0.1:${port}/auditor", secretFile: ./secret, takes: named, audit: anchors }
`,
    },
  );
  gateway = await RunningGateway.start(project, { arguments: ['--log', '/dev/null'] });
});
afterAll(async () => {
  await gateway?.stop('SIGKILL');
  await project?.remove();
  await upstream?.close();
  receiver?.server.close();
});

async function send(path: string, requests: number): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: requests }, () => fetch(`${gateway.url}${path}`).then(({ status }) => status)),
  );
  return answers.filter((status) => status === 200).length;
}

function anchorsAt(path: string) {
  return receiver.received
    .filter((one) => one.path === path)
    .map(({ body }) => JSON.parse(body) as { type: string; data: { sequence: number; hash: string } });
}

interface AlertBody {
  readonly type: string;
  readonly data: { readonly kind: string; readonly subject: string; readonly message: string };
}

const BEGUN_AND_OVER = ['alert.raised', 'alert.resolved'];

/** What came of alerts of one kind. */
function told(path: string, kind: string): string[] {
  return alertsAt(path).flatMap(({ type, data }) => (data.kind === kind ? [type] : []));
}

function alertsAt(path: string): AlertBody[] {
  return receiver.received
    .filter((one) => one.path === path)
    .map(({ body }) => JSON.parse(body) as AlertBody);
}

describe('a threshold', () => {
  it('is told to the delivery that the policy names, once each, in order', async () => {
    expect(await send('/paid', 150)).toBe(100);
    expect(await send('/paid', 20)).toBe(0);
    await expect.poll(() => alertsAt('/oncall').length).toBe(3);
    const told = alertsAt('/oncall');
    // which thread settles last is a matter of chance, but not what is told
    expect(told.map(({ data }) => data.subject).sort()).toEqual([
      'money/year in total 100%',
      'money/year in total 50%',
      'money/year in total 80%',
    ]);
    expect(told.every(({ type, data }) => type === 'alert.raised' && data.kind === 'limit-threshold')).toBe(
      true,
    );
    const half = told.find(({ data }) => data.subject.endsWith(' 50%'))!;
    expect(half.data.message).toMatch(
      /^money\/year in total has reached 50% of \$1: \$0\.5\d? is used\. It resets \d{4}-01-01T00:00:00\.000Z\.$/,
    );
  });

  it('is signed so that the receiver can tell it from a forgery', () => {
    const secret = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
    for (const { headers, body } of receiver.received) {
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      const expected = createHmac('sha256', secret).update(signed).digest('base64');
      expect(headers['webhook-signature']).toBe(`v1,${expected}`);
    }
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('that names nobody goes to all, and is resolved when the counter begins anew', async () => {
    expect(await send('/counted', 12)).toBe(10);
    await expect.poll(() => alertsAt('/all').length, { timeout: 10_000 }).toBe(2);
    const [raised, resolved] = alertsAt('/all');
    expect([raised!.type, resolved!.type]).toEqual(['alert.raised', 'alert.resolved']);
    expect(raised!.data.subject).toBe('pace/ten for each request.ip 100% of address 127.0.0.1');
    expect(resolved!.data.subject).toBe(raised!.data.subject);
    expect(alertsAt('/oncall').length).toBe(3);
  });

  it('reaches a webhook that comes back, and never delays a request', async () => {
    const { stdout } = await runPortunus(['status', project.folder, '--json']);
    const { deliveries } = JSON.parse(stdout) as AdminStatus;
    const late = deliveries.find(({ name }) => name === 'late')!;
    expect(late).toMatchObject({ delivered: 0, queued: 2, givenUp: 0, dropped: 0 });
    expect(late.failedAttempts).toBeGreaterThan(0);
    expect(late.lastError).toMatch(/ECONNREFUSED/);
    const back = await startReceiver(latePort);
    await expect.poll(() => back.received.length, { timeout: 20_000 }).toBe(2);
    back.server.close();
    const [first] = back.received;
    expect(first!.path).toBe('/late');
  }, 30_000);

  it('is not told again after a reload that changes nothing of it', async () => {
    await project.write(
      'policies/q.policy',
      'language 1\npolicy "q" applies to route "counted" { warn because "x" }\n',
    );
    await gateway.printed(/live/);
    expect(await send('/paid', 5)).toBe(0);
    const { stdout } = await runPortunus(['status', project.folder, '--json']);
    const { alerts } = JSON.parse(stdout) as AdminStatus;
    expect(alerts.filter(({ kind }) => kind === 'limit-threshold').length).toBe(3);
    expect(alertsAt('/oncall').length).toBe(3);
  });

  it('of requests that fit is told once, when there are as many as it asks for', async () => {
    expect(await send('/gone', 2)).toBe(0);
    const before = alertsAt('/oncall').length;
    expect(await send('/gone', 6)).toBe(0);
    await expect.poll(() => alertsAt('/oncall').length, { timeout: 10_000 }).toBe(before + 1);
    const { data } = alertsAt('/oncall').at(-1)!;
    expect(data).toMatchObject({
      kind: 'policy-alert',
      subject: 'watch/gone for route "gone", request.ip "127.0.0.1"',
      message:
        'watch/gone for route "gone", request.ip "127.0.0.1": gone answers 502 (upstream_connect_failed)',
    });
    const { stdout } = await runPortunus(['status', project.folder, '--json']);
    const { alerts } = JSON.parse(stdout) as AdminStatus;
    const asked = alerts.filter(({ kind }) => kind === 'policy-alert');
    expect(asked.map(({ subject }) => subject.split(' ')[0])).toEqual(['watch/gone']);
    expect(alertsAt('/all').some(({ data: { kind } }) => kind === 'policy-alert')).toBe(false);
  });

  it('tells of a limit that has more keys than counters', async () => {
    const ask = (key: string) => fetch(`${gateway.url}/keyed`, { headers: { 'x-key': key } });
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map(ask));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await expect
      .poll(() => alertsAt('/all').at(-1)!.data, { timeout: 10_000 })
      .toMatchObject({
        kind: 'limit-keys-full',
        subject: 'crowded/few for each request.header["x-key"] otherwise request.ip',
        message: expect.stringContaining('keeps 2 keys apart, and all are in use'),
      });
  });

  it('is over with its rule, which is told also where its delivery goes with it', async () => {
    const settings = await readFile(join(project.folder, 'portunus.yaml'), 'utf8');
    // Refused until the policy that names it is changed, too.
    await project.write('portunus.yaml', settings.replace(/^ {2}oncall: .*\n/m, ''));
    await project.write(
      'policies/p.policy',
      `language 1
policy "money" applies to route "paid" { permit }
policy "pace" applies to route "counted" { permit }
policy "watch" applies to route "gone" { permit }
policy "shadowed" applies to route "gone" { alert "seen" when response.status is 502 }
policy "crowded" applies to route "keyed" { permit }
`,
    );
    await expect
      .poll(() => alertsAt('/oncall').at(-1), { timeout: 10_000 })
      .toMatchObject({ type: 'alert.resolved', data: { kind: 'policy-alert' } });
    await expect.poll(() => told('/all', 'limit-keys-full'), { timeout: 10_000 }).toEqual(BEGUN_AND_OVER);
  });

  it('reaches webhooks also when it is found while the gateway starts', async () => {
    await gateway.stop('SIGTERM');
    // As it ended, "late" was given up once already.
    receiver.received.length = 0;
    await writeFile(join(project.folder, 'data', HISTORY_FILE), 'no database at all'.repeat(1_000));
    await appendFile(join(project.folder, 'portunus.yaml'), '\nlimits: { alertDeliveryAttempts: 1 }\n');
    gateway = await RunningGateway.start(project);
    await expect
      .poll(() => alertsAt('/all').map(({ data }) => data.kind), { timeout: 10_000 })
      .toContain('request-log-damaged');
  });
});

describe('a delivery that takes nothing', () => {
  it('is told to the others, until it takes something again', async () => {
    // What was found at the start was given up at once: nobody listens there.
    await expect.poll(() => told('/all', 'delivery-failing'), { timeout: 10_000 }).toEqual(['alert.raised']);
    expect(alertsAt('/all').at(-1)!.data).toMatchObject({
      subject: 'late',
      message: expect.stringMatching(/^Delivery "late" did not take a message, .*ECONNREFUSED/),
    });
    const back = await startReceiver(latePort);
    await project.write('policies/q.policy', 'language 1\npolicy\n');
    await expect.poll(() => told('/all', 'delivery-failing'), { timeout: 10_000 }).toEqual(BEGUN_AND_OVER);
    expect(told('/all', 'configuration-refused')).toEqual(['alert.raised']);
    await project.write(
      'policies/q.policy',
      'language 1\npolicy "q" applies to route "counted" { permit }\n',
    );
    await expect
      .poll(() => told('/all', 'configuration-refused'), { timeout: 10_000 })
      .toEqual(BEGUN_AND_OVER);
    back.server.close();
  });
});

describe('the end of the audit log', () => {
  it('reaches the webhook that asks for it at the start and after a change, and the log can be held against it', async () => {
    await expect.poll(() => anchorsAt('/auditor').length).toBeGreaterThan(0);
    const before = anchorsAt('/auditor').at(-1)!.data.sequence;
    await project.write(
      'policies/q.policy',
      'language 1\npolicy "q" applies to route "counted" { warn because "y" }\n',
    );
    await expect
      .poll(() => anchorsAt('/auditor').at(-1)!.data.sequence, { timeout: 10_000 })
      .toBeGreaterThan(before);
    const told = anchorsAt('/auditor');
    expect(new Set(told.map(({ type }) => type))).toEqual(new Set(['audit.anchor']));
    const { sequence, hash } = told.at(-1)!.data;
    const place = `${sequence}:${hash}`;
    const sound = await runPortunus(['audit', 'verify', project.folder, '--anchor', place]);
    expect(sound).toMatchObject({ code: 0 });
    const other = await runPortunus([
      'audit',
      'verify',
      project.folder,
      '--anchor',
      `${sequence}:${'0'.repeat(64)}`,
    ]);
    expect(other.code).not.toBe(0);
  });
});
