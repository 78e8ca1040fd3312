import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cp, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import {
  freePort,
  type Project,
  RunningGateway,
  runPortunus,
  writeProject,
} from '../gateway/running-gateway.ts';
import { startUpstream, type UpstreamServer } from '../gateway/upstream-server.ts';
import { makeCertificate } from '../upstream/certificate.ts';

const QUICKSTART = fileURLToPath(new URL('../../policies/quickstart', import.meta.url));
const README = new URL('../../README.md', import.meta.url);
const AsyncFunction = (async () => {}).constructor as new (
  parameter: string,
  code: string,
) => (value: typeof OpenAI) => Promise<unknown>;

const running: RunningGateway[] = [];
const projects: Project[] = [];
const upstreams: UpstreamServer[] = [];
afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.stop('SIGKILL');
  for (const project of projects.splice(0)) await project.remove();
  for (const upstream of upstreams.splice(0)) await upstream.close();
});

async function openProject(upstream: UpstreamServer | null = null): Promise<Project> {
  const project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream?.port ?? 1}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
    'policies/p.policy': 'language 1\npolicy "p" applies to every route { permit }\n',
  });
  projects.push(project);
  return project;
}

async function start(project: Project, commandLine: readonly string[] = []): Promise<RunningGateway> {
  const gateway = await RunningGateway.start(project, { arguments: commandLine });
  running.push(gateway);
  return gateway;
}

describe('the quick start', () => {
  it('answers a chat completion first, then 200, 401, 403 and 429 as it says, and OpenAI’s SDK as README has it', async () => {
    const { gateway } = await startQuickstart();
    const printed = gateway.output.replaceAll('\\\n', ' ');
    const curls = [
      ...printed.matchAll(
        /curl (?:-i )?(\S+)(?: -H "Authorization: Bearer (\S+)")?(?: -H "Content-Type: (\S+)" +-d '(.*)')?/g,
      ),
    ];
    expect(curls).toHaveLength(5);
    const ask = async (index: number): Promise<Response> => {
      const [, url, key, type, body] = curls[index]!;
      const headers = {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(type === undefined ? {} : { 'content-type': type }),
      };
      return await fetch(url!, body === undefined ? { headers } : { method: 'POST', headers, body });
    };
    const chat = (await (await ask(0)).json()) as OpenAI.ChatCompletion;
    expect(chat).toMatchObject({ object: 'chat.completion', model: 'gpt-4o-mini' });
    expect(chat.choices[0]!.message.content).toMatch(/^[a-z ]+$/);
    expect((await ask(1)).status).toBe(200);
    expect((await ask(2)).status).toBe(401);
    expect((await ask(3)).status).toBe(403);
    const statuses: number[] = [];
    for (let round = 0; round < 6; round++) statuses.push((await ask(4)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    expect(Number((await ask(4)).headers.get('retry-after'))).toBeGreaterThan(0);

    const shown = /^```js\nimport OpenAI from 'openai';\n([\s\S]*?)^```$/m.exec(
      readFileSync(README, 'utf8'),
    )![1]!;
    const program = shown.replace('http://127.0.0.1:8080', gateway.url).replace('ptn_live_…', curls[0]![2]!);
    const run = new AsyncFunction('OpenAI', `${program}\nreturn answer;`);
    expect(await run(OpenAI)).toMatchObject({ object: 'chat.completion' });
  });

  it('learns of a key that is added while it runs, and serves without the mock provider', async () => {
    const { gateway, project } = await startQuickstart();
    const models = await readFile(join(project.folder, 'providers/models.yaml'), 'utf8');
    await project.write('providers/mock-keys/third.txt', 'mock-key-third\n');
    await project.write(
      'providers/models.yaml',
      models.replace(
        /^ {6}first: .*\n^ {6}second: .*$/m,
        '      third: { secret: "file:mock-keys/third.txt" }',
      ),
    );
    expect((await runPortunus(['reload', project.folder])).code).toBe(0);
    const body = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }] });
    const headers = {
      authorization: `Bearer ${await gateway.key('globex', 'erp')}`,
      'content-type': 'application/json',
    };
    const call = (): Promise<Response> =>
      fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body });
    expect((await call()).status).toBe(200);
    await gateway.stop();
    const alone = await start(project);
    expect(alone.output).not.toContain('bundled mock');
    expect((await call()).status).toBe(502);
  });
});

/** A copy of the quick start on ports of its own, as `npm start` runs it. */
async function startQuickstart(): Promise<{ readonly gateway: RunningGateway; readonly project: Project }> {
  const project = await openProject();
  await cp(QUICKSTART, project.folder, { recursive: true, filter: (source) => !source.endsWith('/data') });
  const [mockPort, providerPort] = [await freePort(), await freePort()];
  await project.write('routes/r.yaml', 'services: {}\n');
  await project.write('policies/p.policy', 'language 1\n');
  for (const [path, edit] of [
    [
      'portunus.yaml',
      (text: string) => text.replace('8080', `${project.port}`).replace('9090', `${project.adminPort}`),
    ],
    ['routes/orders.yaml', (text: string) => text.replace('9001', String(mockPort))],
    ['providers/models.yaml', (text: string) => text.replace('9002', String(providerPort))],
  ] as const) {
    await project.write(path, edit(await readFile(join(project.folder, path), 'utf8')));
  }
  const gateway = await start(project, [
    '--mock-upstream',
    String(mockPort),
    '--mock-provider',
    String(providerPort),
  ]);
  await gateway.printed(/follows the new rule/);
  return { gateway, project };
}

describe('start', () => {
  it('keeps keys and admin access readable for its own account only', async () => {
    const upstream = await startUpstream();
    upstreams.push(upstream);
    const project = await openProject(upstream);
    await project.write(
      'tenants/t.yaml',
      'tenants: { t: { plan: free, consumers: { c: { subscriptions: [all] } } } }\n',
    );
    const gateway = await start(project);
    for (const name of ['first-keys.json', 'admin-access.json']) {
      expect((await stat(join(project.folder, 'data', name))).mode & 0o777).toBe(0o600);
    }
    const key = await gateway.key('t', 'c');
    await gateway.stop();
    const again = await start(project);
    expect(await again.key('t', 'c')).toBe(key);
  });

  it('is refused while another gateway runs on the same data folder', async () => {
    const project = await openProject();
    const gateway = await start(project);
    const second = await runPortunus(['start', project.folder]);
    expect(second).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(
        `Another gateway runs on this data folder (process ${gateway.child.pid})`,
      ),
    });
  });

  it('is refused while another gateway listens on the same address', async () => {
    const [first, second] = [await openProject(), await openProject()];
    await start(first);
    await second.write(
      'portunus.yaml',
      `portunus: 1\nlisten: { address: 127.0.0.1, port: ${first.port} }\nadmin: { address: 127.0.0.1, port: ${second.adminPort} }\ndata: ./data\n`,
    );
    const refused = await runPortunus(['start', second.folder]);
    expect(refused).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`127.0.0.1:${first.port} is in use`),
    });
  });

  it('is refused to one of two that start at the same moment on one address', async () => {
    const [first, second] = [await openProject(), await openProject()];
    await second.write(
      'portunus.yaml',
      `portunus: 1\nlisten: { address: 127.0.0.1, port: ${first.port} }\nadmin: { address: 127.0.0.1, port: ${second.adminPort} }\ndata: ./data\n`,
    );
    const outcomes = await Promise.all(
      [first, second].map((project) =>
        start(project).then(
          () => 'runs',
          (error: Error) => error.message,
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'runs')).toHaveLength(1);
    expect(outcomes.join()).toContain(`127.0.0.1:${first.port} is in use`);
  });

  it('names the setting of the address that is in use', async () => {
    const [first, second] = [await openProject(), await openProject()];
    await start(first);
    await second.write(
      'portunus.yaml',
      `portunus: 1\nlisten: { address: 127.0.0.1, port: ${second.port} }\nadmin: { address: 127.0.0.1, port: ${first.adminPort} }\ndata: ./data\n`,
    );
    const { stderr } = await runPortunus(['start', second.folder]);
    expect(stderr).toContain(`127.0.0.1:${first.adminPort} is in use`);
    expect(stderr).toContain('set another address under "admin" in portunus.yaml');
  });

  it.each(['{', '{}'])('says which file is wrong when first-keys.json holds %s', async (text) => {
    const project = await openProject();
    await project.write('data/first-keys.json', text);
    const refused = await runPortunus(['start', project.folder]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(join(project.folder, 'data/first-keys.json'));
    expect(refused.stderr).toContain('Put it right, or move it away');
  });

  it('starts again on the data folder of a gateway that was killed', async () => {
    const project = await openProject();
    const gateway = await start(project);
    await gateway.stop('SIGKILL');
    await start(project);
  });

  it('opens the admin API to other machines with TLS only, and shows a renewed certificate', async () => {
    const project = await openProject();
    const settings = await readFile(join(project.folder, 'portunus.yaml'), 'utf8');
    const everywhere = `admin: { address: 0.0.0.0, port: ${project.adminPort}`;
    const open = settings.replace(`admin: { address: 127.0.0.1, port: ${project.adminPort}`, everywhere);
    await project.write('portunus.yaml', open);
    const refused = await runPortunus(['start', project.folder]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('error[PT3114]')]);

    const authority = makeCertificate({ name: 'authority' });
    const show = async (name: string): Promise<void> => {
      const made = makeCertificate({ name, dnsNames: ['localhost'] }, authority);
      await project.write('admin.pem', made.certificate);
      await project.write('admin.key', made.key);
    };
    await show('first');
    await project.write('ca.pem', authority.certificate);
    const tls = ', tls: { certificate: admin.pem, key: admin.key }';
    await project.write('portunus.yaml', open.replace(everywhere, everywhere + tls));
    const gateway = await start(project);
    await gateway.printed(new RegExp(`admin {5}https://0.0.0.0:${project.adminPort}`));

    const issue = ['tokens', 'issue', 'far', project.folder, '--scope', 'read', '--json'];
    const issued = await runPortunus(issue);
    await project.write('token', (JSON.parse(issued.stdout) as { token: string }).token);
    const [ca, token] = ['ca.pem', 'token'].map((file) => join(project.folder, file));
    const far = ['--url', `https://localhost:${project.adminPort}`, '--ca', ca!, '--token-file', token!];
    const asked = async (): Promise<readonly number[]> => {
      const answers = [
        ['status', project.folder],
        ['status', ...far],
        ['reload', ...far],
      ].map(async (command) => runPortunus(command));
      return (await Promise.all(answers)).map(({ code }) => code);
    };
    // the token may read, and nothing else
    expect(await asked()).toEqual([0, 0, 3]);
    await show('second');
    const shown = async (): Promise<string> => {
      const socket = connectTls({ port: project.adminPort, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerX509Certificate()!;
      socket.destroy();
      return subject;
    };
    await expect.poll(shown, { timeout: 20_000 }).toBe('CN=second');
    expect(await asked()).toEqual([0, 0, 3]);
  });

  it('says every mistake of a broken project and exits with 1', async () => {
    const project = await openProject();
    await project.write('policies/p.policy', 'language 1\npolicy "p" applies to route "al" { permit }\n');
    const refused = await runPortunus(['start', project.folder]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Did you mean "all"');
  });
});

describe('SIGHUP', () => {
  it('during the start is a reload behind it, and no end', async () => {
    const project = await openProject();
    const dataFolder = join(project.folder, 'data');
    const gateway = await RunningGateway.start(project, {
      whileStarting: async (child) => {
        await expect.poll(() => existsSync(dataFolder), { interval: 1, timeout: 30_000 }).toBe(true);
        child.kill('SIGHUP');
      },
    });
    running.push(gateway);
    await gateway.printed(/^SIGHUP: /m);
  });
});

describe('SIGTERM', () => {
  it('stops accepting, finishes what is in flight, and exits with 0', async () => {
    let finish: () => void = () => {};
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write('begun,');
      finish = () => response.end('ended');
    });
    upstreams.push(upstream);
    const project = await openProject(upstream);
    const gateway = await start(project);
    const response = await fetch(`${gateway.url}/slow`);
    const exited = once(gateway.child, 'close');
    gateway.child.kill('SIGTERM');
    await refusesConnections(project.port);
    finish();
    expect(await response.text()).toBe('begun,ended');
    expect((await exited)[0]).toBe(0);
  });
});

/** Connects until it is refused: events only, each attempt waits for the answer of the one before. */
async function refusesConnections(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const outcome = await new Promise<string>((resolve) => {
      socket.once('connect', () => resolve('connected'));
      socket.once('error', () => resolve('refused'));
    });
    socket.destroy();
    if (outcome === 'refused') return;
  }
}
